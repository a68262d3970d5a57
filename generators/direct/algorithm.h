// Direct multi-kernel cross-correlation, valid region, stride 1:
//
//   responses[k, y, x] = sum over taps (c, i, j) of image[c, y + i, x + j] * bank[k, c, i, j]
//
// The kernel sees the image as one line of elements. A tap is an offset into that line, read from two small tables
// (inner + outer), so that one compiled kernel serves every C, kh, kw and stride without a loop nest of its own for
// each. Work is cut into tiles of `positions` x `kernels`, and every Func is indexed relative to its tile with
// constant extents: only then do the sums of a tile stay in registers.
#pragma once

#include <Halide.h>

namespace corrbank_generators {

enum class Walk {
  rows,    // vector lanes run along x; a position is a vector of columns; a tile holds single kernels
  pixels,  // vector lanes run over kernels; a position is one pixel; a tile holds vectors of kernels
};

struct TileShape {
  Walk walk;
  int lanes;      // of a vector
  int positions;  // of a tile
  int kernels;    // of a tile: kernels (rows) or vectors of kernels (pixels)
};

struct DirectInputs {
  template <typename T, int dimensions>
  using Input = Halide::GeneratorInput<Halide::Buffer<T, dimensions>>;
  const Input<float, 2>& image;    // (element, tap offset), both of stride 1
  const Input<float, 4>& bank;     // (kernel, inner tap, outer tap, kernel vector)
  const Input<int32_t, 1>& inner;  // tap offsets in elements of the image; a tap's is inner + outer
  const Input<int32_t, 1>& outer;
  Halide::Expr width, rows;  // extents of the responses to compute
  Halide::Expr image_row_stride, response_row_stride;
  Halide::Expr first_tile, end_tile;  // tiles [first_tile, end_tile) are computed
};

struct DirectFuncs {
  Halide::Var lane{"lane"}, position{"position"}, kernel{"kernel"}, tile{"tile"};
  Halide::RDom taps;
  Halide::Func image_origin{"image_origin"}, response_origin{"response_origin"};  // element offsets of (position, tile)
  Halide::Func weight{"weight"};  // rows walk: (kernel, inner tap, outer tap); part of the sum unless placed
  Halide::Func sum{"sum"};        // (lane, position, kernel, tile), accumulated over the taps
  Halide::RVar store_lane, store_position, store_kernel, store_tile;
  // rows walk: (element offset, kernel, 0); pixels walk: a panel (kernel of 16, pixel from
  // first_tile, vector of 16) that the sums are added to, so that taps can come in several calls.
  Halide::Func responses{"responses"};
};

DirectFuncs direct_correlation(const DirectInputs& inputs, const TileShape& shape);

}  // namespace corrbank_generators
