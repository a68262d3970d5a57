#include "fft_tiles.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "geometry.h"

namespace corrbank::detail {
namespace {

// Those that lie in the image, of a tile that may be higher.
RowRange in_image(const FftRun& run, RowRange rows) noexcept {
  const auto height = static_cast<int>(std::min<std::int64_t>(run.plan.rows->size, run.call.geometry.image_height()));
  return {std::min(rows.first, height), std::min(rows.end, height)};
}

// Few lines are better on their way to L2, where more of them can be at once than to L1, while the transform before is made: of
// 64 channels of 256x256 and one kernel of 3x3, 3.9 ms rather than 6.0; of 224x224 and 64 kernels, 14.1 rather than 16.0. More of
// them than can be on their way, 48x32 elements of 8 lanes, took longer.
void fetch_ahead(const float* first, const float* end) noexcept {
  for (; first < end; first += workspace_line / sizeof(float)) __builtin_prefetch(first, 0, 2);
  __asm__ volatile("");  // GCC drops calls of functions that do nothing else
}

// About the mean of a tile's pixels: any constant close to it keeps rounding errors in proportion to how they differ.
float tile_mean(const FftRun& run, std::int32_t first) noexcept {
  constexpr int samples = 8;  // a side
  const Geometry& g = run.call.geometry;
  const std::int64_t rows = std::min<std::int64_t>(run.plan.rows->size, g.image_height());
  const std::int64_t columns = std::min<std::int64_t>(run.plan.columns->size, g.image_width());
  const float* pixels = run.call.image + first;
  float sum = 0;
  for (std::int64_t i = 0; i < samples; ++i) {
    const float* row = pixels + (2 * i + 1) * rows / (2 * samples) * g.row_stride;
    for (std::int64_t j = 0; j < samples; ++j) sum += row[(2 * j + 1) * columns / (2 * samples)];
  }
  return std::isfinite(sum) ? sum / (samples * samples) : 0;
}

// Where the lanes of transform `index` of a block begin in the image: of channel c and lane group g (tiles), or of tile t and
// channel group (kernels).
struct Lanes {
  std::int64_t channels[most_fft_lanes] = {};
  std::int32_t offsets[most_fft_lanes] = {};
  float shifts[most_fft_lanes] = {};  // what their pixels are added, once find_shifts() has read some

