#include "direct/direct.h"

#include <algorithm>

#include "costs.h"

namespace corrbank::detail {
namespace {

// The cost model: cycles by multiply-adds and loads, and what costs.h has of each target beside them. Only ratios between
// kernel rows matter to the choice of rows.
constexpr double fma_per_cycle = 2;
constexpr double loads_per_cycle = 2;
constexpr double few_sums = 8;  // as many as are under way at once
constexpr double few_row_taps = 16;
constexpr std::int64_t line_bytes = 64;
constexpr std::int64_t l2_way_bytes = 64 << 10;
constexpr std::int64_t l2_ways = 16;
constexpr std::int64_t foreseen_rows = 32;
constexpr double l3_bytes_per_cycle = 8;  // of an image that L2 cannot keep between one row and the next
constexpr std::int64_t few_channels = 4;
constexpr std::int64_t least_chunk_pixels = 64;    // for which the whole bank is read
constexpr std::int64_t max_band_pixels = 1 << 29;  // keeps 32-bit numbers in the kernels far from overflow
constexpr int min_tiles_per_band = 16;
constexpr int max_tasks = 4096;

// The inner table holds as many whole channels as divide them evenly and fit a block: the longer the inner loop, the
// less the outer one costs.
TapTables tap_tables(const Geometry& g) noexcept {
  const std::int64_t plane = g.kernel_height * g.kernel_width;
  if (plane > tap_block) return {g.kernel_width, g.channels * g.kernel_height};
  std::int64_t group = std::min(g.channels, tap_block / plane);
  while (g.channels % group != 0) --group;
  return {group * plane, g.channels / group};
}

bool is_constant(int constant, std::int64_t value) noexcept { return constant == 0 || constant == value; }

bool runs(const Kernel& kernel, const Geometry& g) noexcept {
  if (kernel.walk == Walk::pixels) return true;
  if (g.width < kernel.target->lanes) return false;
  const TapTables taps = tap_tables(g);
  const ConstantGeometry& constant = kernel.constants;
  // A single row is cut into bands of its columns.
  if (constant.width != 0 && g.height == 1) return false;
  if (!is_constant(constant.width, g.width) || !is_constant(constant.inner_taps, taps.inner) ||
      !is_constant(constant.outer_taps, taps.outer)) {
    return false;
  }
  return kernel.walk == Walk::rows || (g.kernel_height == kernel.kernel_size && g.kernel_width == kernel.kernel_size &&
                                       g.height >= kernel.positions);
}

// The model of one image and target.
struct Model {
  const Geometry& geometry;
  const DirectCosts& costs;
};

// A vector load from any column crosses a cache line (lanes - 1) / 16 of the time, and then counts more.
double column_load(const Kernel& kernel, const DirectCosts& costs) noexcept {
  return 1 + (kernel.target->lanes - 1) / 16.0 * costs.line_crossing;
}

// Cycles of a tile of the rows or pixels walk.
double tile_cycles(const Kernel& kernel, const Model& model) noexcept {
  const auto& [g, costs] = model;
  const double taps = static_cast<double>(g.channels * g.kernel_height * g.kernel_width);
  const double sums = kernel.positions * kernel.vectors;
  const double sum_cycles = sums / fma_per_cycle * (sums <= few_sums ? costs.few_sums_delay : 1);
  if (kernel.walk == Walk::pixels) {
    const double loads = kernel.positions + kernel.vectors;
    return taps * std::max(sum_cycles, loads / loads_per_cycle) * costs.pixel_reloads + costs.tile_overhead +
           costs.position_overhead * kernel.positions + costs.unpacking * kernel.positions * kernel.tile_kernels();
  }
  const double loads = kernel.positions * column_load(kernel, costs) + kernel.vectors;
  const std::int64_t tile_width = std::int64_t{kernel.positions} * kernel.target->lanes + g.kernel_width - 1;
  const auto bytes = static_cast<double>(g.channels * g.kernel_height * (tile_width * 4 + line_bytes));
  const bool in_l1 = bytes <= costs.l1_bytes;
  // A row that comes from L2 is waited for once, however many taps read it.
  const double wait = std::min(1.0, few_row_taps / static_cast<double>(g.kernel_width));
  double from_l2 = in_l1 ? 1 : 1 + (costs.image_from_l2 - 1) * wait;
  if (g.kernel_height * g.kernel_width == 1) from_l2 = costs.image_once;
  return taps * std::max(sum_cycles * from_l2, loads / loads_per_cycle) + costs.tile_overhead +
         costs.position_overhead * kernel.positions + sums;
}

// Cycles of all strips: for each channel and vector of columns, the sums are read and written once; first they are zeroed.
double strips_cycles(const Kernel& kernel, const Model& model) noexcept {
  const auto& [g, costs] = model;
  const double size = kernel.kernel_size, sums = kernel.positions * kernel.vectors;
  const double loads =
      (kernel.positions + size - 1) * size * column_load(kernel, costs) + size * size * kernel.vectors + 2 * sums;
  const double vector = std::max(size * size * sums / fma_per_cycle, loads / loads_per_cycle) * costs.strip_spills;
  const std::int64_t rows = quotient_up(g.height, kernel.positions);
  const auto vectors = static_cast<double>(rows * quotient_up(g.width, kernel.target->lanes));
  const auto strips = static_cast<double>(kernel.image_tiles(g.height, g.width));
  return static_cast<double>(g.channels) * (vectors * vector + strips * costs.strip_overhead) +
         vectors * sums * costs.strip_zero;
}

// Cycles of one column of tiles: all responses of the kernels of one tile.
double column_cycles(const Kernel& kernel, const Model& model) noexcept {
  const Geometry& g = model.geometry;
  const double factor = model.costs.rows.of(kernel.number);
  if (kernel.walk == Walk::strips) return factor * strips_cycles(kernel, model);
  return factor * tile_cycles(kernel, model) * static_cast<double>(kernel.image_tiles(g.height, g.width));
}

// What a segment waits for the image where all planes share the same sets of L2: tiles that visit every channel in turn
// then fetch each row anew for each row of the kernels.
double conflict_cycles(const Kernel& kernel, const Geometry& g) noexcept {
  const bool conflicts = g.channels > l2_ways && g.channel_stride * 4 % l2_way_bytes == 0;
  if (!conflicts || kernel.walk == Walk::strips) return 0;
  return 4.0 * static_cast<double>(g.channels * g.height * g.width * g.kernel_height) / l3_bytes_per_cycle;
}

// What the first kernels to see an image that no cache holds wait for it: long if a tile reads more rows of it side by side
// than the processor foresees. Strips, which go through a channel after the other, do not wait.
double memory_cycles(const Segment& segment, const Model& model) noexcept {
  const Geometry& g = model.geometry;
  if (segment.kernel->walk == Walk::strips || segment.first > 0) return 0;
  const bool foreseen = g.channels * g.kernel_height <= foreseen_rows;
  const double byte = foreseen ? model.costs.streamed_byte : model.costs.uncached_byte;
  const double bytes = g.image_bytes();
  return std::max(0.0, bytes - model.costs.cached_bytes) * byte / model.costs.cycle_ns;
}

double segment_cycles(const Segment& segment, const Model& model) noexcept {
  return column_cycles(*segment.kernel, model) * static_cast<double>(segment.tiles()) +
         conflict_cycles(*segment.kernel, model.geometry) + memory_cycles(segment, model);
}

// A way to cover a number of kernels with kernel rows.
struct Cover {
  Segment segments[DirectPlan::max_segments];
  int count = 0;
  double cycles = -1;  // negative: impossible

