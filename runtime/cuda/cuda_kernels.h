// The rows of target "cuda": what generators/tuned lists for it, as data, and the way into them.
#pragma once

#include <cstdint>

#include "cuda/gpu.h"
#include "kernels.h"

namespace corrbank::detail::cuda {

// How a block reaches image and kernels (generators/direct/tiled_algorithm.h).
enum class TiledWalk {
  warp,    // one warp; image and kernels staged in shared memory, some channels at a time
  thread,  // through the L1 cache
  patch,   // many warps; a patch of the image in shared memory, all channels at once
};

struct CudaKernel {
  const char* name;
  TiledWalk walk;
  int tile_columns, tile_rows, tile_kernels;  // responses of a block
  int threads;                                // of a block
  int kernel_size;                            // the taps of a side it was made for, or 0: any
  int channels;                               // staged at a time
  void (*function)();                         // cast back by launch()
  // Machine code for some GPUs, or null. Where it does not serve, the PTX that the kernel carries does.
  const unsigned char* fatbin;

  // Shared memory of a block, in bytes.
  [[nodiscard]] std::int64_t shared_bytes(std::int64_t all_channels, std::int64_t kernel_height,
                                          std::int64_t kernel_width) const noexcept;
};

Table<CudaKernel> all_cuda_kernels() noexcept;

// Elements that a kernel can address in a buffer: its offsets have 32 bits.
constexpr std::int64_t max_span = 0x7fffffff;

// One launch: all responses of neighbouring kernels. Addresses are the device's. No buffer spans more than max_span, and
// the extents of image and responses are the callers' own.
struct CudaCall {
  Address image, bank, responses;
  int channels, height, width;  // of the image
  int image_channel_stride, image_row_stride;
  int kernels, kernel_height, kernel_width;
  int bank_tap_stride;  // elements from one tap to the next: all kernels of the bank, padding included
  int response_kernel_stride, response_row_stride;
};

// Puts the call on the stream.
Status launch(Gpu& gpu, const CudaKernel& kernel, const CudaCall& call, Stream stream) noexcept;

// Loads what the call would run onto the GPU, if it is not there yet. Addresses may be 0.
Status load(Gpu& gpu, const CudaKernel& kernel, const CudaCall& call) noexcept;

}  // namespace corrbank::detail::cuda
