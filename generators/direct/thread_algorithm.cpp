// Walks thread and patch of tiled_algorithm.h: each thread sums on its own.
#include <functional>

#include "expressions.h"
#include "tiled_algorithm.h"

namespace corrbank_generators {

using namespace Halide;

namespace {

// Taps of kernels with `channels` channels of `rows` rows of `row_taps` taps.
std::vector<TapPart> cut_taps(const TiledInputs& in, const TiledShape& shape, const Var& kernel, const Var& block,
                              const Expr& kernel_tile, const Expr& row_taps, const Expr& rows, const Expr& channels) {
  std::vector<TapPart> parts;
  const auto add = [&](int length, const Expr& first, const Expr& chunks, const Expr& part_channels) {
    TapPart part;
    part.taps = RDom(0, length, 0, chunks, 0, rows, 0, part_channels, "taps");
    part.column = first + part.taps.y * length;
    Var tap("tap"), chunk("chunk"), row("row"), channel("channel");
    const Expr bank_tap = (channel * rows + row) * row_taps + first + chunk * length + tap;
    part.weight(kernel, tap, chunk, row, channel, block) = bank_weight(in, kernel_tile, shape, kernel, bank_tap);
    parts.push_back(part);
  };
  const Expr chunks = quotient(row_taps, tap_chunk);
  add(tap_chunk, 0, chunks, channels);
  for (int length = tap_chunk - 1; length > 0; --length) {
    add(length, chunks * tap_chunk, 1, select(remainder(row_taps, tap_chunk) == length, channels, 0));
  }
  return parts;
}

}  // namespace

ThreadFuncs thread_correlation(const TiledInputs& in, const TiledShape& shape) {
  ThreadFuncs f;
  const Var &column = f.column, &row = f.row, &kernel = f.kernel, &thread = f.thread, &block = f.block;
  Var element("element"), zero("zero"), response_kernel("response_kernel");
  f.responses(element, zero, response_kernel) = undef<float>();
  const OutputImageParam out = f.responses.output_buffer();
  const Expr width = out.dim(0).extent(), height = out.dim(1).extent(), kernel_count = out.dim(2).extent();

  const int threads = shape.threads_x;
  const Expr kernel_tiles = ceiling(kernel_count, shape.kernels);
  const Expr places = width * ceiling(height, shape.rows);
  const auto kernel_tile = [&](const Expr& b) { return remainder(b, kernel_tiles); };

  // Places past the last row or column repeat the last one: they store the same value again.
  const Expr place = min(quotient(block, kernel_tiles) * threads + thread, places - 1);
  const Expr x = remainder(place, width);
  const Expr y = min(quotient(place, width) * shape.rows + row, height - 1);
  const Expr image_row_stride = in.image.dim(1).stride();
  f.image_origin(row, thread, block) = y * image_row_stride + x;
  f.response_origin(row, thread, block) = y * out.dim(1).stride() + x;

  // Kernels of 1 x 1: the channels are the row of taps.
  const bool pointwise = shape.kernel_size == 1;
  const Expr channels = in.bank.dim(3).extent(), tap_stride = pointwise ? in.image.dim(2).stride() : Expr(1);
  f.parts = pointwise ? cut_taps(in, shape, kernel, block, kernel_tile(block), channels, 1, 1)
                      : cut_taps(in, shape, kernel, block, kernel_tile(block), in.bank.dim(1).extent(),
                                 in.bank.dim(2).extent(), channels);
  f.sum(column, row, kernel, thread, block) = 0.0f;
  for (TapPart& part : f.parts) {
    const RDom& taps = part.taps;
    const Expr pixel =
        f.image_origin(row, thread, block) + taps.z * image_row_stride + (part.column + taps.x) * tap_stride + column;
    f.sum(column, row, kernel, thread, block) += in.image(within(pixel, in.image.dim(0).extent()), 0, taps.w) *
                                                 part.weight(kernel, taps.x, taps.y, taps.z, taps.w, block);
  }

  RDom store(0, 1, 0, shape.rows, 0, shape.kernels, 0, threads, 0, ceiling(places, threads) * kernel_tiles, "store");
  f.store_column = store[0], f.store_row = store[1], f.store_kernel = store[2], f.store_thread = store[3];
  f.store_block = store[4];
  const Expr stored_kernel = kernel_tile(store[4]) * shape.kernels + store[2];
  store.where(stored_kernel < kernel_count);
  f.responses(within(f.response_origin(store[1], store[3], store[4]) + store[0], width), 0,
              within(stored_kernel, kernel_count)) = f.sum(store[0], store[1], store[2], store[3], store[4]);
  return f;
}

ThreadFuncs patch_correlation(const TiledInputs& in, const TiledShape& shape) {
  ThreadFuncs f;
  const Var &column = f.column, &row = f.row, &kernel = f.kernel, &thread = f.thread, &block = f.block;
  Var element("element"), zero("zero"), response_kernel("response_kernel");
  f.responses(element, zero, response_kernel) = undef<float>();
  const OutputImageParam out = f.responses.output_buffer();
  const Expr width = out.dim(0).extent(), height = out.dim(1).extent(), kernel_count = out.dim(2).extent();

  const int tile_columns = shape.threads_x * shape.columns, tile_rows = shape.threads_y * shape.rows;
  const Expr kernel_tiles = ceiling(kernel_count, shape.kernels), tiles_x = ceiling(width, tile_columns);
  const auto kernel_tile = [&](const Expr& b) { return remainder(b, kernel_tiles); };
  const auto left = [&](const Expr& b) { return remainder(quotient(b, kernel_tiles), tiles_x) * tile_columns; };
  const auto top = [&](const Expr& b) { return quotient(quotient(b, kernel_tiles), tiles_x) * tile_rows; };

  const Expr taps_x = in.bank.dim(1).extent(), taps_y = in.bank.dim(2).extent(), channels = in.bank.dim(3).extent();
  const Expr pitch = ceiling(taps_x + (tile_columns - 1), 4) * 4, plane_rows = taps_y + (tile_rows - 1);
  const Expr channel = quotient(f.patch_row, plane_rows);
  const Expr x = min(left(block) + f.patch_column, in.image.dim(0).extent() - 1);
  const Expr y = min(top(block) + f.patch_row - channel * plane_rows, in.image.dim(1).extent() - 1);
  f.patch(f.patch_column, f.patch_row, block) =
      in.image(within(x, in.image.dim(0).extent()), within(y, in.image.dim(1).extent()), within(channel, channels));

  f.parts = cut_taps(in, shape, kernel, block, kernel_tile(block), taps_x, taps_y, channels);
  f.sum(column, row, kernel, thread, block) = 0.0f;
  for (TapPart& part : f.parts) {
    const RDom& taps = part.taps;
    Var pixel("pixel"), first("first"), tap_row("tap_row"), tap_channel("tap_channel");
    const Expr thread_x = thread % shape.threads_x, thread_y = thread / shape.threads_x;
    part.window(pixel, row, thread, first, tap_row, tap_channel, block) =
        f.patch(within(thread_x * shape.columns + first + pixel, pitch),
                within(tap_channel * plane_rows + thread_y * shape.rows + row + tap_row, plane_rows * channels), block);
    f.sum(column, row, kernel, thread, block) +=
        part.window(column + taps.x, row, thread, part.column, taps.z, taps.w, block) *
        part.weight(kernel, taps.x, taps.y, taps.z, taps.w, block);
  }

  const int threads = shape.threads_x * shape.threads_y;
  const Expr blocks = tiles_x * ceiling(height, tile_rows) * kernel_tiles;
  RDom store(0, shape.columns, 0, shape.rows, 0, shape.kernels, 0, threads, 0, blocks, "store");
  f.store_column = store[0], f.store_row = store[1], f.store_kernel = store[2], f.store_thread = store[3];
  f.store_block = store[4];
  const Expr store_x = left(store[4]) + store[3] % shape.threads_x * shape.columns + store[0];
  const Expr store_y = top(store[4]) + store[3] / shape.threads_x * shape.rows + store[1];
  const Expr stored_kernel = kernel_tile(store[4]) * shape.kernels + store[2];
  store.where(store_x < width && store_y < height && stored_kernel < kernel_count);
  f.responses(within(store_y * out.dim(1).stride() + store_x, width), 0, within(stored_kernel, kernel_count)) =
      f.sum(store[0], store[1], store[2], store[3], store[4]);
  return f;
}

}  // namespace corrbank_generators
