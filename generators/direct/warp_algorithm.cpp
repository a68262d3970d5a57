#include "expressions.h"
#include "tiled_algorithm.h"

namespace corrbank_generators {

using namespace Halide;

WarpFuncs warp_correlation(const TiledInputs& in, const TiledShape& shape) {
  WarpFuncs f;
  const Var &row = f.row, &kernel = f.kernel, &lane = f.lane, &block = f.block;
  const Var &element = f.element, &channel = f.channel, &tap = f.tap, &chunk = f.chunk;
  const int columns = shape.threads_x, rows = shape.threads_y * shape.rows;
  const bool any_size = shape.kernel_size == 0;
  const int pitch = any_size ? warp_pitch : columns + shape.kernel_size - 1;
  const Expr taps_x = any_size ? in.bank.dim(1).extent() : Expr(shape.kernel_size);
  const Expr taps_y = any_size ? in.bank.dim(2).extent() : Expr(shape.kernel_size);

  Var plane("plane"), zero("zero"), response_kernel("response_kernel");
  f.responses(plane, zero, response_kernel) = undef<float>();
  const OutputImageParam out = f.responses.output_buffer();
  const Expr width = out.dim(0).extent(), height = out.dim(1).extent(), kernel_count = out.dim(2).extent();
  const Expr kernel_tiles = ceiling(kernel_count, shape.kernels), tiles_x = ceiling(width, columns);
  const auto kernel_tile = [&](const Expr& b) { return remainder(b, kernel_tiles); };
  const auto left = [&](const Expr& b) { return remainder(quotient(b, kernel_tiles), tiles_x) * columns; };
  const auto top = [&](const Expr& b) { return quotient(quotient(b, kernel_tiles), tiles_x) * rows; };

  // What lies past the image repeats the last column or row; pixels and weights past the last channel are zero. (With any
  // size a chunk is one channel, and none is past the last.)
  const Expr channels = in.image.dim(2).extent();
  const Expr x = min(left(block) + element % pitch, in.image.dim(0).extent() - 1);
  const Expr y = min(top(block) + element / pitch, in.image.dim(1).extent() - 1);
  f.offset(element, block) = y * in.image.dim(1).stride() + x;
  const Expr image_channel = chunk * shape.channel_chunk + channel;
  const Expr pixel = in.image(within(f.offset(element, block), in.image.dim(0).extent()), 0,
                              any_size ? image_channel : min(image_channel, channels - 1));
  f.patch(element, channel, chunk, block) = any_size ? pixel : select(image_channel < channels, pixel, 0.0f);
  const Expr bank_tap = chunk * (shape.channel_chunk * taps_x * taps_y) + tap, bank_taps = channels * taps_x * taps_y;
  const Expr weight =
      bank_weight(in, kernel_tile(block), shape, kernel, any_size ? bank_tap : min(bank_tap, bank_taps - 1));
  f.weights(kernel, tap, chunk, block) = any_size ? weight : select(bank_tap < bank_taps, weight, 0.0f);

  f.taps = RDom(0, taps_x, 0, taps_y, 0, shape.channel_chunk, 0, ceiling(channels, shape.channel_chunk), "taps");
  const Expr patch_row = row * shape.threads_y + lane / columns + f.taps.y;
  f.sum(row, kernel, lane, block) = 0.0f;
  f.sum(row, kernel, lane, block) +=
      f.patch(patch_row * pitch + lane % columns + f.taps.x, f.taps.z, f.taps.w, block) *
      f.weights(kernel, (f.taps.z * taps_y + f.taps.y) * taps_x + f.taps.x, f.taps.w, block);

  RDom store(0, shape.rows, 0, shape.kernels, 0, 32, 0, 1, 0, tiles_x * ceiling(height, rows) * kernel_tiles, "store");
  f.store_row = store[0], f.store_kernel = store[1], f.store_lane = store[2], f.store_warp = store[3];
  f.store_block = store[4];
  const Expr store_x = left(store[4]) + store[2] % columns;
  const Expr store_y = top(store[4]) + store[0] * shape.threads_y + store[2] / columns;
  const Expr stored_kernel = kernel_tile(store[4]) * shape.kernels + store[1];
  store.where(store_x < width && store_y < height && stored_kernel < kernel_count);
  f.responses(within(store_y * out.dim(1).stride() + store_x, width), 0, within(stored_kernel, kernel_count)) =
      f.sum(store[0], store[1], store[2], store[4]);
  return f;
}

}  // namespace corrbank_generators
