// What runs of the direct algorithm: its tasks, and the kernel calls of each.
#include <algorithm>
#include <cstddef>
#include <utility>

#include "call.h"
#include "direct/direct.h"
#include "scatter.h"
#include "threads.h"

namespace corrbank::detail {
namespace {

// Calls run(part) for parts of a call, of at most so many taps each.
template <typename Run>
void for_each_part(const KernelCall& call, int most_taps, const Run& run) noexcept {
  const int inner = call.inner_tap_count, outer = call.outer_tap_count;
  const int inner_parts = static_cast<int>(quotient_up(inner, most_taps));
  const int outer_block = std::max(1, most_taps / inner);
  KernelCall some = call;
  for (int o = 0; o < outer; o += outer_block) {
    some.outer_taps = call.outer_taps + o;
    some.outer_tap_count = std::min(outer_block, outer - o);
    for (int i = 0; i < inner_parts; ++i) {
      const auto first = static_cast<int>(part(inner, i, inner_parts));
      some.inner_taps = call.inner_taps + first;
      some.inner_tap_count = static_cast<int>(part(inner, i + 1, inner_parts)) - first;
      some.bank = call.bank + (std::ptrdiff_t{o} * inner + first) * call.tap_stride;
      run(some);
    }
  }
}

// Runs tiles of the pixels walk through a panel, and moves each panel out row by row, or whole where the rows of the
// responses follow each other without gaps. The taps of a part are summed for all tiles of the panel: what they have of the
// bank stays in L2.
void run_pixels(const Kernel& kernel, KernelCall call, int kernels, int part_taps) noexcept {
  alignas(64) float panel[panel_kernels * panel_pixels];
  float* const responses = call.responses;
  const int last_tile = call.end_tile;
  const int tiles = panel_pixels / kernel.positions;
  const bool gaps = call.response_row_stride != call.width;
  call.responses = panel;
  for (; call.first_tile < last_tile; call.first_tile += tiles) {
    call.end_tile = std::min(call.first_tile + tiles, last_tile);
    std::fill_n(panel, kernel.tile_kernels() * panel_pixels, 0.0f);
    for_each_part(call, part_taps, [&kernel](const KernelCall& some) { run_kernel(kernel, some); });
    const std::int64_t first = std::int64_t{call.first_tile} * kernel.positions;
    const std::int64_t end =
        std::min<std::int64_t>(std::int64_t{call.end_tile} * kernel.positions, std::int64_t{call.rows} * call.width);
    for (std::int64_t pixel = first; pixel < end;) {
      const std::int64_t y = pixel / call.width, x = pixel % call.width;
      const int count = static_cast<int>(gaps ? std::min(end - pixel, call.width - x) : end - pixel);
      unpack(*kernel.target, panel + (pixel - first) * block_kernels, count, kernels,
             responses + y * call.response_row_stride + x, call.response_kernel_stride);
      pixel += count;
    }
  }
}

// All responses of a band of some kernels.
void run_tile(const Kernel& kernel, const KernelCall& call, int kernels) noexcept {
  if (kernel.walk == Walk::pixels) {
    run_pixels(kernel, call, kernels, tap_block);
  } else {
    run_kernel(kernel, call);
  }
}

// The same in sums of short_sum_taps: those of the rows walk, but for the first ones, by way of `part`.
void run_tile_in_short_sums(const Kernel& kernel, const KernelCall& call, int kernels, float* part) noexcept {
  if (kernel.walk == Walk::pixels) return run_pixels(kernel, call, kernels, short_sum_taps);
  if (kernel.walk == Walk::strips || kernel.constants.inner_taps != 0) return run_kernel(kernel, call);
  bool first = true;
  for_each_part(call, short_sum_taps, [&](KernelCall some) {
    if (std::exchange(first, false)) return run_kernel(kernel, some);
    some.responses = part;
    some.response_row_stride = call.width, some.response_kernel_stride = call.rows * call.width;
    run_kernel(kernel, some);
    const float* from = part;
    for (int k = 0; k < kernels; ++k) {
      for (int y = 0; y < call.rows; ++y, from += call.width) {
        float* to = call.responses + std::ptrdiff_t{k} * call.response_kernel_stride +
                    std::ptrdiff_t{y} * call.response_row_stride;
        for (int x = 0; x < call.width; ++x) to[x] += from[x];
      }
    }
  });
}

// The responses of a task: some of the rows, or, where there is but one, some of its columns.
struct Band {
  std::int64_t first_row, rows, first_column, columns;
};

Band band_of(const Geometry& g, const DirectPlan& plan, int index) noexcept {
  const bool along_row = g.height == 1;
  const std::int64_t whole = along_row ? g.width : g.height;
  const std::int64_t first = part(whole, index, plan.bands), count = part(whole, index + 1, plan.bands) - first;
  return along_row ? Band{0, 1, first, count} : Band{first, count, 0, g.width};
}

// What all calls of a band have in common.
KernelCall kernel_call(const Call& call, const Band& band) noexcept {
  const Geometry& g = call.geometry;
  const TapTables& taps = call.direct.taps;
  KernelCall k{};
  k.image = call.image + band.first_row * g.row_stride + band.first_column;
  k.inner_taps = call.taps.inner();
  k.outer_taps = call.taps.outer();
  k.inner_tap_count = static_cast<int>(taps.inner);
  k.outer_tap_count = static_cast<int>(taps.outer);
  k.channels = static_cast<int>(g.channels);
  k.plane_taps = static_cast<int>(g.kernel_height * g.kernel_width);
  k.width = static_cast<int>(band.columns);
  k.rows = static_cast<int>(band.rows);
  k.image_channel_stride = static_cast<int>(g.channel_stride);
  k.image_row_stride = static_cast<int>(g.row_stride);
  k.response_row_stride = static_cast<int>(g.response_row_stride);
  k.response_kernel_stride = static_cast<int>(call.response_kernel_stride);
  return k;
}

// A tile's kernels from `first` of the bank on.
void choose_kernels(const Call& call, const Kernel& kernel, std::int64_t first, KernelCall& k) noexcept {
  const int lanes = kernel.target->lanes;
  k.bank = call.bank.kernel(first);
  k.tap_stride = call.bank.block_width(first);
  // Vectors of 16 lanes are whole blocks; narrower ones lie side by side in one.
  k.vector_stride = lanes == block_kernels ? static_cast<int>(block_kernels * call.bank.taps()) : lanes;
}

// One task: a band, for one group of the bank's kernel tiles.
void run_task(void* argument, int index) noexcept {
  const Call& call = *static_cast<const Call*>(argument);
  const Geometry& g = call.geometry;
  const DirectPlan& plan = call.direct;
  const int group = index / plan.bands;
  const Band band = band_of(g, plan, index % plan.bands);
  const std::int64_t first_tile = part(plan.kernel_tiles(), group, plan.kernel_groups);
  const std::int64_t end_tile = part(plan.kernel_tiles(), group + 1, plan.kernel_groups);
  const std::int64_t chunks = std::max<std::int64_t>(1, band.rows * band.columns / plan.chunk_pixels);

  KernelCall k = kernel_call(call, band);
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    std::int64_t tile = 0;  // counts the kernel tiles of all segments
    for (int s = 0; s < plan.segment_count; ++s) {
      const Segment& segment = plan.segments[s];
      const Kernel& kernel = *segment.kernel;
      const std::int64_t image_tiles = kernel.image_tiles(band.rows, band.columns);
      k.first_tile = static_cast<int>(part(image_tiles, chunk, chunks));
      k.end_tile = static_cast<int>(part(image_tiles, chunk + 1, chunks));
      for (std::int64_t t = 0; t < segment.tiles(); ++t, ++tile) {
        if (tile < first_tile || tile >= end_tile || k.first_tile == k.end_tile) continue;
        const std::int64_t first = segment.first + t * kernel.tile_kernels();
        choose_kernels(call, kernel, first, k);
        const auto exist =
            static_cast<int>(std::min<std::int64_t>(kernel.tile_kernels(), segment.first + segment.count - first));
        k.responses = call.responses + first * call.response_kernel_stride + band.first_row * g.response_row_stride +
                      band.first_column;
        run_tile(kernel, k, exist);
      }
    }
  }
}

}  // namespace