  void add(const Segment& segment, const Model& model) noexcept {
    cycles = std::max(cycles, 0.0) + segment_cycles(segment, model);
    if (count > 0 && segments[count - 1].kernel == segment.kernel) {
      segments[count - 1].count += segment.count;
    } else {
      segments[count++] = segment;
    }
  }
};

const Cover& cheaper(const Cover& a, const Cover& b) noexcept {
  if (a.cycles < 0) return b;
  return b.cycles >= 0 && b.cycles < a.cycles ? b : a;
}

// Full blocks with one rows tile that divides a block, or with pixels tiles of whole blocks.
Cover cover_blocks(std::int64_t blocks, const PackedBank& bank, const Model& model) noexcept {
  Cover best;
  const Kernel* by_blocks[5] = {};  // pixels rows by the number of blocks in a tile
  for (const Kernel& kernel : all_kernels()) {
    if (kernel.target != bank.target || !runs(kernel, model.geometry)) continue;
    const int width = kernel.tile_kernels();
    if (kernel.walk != Walk::pixels && block_kernels % width == 0) {
      Cover cover;
      cover.add({&kernel, 0, blocks * block_kernels}, model);
      best = cheaper(best, cover);
    } else if (kernel.walk == Walk::pixels && width / block_kernels < 5) {
      by_blocks[width / block_kernels] = &kernel;
    }
  }
  // Any number of blocks is one size repeated, and at most one tile of each of two other sizes.
  for (int main = 1; main < 5; ++main) {
    if (by_blocks[main] == nullptr) continue;
    for (int a = 0; a < 5; ++a) {
      for (int b = 0; b <= a; ++b) {
        const std::int64_t left = blocks - a - b;
        if (left < 0 || left % main != 0 || (a > 0 && by_blocks[a] == nullptr) || (b > 0 && by_blocks[b] == nullptr)) {
          continue;
        }
        Cover cover;
        std::int64_t first = 0;
        const auto append = [&](int size, std::int64_t count) {
          if (count == 0) return;
          cover.add({by_blocks[size], first, count * block_kernels}, model);
          first += count * block_kernels;
        };
        append(main, left);
        if (a > 0) append(a, a);
        if (b > 0) append(b, b);
        best = cheaper(best, cover);
      }
    }
  }
  return best;
}

// The last block, of `count` < 16 kernels: rows tiles of falling width, or one pixels tile with idle lanes.
Cover cover_rest(std::int64_t first, int count, const PackedBank& bank, const Model& model) noexcept {
  Cover covers[block_kernels];  // [n]: the cheapest for the last n kernels
  covers[0].cycles = 0;
  for (int n = 1; n <= count; ++n) {
    const std::int64_t begin = first + count - n;
    for (const Kernel& kernel : all_kernels()) {
      if (kernel.target != bank.target || !runs(kernel, model.geometry)) continue;
      const int width = kernel.tile_kernels();
      Cover cover;
      if (kernel.walk != Walk::pixels) {
        if (width > n || covers[n - width].count == DirectPlan::max_segments / 2) continue;
        cover.add({&kernel, begin, width}, model);
        for (int s = 0; s < covers[n - width].count; ++s) cover.add(covers[n - width].segments[s], model);
      } else if (n == count && width == block_kernels) {
        cover.add({&kernel, begin, n}, model);
      } else {
        continue;
      }
      covers[n] = cheaper(covers[n], cover);
    }
  }
  return covers[count];
}

void cut_into_tasks(DirectPlan& plan, const Geometry& g, int threads, const Blocks& blocks) noexcept {
  const auto wanted = threads > 1 ? static_cast<std::int64_t>(threads * blocks.direct_tasks_per_thread) : 1;
  // A band has at least one row and what a strip needs; of a single row, one vector.
  std::int64_t most_bands = g.height == 1 ? std::max<std::int64_t>(1, g.width / block_kernels) : g.height;
  for (int s = 0; s < plan.segment_count; ++s) {
    const Kernel& kernel = *plan.segments[s].kernel;
    if (kernel.walk == Walk::strips) most_bands = std::min(most_bands, g.height / kernel.positions);
  }
  most_bands = std::min<std::int64_t>(most_bands, max_tasks);
  const std::int64_t worthwhile = plan.segments[0].kernel->image_tiles(g.height, g.width) / min_tiles_per_band;
  const std::int64_t needed = quotient_up(g.height * g.width, max_band_pixels);
  const std::int64_t bands = std::max({std::int64_t{1}, std::min(wanted, worthwhile), needed});
  plan.bands = static_cast<int>(std::min(bands, most_bands));
  // Equal groups: one of a tile more than the others would be waited for.
  const std::int64_t groups = std::min(quotient_up(wanted, plan.bands), plan.kernel_tiles());
  plan.kernel_groups = static_cast<int>(quotient_up(plan.kernel_tiles(), plan.kernel_tiles() / groups));
}

}  // namespace

std::int64_t Kernel::image_tiles(std::int64_t rows, std::int64_t width) const noexcept {
  if (walk == Walk::pixels) return quotient_up(rows * width, positions);
  const std::int64_t row_vectors = quotient_up(width, target->lanes);
  if (walk == Walk::rows) return quotient_up(rows * row_vectors, positions);
  return quotient_up(rows, positions) * quotient_up(row_vectors, strip_vectors);
}

std::int64_t DirectPlan::kernel_tiles() const noexcept {
  std::int64_t tiles = 0;
  for (int s = 0; s < segment_count; ++s) tiles += segments[s].tiles();
  return tiles;
}

int DirectPlan::tile_kernels() const noexcept {
  int most = 0;
  for (int s = 0; s < segment_count; ++s) most = std::max(most, segments[s].kernel->tile_kernels());
  return most;
}

namespace {

// What follows from the segments and their cycles.
void complete(DirectPlan& plan, const Model& model, const PackedBank& bank, int threads) noexcept {
  const Geometry& g = model.geometry;
  plan.nanoseconds = plan.predicted_cycles * model.costs.cycle_ns;
  plan.ideal_cycles = static_cast<double>(bank.taps()) * static_cast<double>(bank.count) *
                      static_cast<double>(g.height * g.width) / (bank.target->lanes * fma_per_cycle);
  plan.taps = tap_tables(g);
  plan.chunk_pixels = g.height * g.width;
  const Blocks& blocks = costs(*bank.target).blocks;
  if (g.channels > few_channels) {
    const auto bytes = static_cast<std::int64_t>(blocks.direct_chunk_bytes);
    plan.chunk_pixels =
        std::max<std::int64_t>(least_chunk_pixels, bytes / (4 * g.channels * g.kernel_height) - g.kernel_width);
  }
  cut_into_tasks(plan, g, threads, blocks);
}

}  // namespace

DirectPlan plan_direct(const Geometry& g, const PackedBank& bank, int threads) noexcept {
  DirectPlan plan;
  const std::int64_t blocks = bank.count / block_kernels;
  const int rest = static_cast<int>(bank.count % block_kernels);
  const Model model{g, costs(*bank.target).direct};
  const auto append = [&plan](const Cover& cover) {
    for (int s = 0; s < cover.count; ++s) plan.segments[plan.segment_count++] = cover.segments[s];
    plan.predicted_cycles += cover.cycles;
  };
  if (blocks > 0) append(cover_blocks(blocks, bank, model));
  if (rest > 0) append(cover_rest(blocks * block_kernels, rest, bank, model));
  complete(plan, model, bank, threads);
  return plan;
}

DirectPlan plan_direct_row(const Segment& segment, const Geometry& g, const PackedBank& bank, int threads) noexcept {
  DirectPlan plan;
  if (segment.kernel->target != bank.target || segment.count < 1 || !runs(*segment.kernel, g)) return plan;
  const Model model{g, costs(*bank.target).direct};
  plan.segments[plan.segment_count++] = segment;
  plan.predicted_cycles = segment_cycles(segment, model);
  complete(plan, model, bank, threads);
  return plan;
}

}  // namespace corrbank::detail
