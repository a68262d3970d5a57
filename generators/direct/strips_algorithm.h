// Direct correlation for few kernels of one fixed, small, square size S (algorithm.h has the formula).
//
// With few kernels a tap does little work, and fetching the image is what costs. So the taps of one channel are all
// unrolled: a vector of columns, once loaded, serves the S output rows whose windows hold it. The sums of a strip of
// rows stay in L1, and channels are outermost: each plane of the image is streamed once, in order, whatever its stride.
#pragma once

#include <Halide.h>

namespace corrbank_generators {

struct StripShape {
  int lanes;        // of a vector of columns
  int rows;         // of a strip
  int kernels;      // of a strip
  int kernel_size;  // S
};

// Vectors of columns in a strip: with its rows and kernels at most 16 KiB of sums, what Halide keeps on the stack.
constexpr int strip_vectors = 16;

struct StripInputs {
  template <typename T, int dimensions>
  using Input = Halide::GeneratorInput<Halide::Buffer<T, dimensions>>;
  const Input<float, 3>& image;  // (x, y, channel)
  const Input<float, 3>& bank;   // (kernel, tap of a plane, channel)
  Halide::Expr width, rows;      // extents of the responses to compute; rows is at least the strip's
  Halide::Expr response_row_stride;
  Halide::Expr first_strip, end_strip;
};

struct StripFuncs {
  Halide::Var lane{"lane"}, row{"row"}, kernel{"kernel"}, vector{"vector"}, strip{"strip"};
  Halide::RDom taps;              // (column, row, channel)
  Halide::Func weight{"weight"};  // (kernel, tap of a plane, channel); part of the sum unless placed
  Halide::Func sum{"sum"};        // (lane, row, kernel, vector, strip)
  Halide::RVar store_lane, store_row, store_kernel, store_strip;
  Halide::Func responses{"responses"};  // (element offset, kernel)
};

StripFuncs strip_correlation(const StripInputs& inputs, const StripShape& shape);

}  // namespace corrbank_generators