void TapMemory::fill(const Geometry& g, const TapTables& taps) noexcept {
  const std::lock_guard<std::mutex> lock(filling_);
  if (filled_) return;
  filled_ = true;
  // The inner table ends with a row of a kernel or with whole channels of it.
  const std::int64_t plane = g.kernel_height * g.kernel_width;
  const std::int64_t rows = taps.inner < plane ? 1 : g.kernel_height, channels = taps.inner / (rows * g.kernel_width);
  std::int32_t* to = inner_;
  for (std::int64_t c = 0; c < channels; ++c) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t row = c * g.channel_stride + i * g.row_stride;
      for (std::int64_t j = 0; j < g.kernel_width; ++j) *to++ = static_cast<std::int32_t>(row + j);
    }
  }
  to = outer_;
  for (std::int64_t c = 0; c < g.channels; c += channels) {
    for (std::int64_t i = 0; i < g.kernel_height; i += rows) {
      *to++ = static_cast<std::int32_t>(c * g.channel_stride + i * g.row_stride);
    }
  }
}

void run_direct(const Call& call) noexcept {
  call.taps.fill(call.geometry, call.direct.taps);
  run_tasks(call.options, call.direct.tasks(), run_task, const_cast<Call*>(&call));
}

void run_direct_tile(const Call& call, const Tile& tile) noexcept {
  call.taps.fill(call.geometry, call.direct.taps);
  const Geometry& g = call.geometry;
  KernelCall k = kernel_call(call, {0, g.height, 0, g.width});
  for (int s = 0; s < call.direct.segment_count; ++s) {
    const Segment& segment = call.direct.segments[s];
    const Kernel& kernel = *segment.kernel;
    k.end_tile = static_cast<int>(kernel.image_tiles(g.height, g.width));
    const std::int64_t end = segment.first + segment.count;
    for (std::int64_t first = segment.first; first < end; first += kernel.tile_kernels()) {
      choose_kernels(call, kernel, first, k);
      Panel panel{call.responses, 0, static_cast<std::ptrdiff_t>(g.response_row_stride), k.rows, k.width};
      panel.kernels = static_cast<int>(std::min<std::int64_t>(kernel.tile_kernels(), end - first));
      panel.kernel_stride = static_cast<std::ptrdiff_t>(call.response_kernel_stride);
      panel.spreads = false;
      call.sink->place(first, tile, panel);
      k.responses = panel.data;
      k.response_row_stride = static_cast<int>(panel.row_stride);
      k.response_kernel_stride = static_cast<int>(panel.kernel_stride);
      run_tile_in_short_sums(kernel, k, panel.kernels, reinterpret_cast<float*>(call.workspace));
      if (call.sink->take(first, panel, &tile, 1)) call.sink->refuse(tile, panel.rows, panel.columns);
    }
  }
}

void run_direct_part(const Call& call, std::int64_t y, std::int64_t x, std::int64_t rows,
                     std::int64_t columns) noexcept {
  call.taps.fill(call.geometry, call.direct.taps);  // they hold for any extents
  Call part = call;
  part.geometry.height = rows;
  part.geometry.width = columns;
  part.direct = plan_direct(part.geometry, call.bank, 1);
  part.image += y * call.geometry.row_stride + x;
  part.responses += y * call.geometry.response_row_stride + x;
  for (int task = 0; task < part.direct.tasks(); ++task) run_task(&part, task);
}

}  // namespace corrbank::detail
