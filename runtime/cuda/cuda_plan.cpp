#include "cuda/cuda_plan.h"

#include <cstdlib>
#include <cstring>

namespace corrbank::detail::cuda {
namespace {

// The cost model: issue slots of the busiest quarter of a streaming multiprocessor. Shares of multiply-adds in the hot
// loops are those that bench/results/ptx.json records; the rest is estimated. No GPU has confirmed it (2026-11-25).
constexpr int quarters = 4;  // of a multiprocessor: each issues one instruction of a warp a cycle
constexpr int warp_threads = 32;
constexpr int warp_pitch = 64;  // of a row of a patch in walk warp for any size (tiled_algorithm.h)
constexpr double staged_share = 0.90, thread_share = 0.84;
constexpr double single_tap_share = 0.78, single_tap_share_any_size = 0.60;
constexpr double staging_cycles = 5;  // of a warp, to bring 32 elements to shared memory
constexpr double block_cycles = 600;  // to start a block, and to wait for its first loads
constexpr double store_cycles = 2;    // of a warp, for a register of responses
constexpr int many_warps = 8;         // a quarter: the last ones no longer count as a wave of their own

std::int64_t quotient_up(std::int64_t a, std::int64_t b) noexcept { return (a + b - 1) / b; }

std::int64_t up(std::int64_t n, std::int64_t multiple) noexcept { return quotient_up(n, multiple) * multiple; }

// Rows for any size take the taps of a row of the kernels in fours, and what is left over one by one.
double multiply_add_share(const CudaKernel& kernel, const Geometry& g) noexcept {
  const double best = kernel.walk == TiledWalk::thread ? thread_share : staged_share;
  if (kernel.kernel_size == 1) return single_tap_share;
  if (kernel.kernel_size != 0) return best;
  const auto taps = static_cast<double>(g.kernel_width), single = static_cast<double>(g.kernel_width % 4);
  return taps / ((taps - single) / best + single / single_tap_share_any_size);
}

bool runs(const CudaKernel& kernel, const Geometry& g, const Gpu& gpu) noexcept {
  if (kernel.kernel_size != 0) {
    if (g.kernel_height != kernel.kernel_size || g.kernel_width != kernel.kernel_size) return false;
  } else if (kernel.walk == TiledWalk::warp && kernel.tile_columns + g.kernel_width - 1 > warp_pitch) {
    return false;
  }
  return kernel.shared_bytes(g.channels, g.kernel_height, g.kernel_width) <= gpu.shared_bytes();
}

std::int64_t blocks_of(const CudaKernel& kernel, const Geometry& g, std::int64_t kernels) noexcept {
  const std::int64_t kernel_tiles = quotient_up(kernels, kernel.tile_kernels);
  const std::int64_t row_tiles = quotient_up(g.height, kernel.tile_rows);
  // Walk thread: a block goes on in the next rows where some end.
  if (kernel.walk == TiledWalk::thread) return quotient_up(g.width * row_tiles, kernel.tile_columns) * kernel_tiles;
  return quotient_up(g.width, kernel.tile_columns) * row_tiles * kernel_tiles;
}

double cycles_of(const CudaKernel& kernel, const Geometry& g, std::int64_t kernels, const Gpu& gpu) noexcept {
  const double taps = static_cast<double>(g.channels * g.kernel_height * g.kernel_width);
  const double sums =
      static_cast<double>(kernel.tile_columns) * kernel.tile_rows * kernel.tile_kernels / kernel.threads;
  const double patch = static_cast<double>(kernel.tile_columns + g.kernel_width - 1) *
                       static_cast<double>(kernel.tile_rows + g.kernel_height - 1) * static_cast<double>(g.channels);
  double staged = 0;
  if (kernel.walk != TiledWalk::thread) staged += patch;
  if (kernel.walk == TiledWalk::warp) staged += taps * kernel.tile_kernels;
  const double warp_cycles = taps * sums / multiply_add_share(kernel, g) + staged / kernel.threads * staging_cycles +
                             sums * store_cycles + block_cycles;
  const double warps = static_cast<double>(blocks_of(kernel, g, kernels)) * (kernel.threads / warp_threads);
  const std::int64_t slots = std::int64_t{gpu.processors()} * quarters;
  const double each = warps / static_cast<double>(slots);
  const auto waves =
      each < many_warps ? static_cast<double>(quotient_up(static_cast<std::int64_t>(warps), slots)) : each;
  return waves * warp_cycles;
}

}  // namespace

// What generators/direct/schedules/cuda.cpp stages: rounded up to whole turns of a warp or to vectors of four.
std::int64_t CudaKernel::shared_bytes(std::int64_t all_channels, std::int64_t kernel_height,
                                      std::int64_t kernel_width) const noexcept {
  const std::int64_t columns = tile_columns + kernel_width - 1, rows = tile_rows + kernel_height - 1;
  switch (walk) {
    case TiledWalk::thread: return 0;
    case TiledWalk::patch: return 4 * all_channels * rows * up(columns, 4);
    case TiledWalk::warp: break;
  }
  if (kernel_size == 0) return 4 * up(warp_pitch * (rows - 1) + columns, warp_threads);
  return 4 * channels * up(columns * rows, warp_threads) +
         16 * up(kernel_height * kernel_width * channels * tile_kernels / 4, warp_threads);
}

CudaPlan plan_direct(const Geometry& g, const PackedBank& bank, const Gpu& gpu) noexcept {
  const char* wanted = std::getenv("CORRBANK_CUDA_KERNEL");
  CudaPlan best{};
  for (const CudaKernel& kernel : all_cuda_kernels()) {
    if (!runs(kernel, g, gpu)) continue;
    const double cycles = cycles_of(kernel, g, bank.count, gpu);
    const bool forced = wanted != nullptr && std::strcmp(wanted, kernel.name) == 0;
    if (best.kernel == nullptr || forced || cycles < best.predicted_cycles) {
      best = {&kernel, blocks_of(kernel, g, bank.count), cycles, 0};
    }
    if (forced) break;
  }
  best.ideal_cycles = static_cast<double>(bank.taps()) * static_cast<double>(bank.count) *
                      static_cast<double>(g.height * g.width) /
                      (static_cast<double>(gpu.processors()) * quarters * warp_threads);
  return best;
}

}  // namespace corrbank::detail::cuda
