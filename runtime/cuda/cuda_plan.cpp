#include "cuda/cuda_plan.h"

#include <cstdlib>
#include <cstring>

namespace corrbank::detail::cuda {
namespace {

// The cost model: issue slots of the busiest quarter of a streaming multiprocessor. Instructions of the hot loops are fitted
// to what bench/results/ptx.json records (2026-11-25); the rest is estimated, and no GPU has confirmed it.
constexpr int quarters = 4;  // of a multiprocessor: each issues one instruction of a warp a cycle
constexpr int warp_threads = 32;
constexpr int warp_pitch = 64;        // of a row of a patch in walk warp for any size (tiled_algorithm.h)
constexpr double patch_columns = 4;   // of a thread in walk patch
constexpr double staging_cycles = 5;  // of a warp, to bring 32 elements to shared memory
constexpr double block_cycles = 600;  // to start a block, and to wait for its first loads
constexpr double store_cycles = 2;    // of a warp, for a register of responses
constexpr int many_warps = 8;         // a quarter: the last ones no longer count as a wave of their own

// Instructions of a thread for a tap that are no multiply-adds: loads of weights, four at a time, and of the pixels of
// each row, and what addresses and loops take.
struct Overhead {
  double row, tap;
};

Overhead overhead_of(const CudaKernel& kernel) noexcept {
  switch (kernel.walk) {
    case TiledWalk::thread: return {kernel.kernel_size == 1 ? 3.3 : 2, 2};
    case TiledWalk::patch: return {1.2, 3.6};
    case TiledWalk::warp: break;
  }
  if (kernel.kernel_size == 0) return {2, 1};
  return {kernel.kernel_size == 3 ? 0.4 : 1, 1};  // all rows of a small kernel share what they load
}

// Instructions for a tap of a thread with `sums` responses.
double tap_instructions(const CudaKernel& kernel, const Geometry& g, double sums) noexcept {
  const Overhead overhead = overhead_of(kernel);
  const double columns = kernel.walk == TiledWalk::patch ? patch_columns : 1;
  const double other = kernel.tile_kernels / 4.0 + overhead.row * sums / columns / kernel.tile_kernels + overhead.tap;
  // Rows for any size take the taps of a kernel's row in fours, and what is left over one by one.
  const double left_over = kernel.kernel_size != 0 ? 0 : static_cast<double>(g.kernel_width % 4);
  return sums + other * (1 + left_over / static_cast<double>(g.kernel_width));
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
  const double warp_cycles = taps * tap_instructions(kernel, g, sums) + staged / kernel.threads * staging_cycles +
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
    case TiledWalk::patch: return 4 * all_channels * rows * round_up(columns, 4);
    case TiledWalk::warp: break;
  }
  if (kernel_size == 0) return 4 * round_up(warp_pitch * (rows - 1) + columns, warp_threads);
  return 4 * channels * round_up(columns * rows, warp_threads) +
         16 * round_up(kernel_height * kernel_width * channels * tile_kernels / 4, warp_threads);
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
