// Where Halide's CPU kernels meet corrbank: their table and their arguments.
#include <algorithm>
#include <climits>
#include <cstddef>
#include <type_traits>

#include "halide_buffer.h"
#include "kernels.h"

namespace corrbank::detail {
namespace {

using TileFunction = int(halide_buffer_t* image, halide_buffer_t* bank, halide_buffer_t* inner, halide_buffer_t* outer,
                         int32_t width, int32_t rows, int32_t image_row_stride, int32_t response_row_stride,
                         int32_t first_tile, int32_t end_tile, halide_buffer_t* responses);
using StripFunction = int(halide_buffer_t* image, halide_buffer_t* bank, int32_t width, int32_t rows,
                          int32_t response_row_stride, int32_t first_strip, int32_t end_strip,
                          halide_buffer_t* responses);
using UnpackFunction = int(halide_buffer_t* panel, halide_buffer_t* responses);
template <Walk walk>
using FunctionOf = std::conditional_t<walk == Walk::strips, StripFunction, TileFunction>;

}  // namespace

extern "C" {
#define CORRBANK_TARGET(target, lanes, unpack) UnpackFunction unpack;
#define CORRBANK_KERNEL(target, walk, positions, vectors, size, width, inner, outer, name, symbol) \
  FunctionOf<Walk::walk> symbol;
#include "kernels.inc"
#undef CORRBANK_TARGET
#undef CORRBANK_KERNEL
}

namespace {

enum TargetIndex {
#define CORRBANK_TARGET(target, lanes, unpack) target_##target,
#define CORRBANK_KERNEL(target, walk, positions, vectors, size, width, inner, outer, name, symbol)
#include "kernels.inc"
#undef CORRBANK_TARGET
#undef CORRBANK_KERNEL
#ifdef CORRBANK_WITH_CUDA
  target_cuda,
#endif
  target_count
};

const Target target_table[] = {
#define CORRBANK_TARGET(target, lanes, unpack) {#target, DeviceType::cpu, lanes, reinterpret_cast<void (*)()>(&unpack)},
#define CORRBANK_KERNEL(target, walk, positions, vectors, size, width, inner, outer, name, symbol)
#include "kernels.inc"
#undef CORRBANK_TARGET
#undef CORRBANK_KERNEL
#ifdef CORRBANK_WITH_CUDA
    {"cuda", DeviceType::cuda, 0, nullptr},
#endif
};

const Kernel kernel_table[] = {
#define CORRBANK_TARGET(target, lanes, unpack)
#define CORRBANK_KERNEL(target, walk, positions, vectors, size, width, inner, outer, name, symbol)          \
  {&target_table[target_##target],       Walk::walk, positions, vectors, size, {width, inner, outer}, name, \
   reinterpret_cast<void (*)()>(&symbol)},
#include "kernels.inc"
#undef CORRBANK_TARGET
#undef CORRBANK_KERNEL
};

}  // namespace

Table<Target> all_targets() noexcept { return {target_table, target_count}; }

Table<Kernel> all_kernels() noexcept {
  return {kernel_table, static_cast<int>(sizeof kernel_table / sizeof kernel_table[0])};
}

namespace {

// Extents that kernels never look at are open-ended.

void run_tiles(const Kernel& kernel, const KernelCall& call, halide_buffer_t* responses) noexcept {
  Buffer<2> image(call.image, halide_type_float);
  image.dim(0, INT_MAX, 1).dim(1, INT_MAX, 1);
  Buffer<4> bank(call.bank, halide_type_float);
  bank.dim(0, INT_MAX, 1)
      .dim(1, call.inner_tap_count, call.tap_stride)
      .dim(2, call.outer_tap_count, call.tap_stride * call.inner_tap_count)
      .dim(3, INT_MAX, call.vector_stride);
  Buffer<1> inner(call.inner_taps, halide_type_int), outer(call.outer_taps, halide_type_int);
  inner.dim(0, call.inner_tap_count, 1);
  outer.dim(0, call.outer_tap_count, 1);
  const auto function = reinterpret_cast<TileFunction*>(kernel.function);
  function(image, bank, inner, outer, call.width, call.rows, call.image_row_stride, call.response_row_stride,
           call.first_tile, call.end_tile, responses);
}

void run_strips(const Kernel& kernel, const KernelCall& call, halide_buffer_t* responses) noexcept {
  Buffer<3> image(call.image, halide_type_float);
  image.dim(0, INT_MAX, 1).dim(1, INT_MAX, call.image_row_stride).dim(2, call.channels, call.image_channel_stride);
  Buffer<3> bank(call.bank, halide_type_float);
  bank.dim(0, INT_MAX, 1)
      .dim(1, call.plane_taps, call.tap_stride)
      .dim(2, call.channels, call.tap_stride * call.plane_taps);
  const auto function = reinterpret_cast<StripFunction*>(kernel.function);
  function(image, bank, call.width, call.rows, call.response_row_stride, call.first_tile, call.end_tile, responses);
}

}  // namespace

void run_kernel(const Kernel& kernel, const KernelCall& call) noexcept {
  if (kernel.walk == Walk::strips) {
    Buffer<2> responses(call.responses, halide_type_float);
    responses.dim(0, INT_MAX, 1).dim(1, INT_MAX, call.response_kernel_stride);
    run_strips(kernel, call, responses);
  } else if (kernel.walk == Walk::rows) {
    Buffer<3> responses(call.responses, halide_type_float);
    responses.dim(0, INT_MAX, 1).dim(1, INT_MAX, call.response_kernel_stride).dim(2, 1, 0);
    run_tiles(kernel, call, responses);
  } else {
    Buffer<3> panel(call.responses, halide_type_float);
    panel.dim(0, block_kernels, 1).dim(1, panel_pixels, block_kernels).dim(2, INT_MAX, block_kernels * panel_pixels);
    run_tiles(kernel, call, panel);
  }
}

void unpack(const Target& target, const float* panel, int pixels, int kernels, float* responses,
            int kernel_stride) noexcept {
  const auto function = reinterpret_cast<UnpackFunction*>(target.unpack);
  for (int first = 0; first < kernels; first += block_kernels) {
    Buffer<2> in(panel + std::ptrdiff_t{first} * panel_pixels, halide_type_float);
    in.dim(0, block_kernels, 1).dim(1, pixels, block_kernels);
    Buffer<2> out(responses + std::ptrdiff_t{first} * kernel_stride, halide_type_float);
    out.dim(0, pixels, 1).dim(1, std::min(kernels - first, block_kernels), kernel_stride);
    function(in, out);
  }
}

}  // namespace corrbank::detail
