// The direct algorithm on blocks of the image without its offsets: what it sums is small where differences are.
//
// Where many windows of a block are too flat for that, as in photographs, it goes on in smaller blocks, each without its own mean,
// which templates whose sum is 0 do not see: 64 templates of 7x7 in skimage's camera (512x512) take 28 ms, 36 with f64 for all that is
// flat before; in its brick, whose windows are flat beside their neighbours, smaller blocks help little (2026-11-28, AMD EPYC "Zen 4").
#include <algorithm>
#include <cmath>
#include <cstring>

#include "match/method.h"
#include "match/run_match.h"
#include "match/small_windows.h"

namespace corrbank::detail {
namespace {

constexpr int flat_rows = 16, flat_columns = 64;
constexpr std::int64_t few_flat = 4;  // one of so many windows: not worth smaller blocks

Geometry part_of(const Geometry& block, const WindowBlock& windows) noexcept {
  Geometry g = block;
  g.height = windows.rows, g.width = windows.columns;
  return g;
}

WindowBlock part_of(const WindowBlock& whole, std::int64_t row, std::int64_t rows, std::int64_t column,
                    std::int64_t columns) noexcept {
  const std::int64_t y = part(whole.rows, row, rows), x = part(whole.columns, column, columns);
  return {whole.y + y, whole.x + x, static_cast<int>(part(whole.rows, row + 1, rows) - y),
          static_cast<int>(part(whole.columns, column + 1, columns) - x)};
}

double mean_of(const Geometry& g, const float* pixels) noexcept {
  double sum = 0;
  for (std::int64_t y = 0; y < g.image_height(); ++y, pixels += g.row_stride) {
    for (std::int64_t x = 0; x < g.image_width(); ++x) sum += static_cast<double>(pixels[x]);
  }
  return std::isfinite(sum) ? sum / static_cast<double>(g.image_height() * g.image_width()) : 0;
}

// The largest magnitude that is finite, in one channel.
double largest_pixel(const Geometry& g, const float* pixels) noexcept {
  std::int32_t largest = 0;
  for (std::int64_t y = 0; y < g.image_height(); ++y, pixels += g.row_stride) {
    for (std::int64_t x = 0; x < g.image_width(); ++x) {
      std::int32_t bits = 0;
      std::memcpy(&bits, pixels + x, sizeof bits);
      bits &= 0x7fffffff;
      largest = std::max(largest, bits < 0x7f800000 ? bits : 0);
    }
  }
  float made = 0;
  std::memcpy(&made, &largest, sizeof made);
  return static_cast<double>(made);
}

}  // namespace

// Of windows whose norms are negative; marks their rows.
std::int64_t MatchRun::count_flagged(const WindowBlock& windows) noexcept {
  std::int64_t flagged = 0;
  for (std::int64_t y = windows.y; y < windows.y + windows.rows; ++y) {
    const float* norm = maps_.norm + maps_.at(y, windows.x);
    int of_row = 0;
    for (int x = 0; x < windows.columns; ++x) of_row += static_cast<int>(norm[x] < 0);
    if (of_row > 0) maps_.again[y].store(true, std::memory_order_relaxed);
    flagged += of_row;
  }
  return flagged;
}

// Pixels of a block, and what of its norms depends on them. How many windows f32 is too coarse for.
std::int64_t MatchRun::read_block(std::size_t number, const WindowBlock& windows, bool less_means,
                                  float* pixels) noexcept {
  const GroupPlan& plan = plans_[number];
  const Geometry g = part_of(plan.blocks.geometry, windows);
  for (std::int64_t c = 0; c < t_.channels; ++c) {
    float* channel = pixels + c * g.channel_stride;
    const auto read = [&](double offset) {
      source_.read_rows_less(offset, c, windows.y, windows.x, g.image_height(), g.image_width(), channel, g.row_stride);
    };
    read(source_.offsets[c]);
    if (less_means) read(static_cast<double>(static_cast<float>(source_.offsets[c] + mean_of(g, channel))));
  }
  float* norm = maps_.norm + maps_.at(windows.y, windows.x);
  if (measures_in_blocks(number)) {
    const PixelBlock block{pixels, g.channel_stride, g.row_stride, zeros_, windows.rows, windows.columns};
    const Flatness flat = small_flatness();
    make_small_norms(t_, block, offsets_.data(), flat, nullptr, norm, maps_.width);
    const std::int64_t flagged = count_flagged(windows);
    if (flagged > 0 && aim_ == Aim::peaks) {
      const double largest = largest_pixel(g, pixels) * std::sqrt(static_cast<double>(t_.taps()));
      note_flat_error(static_cast<float>(std::sqrt(flat.most) / largest));
    }
    return flagged;
  }
  if (!is_normed(t_.method)) return 0;
  if (less_means) {
    for (int row = 0; row < windows.rows; ++row, norm += maps_.width) {
      for (int x = 0; x < windows.columns; ++x) norm[x] = std::fabs(norm[x]);
    }
  }
  const float largest =
      less_means || t_.groups[number].masked() ? HUGE_VALF : largest_energy_.load(std::memory_order_relaxed);
  const Source seen{pixels,          DType::f32,       t_.channels,  g.image_height(),
                    g.image_width(), g.channel_stride, g.row_stride, no_offsets_.data()};
  return flag_flat_windows(number, {seen, windows.y, windows.x}, windows, largest);
}

void MatchRun::correlate_in_blocks(std::size_t number, ScoreSink& sink) noexcept {
  const GroupPlan& plan = plans_[number];
  const PackedBank& bank = *PackedBank::of(t_.groups[number].bank);
  const DirectBlocks& b = plan.blocks;
  const WorkspaceParts parts = workspace_parts(plan.call, bank, engine_);
  TapMemory taps(parts.inner_taps, parts.outer_taps);
  const WindowBlock all{0, 0, static_cast<int>(maps_.height), static_cast<int>(maps_.width)};
  for_each_block(b.down * b.across, [&](std::int64_t i, char* scratch) {
    auto* pixels = reinterpret_cast<float*>(scratch);
    const auto correlate = [&](const WindowBlock& windows) {
      const Geometry g = part_of(b.geometry, windows);
      Call call{g,
                bank,
                engine_options_,
                b.plan,
                pixels,
                reinterpret_cast<float*>(scratch + b.panel()),
                g.height * g.response_row_stride,
                taps};
      call.workspace = scratch + b.part();
      call.sink = &sink;
      run_direct_tile(call, {static_cast<std::int32_t>(windows.y), static_cast<std::int32_t>(windows.x), 0, 0});
      // While the block's scores are in the caches.
      if (aim_ != Aim::peaks) correlate_again(t_.groups[number], windows, scratch + b.bytes(), sink);
    };
    const WindowBlock block = part_of(all, i / b.across, b.down, i % b.across, b.across);
    const std::int64_t flat = read_block(number, block, false, pixels);
    const bool many = flat * few_flat > std::int64_t{block.rows} * block.columns;
    if (!many || !sees_no_means(number) || aim_ == Aim::peaks) return correlate(block);
    const std::int64_t down = quotient_up(block.rows, flat_rows), across = quotient_up(block.columns, flat_columns);
    for (std::int64_t p = 0; p < down * across; ++p) {
      const WindowBlock windows = part_of(block, p / across, down, p % across, across);
      read_block(number, windows, true, pixels);
      correlate(windows);
    }
  });
}

}  // namespace corrbank::detail
