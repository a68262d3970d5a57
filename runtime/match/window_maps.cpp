#include "match/window_maps.h"

#include <algorithm>
#include <utility>

#include "geometry.h"
#include "match/f32_stages.h"
#include "match/match_kernels.h"
#include "match/method.h"

namespace corrbank::detail {
namespace {

// What a block's parts take, and where they begin in the scratch.
struct Layout {
  int windows, columns, rows, pixel_rows;                 // rounded up to whole vectors and whole groups of rows
  std::size_t below, above, memory, sums, pixels, norms;  // doubles

  Layout(const PackedTemplates& t, int block_rows, int block_columns) noexcept {
    const auto high = static_cast<int>(t.height), wide = static_cast<int>(t.width);
    windows = static_cast<int>(round_up(block_columns, window_columns));
    columns = static_cast<int>(round_up(near_columns(windows, wide) + 8, window_columns));
    rows = static_cast<int>(round_up(block_rows, high));
    pixel_rows = rows + high;  // one more than windows have: to no purpose, it is added to sums that are not read
    above = 2 * static_cast<std::size_t>(columns);
    below = static_cast<std::size_t>(high) * above;
    memory = window_row_doubles(columns, windows, wide);
    sums = t.channels > 1 ? static_cast<std::size_t>(block_rows) * 3 * static_cast<std::size_t>(windows) : 0;
    pixels = (static_cast<std::size_t>(pixel_rows) * static_cast<std::size_t>(columns) + 1) / 2;
    norms = static_cast<std::size_t>(windows);
  }
  [[nodiscard]] std::size_t size() const noexcept { return below + 2 * above + memory + sums + pixels + norms; }
};

// A channel's pixels less an offset, rows `columns` apart, with zeros around.
void read_channel(const PackedTemplates& t, const Source& source, const WindowBlock& block, const Layout& l,
                  std::int64_t c, double offset, float* pixels) noexcept {
  const std::int64_t width = block.columns + t.width - 1, rows = block.rows + t.height - 1;
  source.read_rows_less(offset, c, block.y, block.x, rows, width, pixels, l.columns);
  for (int y = 0; y < l.pixel_rows; ++y, pixels += l.columns) {
    std::fill(pixels + (y < rows ? width : 0), pixels + l.columns, 0.0f);
  }
}

// In f32, where the processor has it and it is exact enough, else not_in_f32; in the memory for f64, which is twice that.
float make_norms_in_f32(const PackedTemplates& t, const Source& source, const WindowBlock& block, const Layout& l,
                        double* scratch, float* norms, std::ptrdiff_t stride) noexcept {
  const F32Stages* stages = f32_stages(*t.target);
  if (stages == nullptr || t.method != Method::ccoeff_normed || t.channels > most_f32_channels) return not_in_f32;
  double *above = scratch + l.below, *memory = above + 2 * l.above, *sums = memory + l.memory;
  auto* pixels = reinterpret_cast<float*>(sums + l.sums);
  F32Windows channel{pixels,
                     l.columns,
                     static_cast<int>(t.height),
                     static_cast<int>(t.width),
                     block.rows,
                     l.windows,
                     reinterpret_cast<float*>(scratch),
                     reinterpret_cast<float*>(above),
                     reinterpret_cast<float*>(memory),
                     reinterpret_cast<float*>(sums),
                     -1 / static_cast<float>(t.height * t.width),
                     true};
  for (std::int64_t c = 0; c < t.channels; ++c) {
    channel.first = c == 0;
    read_channel(t, source, block, l, c, source.offsets[c], pixels);
    if (c + 1 < t.channels && !stages->add_windows(channel)) return not_in_f32;
  }
  return stages->finish_windows(channel, norms, stride, block.columns);
}

}  // namespace

std::size_t window_map_scratch(const PackedTemplates& t, int rows, int columns) noexcept {
  return Layout(t, rows, columns).size();
}

float make_window_maps(const PackedTemplates& t, const Source& source, const WindowBlock& block, double* scratch,
                       float* norms, float* energies, std::ptrdiff_t stride) noexcept {
  const Layout l(t, block.rows, block.columns);
  float largest = make_norms_in_f32(t, source, block, l, scratch, norms, stride);
  if (largest != not_in_f32) return largest;
  largest = 0;
  const auto high = static_cast<int>(t.height), wide = static_cast<int>(t.width);
  double *below = scratch, *above = below + l.below, *above_next = above + l.above;
  double *memory = above_next + l.above, *sums = memory + l.memory;
  auto* pixels = reinterpret_cast<float*>(sums + l.sums);
  auto* made = reinterpret_cast<float*>(sums + l.sums + l.pixels);
  const double area = static_cast<double>(t.height * t.width);
  WindowNorms norm{is_normed(t.method), 0, constant_window_below, made};
  if (t.method == Method::zncc) norm.of_total = -1 / (area * static_cast<double>(t.channels));
  for (std::int64_t c = 0; c < t.channels; ++c) {
    read_channel(t, source, block, l, c, 0, pixels);
    const double offset = source.offsets[c];
    WindowRow row{below, nullptr, nullptr, offset, nullptr, l.columns, l.windows,
                  wide,  c == 0,  0,       0,      0,       memory,    nullptr};
    if (is_normed_by_energy(t.method)) row.linear = 2 * offset, row.constant = offset * offset * area;
    if (t.method == Method::ccoeff_normed) row.quadratic = -1 / area;
    for (int first = 0; first < block.rows; first += high) {
      const float* group = pixels + std::ptrdiff_t{first} * l.columns;
      sum_columns(*t.target, {group, offset, l.columns, high, below});
      std::fill_n(above, l.above, 0.0);
      for (int i = 0; i < high && first + i < block.rows; ++i) {
        row.below = below + std::ptrdiff_t{i} * 2 * l.columns;
        row.above = above, row.above_next = above_next;
        row.next = group + (std::ptrdiff_t{high} + i) * l.columns;
        row.sums = t.channels > 1 ? sums + std::ptrdiff_t{first + i} * 3 * l.windows : sums;
        std::swap(above, above_next);
        if (c + 1 < t.channels) {
          sum_row(*t.target, row);
          continue;
        }
        finish_row(*t.target, row, norm);
        const std::ptrdiff_t at = std::ptrdiff_t{first + i} * stride;
        const float* energy = made + l.windows;
        std::copy_n(made, block.columns, norms + at);
        if (energies != nullptr) std::copy_n(energy, block.columns, energies + at);
        for (int x = 0; x < block.columns; ++x) largest = energy[x] > largest ? energy[x] : largest;
      }
    }
  }
  return largest;
}

}  // namespace corrbank::detail
