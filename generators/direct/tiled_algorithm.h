// Direct correlation in tiles for a GPU (algorithm.h has the formula): a block of threads computes one tile of
// responses, each of its threads a few rows, columns and kernels of it.
//
// Blocks are numbered along one axis, the kernel tiles of one place next to each other, so that they find the image in
// the cache. Every Func is indexed relative to its block with constant extents: the sums stay in registers, and no
// bound is tested between two multiply-adds. A tile may reach past the responses. What it needs of the image there
// repeats the last row or column, kernels past the last are summed from the bank's padding, and neither is stored.
#pragma once

#include <Halide.h>

#include <vector>

#include "expressions.h"

namespace corrbank_generators {

enum class TiledWalk {
  thread,  // each thread fetches its own pixels; threads are numbered along the rows of the responses
  warp,    // a block is one warp, with a chunk of channels of its part of the image in shared memory
  patch,   // a block has all channels of its part of the image in shared memory
};

struct TiledShape {
  TiledWalk walk;
  int threads_x, threads_y;  // of a block; walk thread numbers its threads along one axis: threads_y is 1
  int columns, rows;         // of a thread
  int kernels;               // of a tile
  int kernel_size;           // 0: any
  int channel_chunk;         // walk warp: channels in shared memory at a time
};

struct TiledInputs {
  template <typename T, int dimensions>
  using Input = Halide::GeneratorInput<Halide::Buffer<T, dimensions>>;
  const Input<float, 3>& image;  // (x, y, channel)
  const Input<float, 4>& bank;   // (kernel, column, row, channel)
};

// A weight of a kernel of a tile, taps of all channels numbered as they lie in the bank. The index is four times
// something wherever `kernel` is, which makes a vector of four weights one load without further arithmetic.
inline Halide::Expr bank_weight(const TiledInputs& in, const Halide::Expr& kernel_tile, const TiledShape& shape,
                                const Halide::Expr& kernel, const Halide::Expr& tap) {
  const Halide::Expr extent = in.bank.dim(0).extent();
  const Halide::Expr four = tap * (extent / 4) + kernel_tile * (shape.kernels / 4) + kernel / 4;
  return in.bank(within(four * 4 + kernel % 4, extent), 0, 0, 0);
}

// Taps of a row are unrolled by this many.
constexpr int tap_chunk = 4;

// Walk warp, any kernel size: elements from a row of the patch to the next. A kernel has at most 33 columns.
constexpr int warp_pitch = 64;

// All taps of some columns of the kernels. A row of taps is cut into chunks of constant length, which can be unrolled;
// what is left over is a part of its own.
struct TapPart {
  Halide::RDom taps;              // (column of the chunk, chunk, row, channel)
  Halide::Expr column;            // of the kernel: first column of the chunk
  Halide::Func weight{"weight"};  // (kernel, column of the chunk, chunk, row, channel, block)
  Halide::Func window{"window"};  // walk patch: pixels of a thread, (column, row, thread, block, chunk, row, channel)
};

// Walks thread and patch: the sums of a thread, from the first tap to the last.
struct ThreadFuncs {
  Halide::Var column{"column"}, row{"row"}, kernel{"kernel"}, thread{"thread"}, block{"block"};
  Halide::Func image_origin{"image_origin"}, response_origin{"response_origin"};  // walk thread: (row, thread, block)
  Halide::Var patch_column{"patch_column"}, patch_row{"patch_row"};
  Halide::Func patch{"patch"};  // walk patch: (column, row, block), channels below each other
  Halide::Func sum{"sum"};      // (column, row, kernel, thread, block), one update a part
  std::vector<TapPart> parts;
  Halide::RVar store_column, store_row, store_kernel, store_thread, store_block;
  Halide::Func responses{"responses"};  // (element of a plane, 0, kernel)
};

ThreadFuncs thread_correlation(const TiledInputs& inputs, const TiledShape& shape);
ThreadFuncs patch_correlation(const TiledInputs& inputs, const TiledShape& shape);

// Walk warp: the sums belong to the block, since its threads fetch a chunk of channels together, time and again.
struct WarpFuncs {
  Halide::Var row{"row"}, kernel{"kernel"}, lane{"lane"}, block{"block"};
  Halide::Var element{"element"}, channel{"channel"}, tap{"tap"}, chunk{"chunk"};
  Halide::Func offset{"offset"};    // (element, block): where an element of the patch lies in a plane of the image
  Halide::Func patch{"patch"};      // (element, channel, chunk, block): a block's part of the image, row after row
  Halide::Func weights{"weights"};  // (kernel, tap, chunk, block)
  Halide::RDom taps;                // (column, row, channel, chunk of channels)
  Halide::Func sum{"sum"};          // (row, kernel, lane, block)
  Halide::RVar store_row, store_kernel, store_lane, store_warp, store_block;
  Halide::Func responses{"responses"};  // (element of a plane, 0, kernel)
};

WarpFuncs warp_correlation(const TiledInputs& inputs, const TiledShape& shape);

}  // namespace corrbank_generators
