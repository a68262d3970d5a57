// Direct correlation in tiles for a GPU (algorithm.h has the formula): a block of threads computes one tile of
// responses, each of its threads a few rows, columns and kernels of it.
//
// Blocks are numbered along one axis, the kernel tiles of one place next to each other, so that they find the image in
// the cache. Every Func is indexed relative to its block with constant extents. Places past the last row or column
// repeat the last one: they read what may be read and store the same value again. Kernels past the last are summed
// from the bank's padding and not stored.
#pragma once

#include <Halide.h>

#include <vector>

namespace corrbank_generators {

enum class TiledWalk {
  thread,  // each thread fetches its own pixels; threads are numbered along the rows of the responses
  warp,    // a block is one warp, which keeps a chunk of channels of its part of the image in shared memory
  patch,   // a block keeps all channels of its part of the image in shared memory
};

struct TiledShape {
  TiledWalk walk;
  int threads_x, threads_y;  // of a block; walk thread numbers its threads along one axis: threads_y is 1
  int columns, rows;         // of a thread
  int kernels;               // of a tile
  int kernel_size;           // 0: any
  int unroll;                // taps of a kernel's row
  int channel_chunk;         // walk warp: channels in shared memory at a time
};

struct TiledInputs {
  template <typename T, int dimensions>
  using Input = Halide::GeneratorInput<Halide::Buffer<T, dimensions>>;
  const Input<float, 3>& image;  // (x, y, channel)
  const Input<float, 4>& bank;   // (kernel, column, row, channel)
};

// All taps of some columns of the kernels. A row of taps is cut into chunks of constant length, which can be unrolled;
// what is left over is a part of its own.
struct TapPart {
  Halide::RDom taps;              // (column of the chunk, chunk, row, channel)
  Halide::Func weight{"weight"};  // (kernel, column of the chunk, chunk, row, channel, block)
};

struct TiledFuncs {
  Halide::Var column{"column"}, row{"row"}, kernel{"kernel"}, thread{"thread"}, block{"block"};
  Halide::Func image_origin{"image_origin"}, response_origin{"response_origin"};  // elements of (row, thread, block)
  Halide::Func sum{"sum"};  // (column, row, kernel, thread, block), one update a part
  std::vector<TapPart> parts;
  Halide::RVar store_column, store_row, store_kernel, store_thread, store_block;
  Halide::Func responses{"responses"};  // (element of a plane, 0, kernel)
};

TiledFuncs tiled_correlation(const TiledInputs& inputs, const TiledShape& shape);

}  // namespace corrbank_generators