  Lanes(const FftRun& run, const FftTiles& block, std::int64_t index) noexcept {
    const FftPlan& plan = run.plan;
    const int lanes = plan.lanes();
    for (int l = 0; l < lanes; ++l) {
      const bool over_tiles = plan.over_tiles();
      const std::int64_t c = over_tiles
                                 ? index / block.places
                                 : std::min(index % run.channel_groups() * lanes + l, run.call.geometry.channels - 1);
      const Tile& tile = block.tiles[over_tiles ? index % block.places * lanes + l : index / run.channel_groups()];
      const Geometry& g = run.call.geometry;
      offsets[l] = static_cast<std::int32_t>(c * g.channel_stride + tile.y * g.row_stride + tile.x);
      channels[l] = c;
    }
  }
  void find_shifts(const FftRun& run) noexcept {
    for (int l = 0; l < run.plan.lanes(); ++l) {
      shifts[l] = -(run.call.tile_means ? tile_mean(run, offsets[l]) : run.call.means[channels[l]]);
    }
  }
};

// visit(first, end) for the image under rows of a transform; lines of a lane may continue those of the lane before.
template <typename Visit>
void each_row(const FftRun& run, const Lanes& lanes, RowRange rows, const Visit& visit) noexcept {
  const std::int64_t stride = run.call.geometry.row_stride;
  const auto columns =
      static_cast<std::int32_t>(std::min<std::int64_t>(run.plan.columns->size, run.call.geometry.image_width()));
  const float* row = run.call.image + rows.first * stride;
  for (int y = rows.first; y < rows.end; ++y, row += stride) {
    for (int l = 0; l < run.plan.lanes(); ++l) {
      std::int32_t first = lanes.offsets[l];
      if (l > 0 && first >= lanes.offsets[l - 1]) first = std::max(first, lanes.offsets[l - 1] + columns);
      visit(row + first, row + lanes.offsets[l] + columns);
    }
  }
}

// Whether lines are better fetched while the transform before is made.
bool few_lines(const FftRun& run) noexcept {
  const FftPlan& plan = run.plan;
  const auto floats = static_cast<double>(plan.rows->size * plan.columns->size * plan.lanes());
  return floats * sizeof(float) <= run.blocks.fft_lines_ahead * workspace_line;
}

// Rows of an image that is narrower than a tile: the lanes' one after the other, each with its mean behind it.
void copy_rows(const FftRun& run, Lanes& lanes, RowRange rows, float* copy) noexcept {
  const Geometry& g = run.call.geometry;
  float* to = copy;
  for (int l = 0; l < run.plan.lanes(); ++l) {
    const float* row = run.call.image + lanes.offsets[l] + rows.first * g.row_stride;
    lanes.offsets[l] = static_cast<std::int32_t>(to - copy);
    for (int y = rows.first; y < rows.end; ++y, row += g.row_stride, to += run.plan.columns->size) {
      std::copy_n(row, g.image_width(), to);
      std::fill(to + g.image_width(), to + run.plan.columns->size, -lanes.shifts[l]);
    }
  }
}

// Rows [first, end) of tiles, as tiles of their own.
int rows_of_tiles(const Tile* tiles, int count, int first, int end, Tile* parts) noexcept {
  int left = 0;  // rows that are not all skipped
  for (int t = 0; t < count; ++t) {
    parts[t] = tiles[t];
    parts[t].y += first;
    parts[t].skip_y = std::clamp(tiles[t].skip_y - first, 0, end - first);
    left = std::max(left, end - first - parts[t].skip_y);
  }
  return left;
}

}  // namespace

FftTiles tiles_in(const FftRun& run, std::int64_t first_place, std::int64_t places, void* memory) noexcept {
  const std::int64_t each = run.plan.over_tiles() ? run.plan.lanes() : 1;
  auto* tiles = static_cast<Tile*>(memory);
  return {tiles, reinterpret_cast<RedoFlag*>(tiles + places * each),
          std::min(run.plan.tiles() - first_place * each, places * each), places};
}

FftTiles place_tiles(const FftRun& run, std::int64_t first_place, std::int64_t places, void* memory) noexcept {
  const FftPlan& plan = run.plan;
  const std::int64_t each = plan.over_tiles() ? plan.lanes() : 1, first = first_place * each;
  const FftTiles made = tiles_in(run, first_place, places, memory);
  for (std::int64_t i = 0; i < places * each; ++i) {
    const std::int64_t tile = std::min(first + i, plan.tiles() - 1);
    made.tiles[i] = tile_at(run.call.geometry, plan.tile_rows, plan.tile_columns, plan.grid_columns, tile);
    new (made.redo + i) RedoFlag(false);
  }
  return made;
}

void fetch_later(const FftRun& run, const FftTiles& block, std::int64_t later, std::int64_t count) noexcept {
  if (later >= count || run.image_is_near || !few_lines(run)) return;
  each_row(run, Lanes(run, block, later), in_image(run, all_rows(run)), fetch_ahead);
}

void transform_rows(const FftRun& run, const FftTiles& block, std::int64_t index, RowRange rows, float* copy,
                    const Spectra& out) noexcept {
  const FftPlan& plan = run.plan;
  const RowRange exist = in_image(run, rows);
  Lanes lanes(run, block, index);
  lanes.find_shifts(run);
  const float* image = run.call.image + exist.first * run.call.geometry.row_stride;
  std::int64_t stride = run.call.geometry.row_stride;
  if (!run.image_is_near && !few_lines(run)) each_row(run, lanes, exist, fetch);
  if (plan.copied) {
    copy_rows(run, lanes, exist, copy);
    image = copy, stride = plan.columns->size;
  }
  const Spectra part{out.data + rows.first * out.y_stride, out.y_stride, out.x_stride};
  rows_forward(*plan.columns, plan.lanes(), image, lanes.offsets, lanes.shifts, stride, exist.end - exist.first, part);
  for (int x = 0; x < plan.bins(); ++x) {
    std::fill(out.data + x * out.x_stride + exist.end * out.y_stride,
              out.data + x * out.x_stride + rows.end * out.y_stride, 0.0f);
  }
}

void finish_tiles(const FftRun& run, const FftTiles& block, const Spectra& bins, std::int64_t place, std::int64_t k,
                  float* panel) noexcept {
  const FftPlan& plan = run.plan;
  const int lanes = plan.lanes(), rows = static_cast<int>(plan.tile_rows);
  const int columns = static_cast<int>(plan.tile_columns), stored = std::max(columns, lanes);
  std::int32_t offsets[most_fft_lanes] = {};
  for (int l = 0; l < lanes; ++l) offsets[l] = l * stored;
  Panel made{panel, stored, std::ptrdiff_t{lanes} * stored, rows, columns};
  int exist = static_cast<int>(std::min<std::int64_t>(lanes, block.count - place * lanes));  // tiles
  const Tile* tiles = block.tiles + place * lanes;
  if (!plan.over_tiles()) {
    exist = place < block.count ? 1 : 0;
    tiles = block.tiles + place;
    made.kernels = static_cast<int>(std::min<std::int64_t>(lanes, run.call.bank.count - k));
    made.kernel_stride = stored;
  }
  if (exist <= 0) return;
  // A part at a time leaves L2 for the caller's memory, or as scores: a panel of L tiles can be as large as L2.
  const auto finished = static_cast<int>(run.blocks.fft_finished_bytes / sizeof(float));
  const int at_once = std::max(1, finished / (lanes * stored));
  for (int first = 0; first < rows; first += at_once) {
    made.rows = std::min(at_once, rows - first);
    Tile parts[most_fft_lanes];
    if (rows_of_tiles(tiles, exist, first, first + made.rows, parts) == 0) continue;
    const Spectra part{bins.data + first * bins.y_stride, bins.y_stride, bins.x_stride};
    rows_inverse(*plan.columns, lanes, part, panel, offsets, made.row_stride, made.rows, stored);
    if (!scatter(run.call, k, made, parts, exist)) continue;
    for (int l = 0; l < lanes; ++l) {
      for (int y = 0; y < made.rows; ++y) {
        if (!any_not_finite(panel + y * made.row_stride + l * stored, static_cast<std::size_t>(columns))) continue;
        block.redo[plan.over_tiles() ? place * lanes + l : place].store(true, std::memory_order_relaxed);
        break;
      }
    }
  }
}

void redo_tiles(const FftRun& run, const FftTiles& block) noexcept {
  redo_tiles(run.call, block.tiles, block.redo, block.count, static_cast<int>(run.plan.tile_rows),
             static_cast<int>(run.plan.tile_columns));
}

void multiply_column(const FftPlan& plan, int x, FftProducts& call) noexcept {
  const int lanes = plan.lanes(), rows = plan.rows->size;
  call.bins = plan.multiplied(x);
  multiply(*plan.product, call);
  for (int y = call.bins; y < rows; ++y) {
    const float* from = call.y + (rows - y) * call.y_bin;
    float* to = call.y + y * call.y_bin;
    for (std::ptrdiff_t element = std::ptrdiff_t{call.positions} * call.kernels; element > 0; --element) {
      for (int l = 0; l < lanes; ++l, ++from, ++to) *to = *from;
      for (int l = 0; l < lanes; ++l, ++from, ++to) *to = -*from;
    }
  }
}

}  // namespace corrbank::detail
