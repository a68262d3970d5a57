#include "tiled_algorithm.h"

#include "expressions.h"

namespace corrbank_generators {

using namespace Halide;

namespace {

Expr ceiling(const Expr& a, int b) { return quotient(a + (b - 1), b); }
Expr remainder(const Expr& a, const Expr& b) { return a - quotient(a, b) * b; }

}  // namespace

TiledFuncs tiled_correlation(const TiledInputs& in, const TiledShape& shape) {
  TiledFuncs f;
  const Var &column = f.column, &row = f.row, &kernel = f.kernel, &thread = f.thread, &block = f.block;

  Var element("element"), zero("zero"), response_kernel("response_kernel");
  f.responses(element, zero, response_kernel) = undef<float>();
  const OutputImageParam out = f.responses.output_buffer();
  const Expr width = out.dim(0).extent(), height = out.dim(1).extent(), kernel_count = out.dim(2).extent();

  const int threads = shape.threads_x * shape.threads_y;
  const Expr kernel_tiles = ceiling(kernel_count, shape.kernels);
  const auto first_kernel = [&](const Expr& b) { return remainder(b, kernel_tiles) * shape.kernels; };
  const auto tile = [&](const Expr& b) { return quotient(b, kernel_tiles); };

  const Expr places = width * ceiling(height, shape.rows);
  const Expr blocks = ceiling(places, threads) * kernel_tiles;
  const Expr place = min(tile(block) * threads + thread, places - 1);
  const Expr x = remainder(place, width);
  const Expr y = min(quotient(place, width) * shape.rows + row, height - 1);
  const Expr image_row_stride = in.image.dim(1).stride();
  f.image_origin(row, thread, block) = y * image_row_stride + x;
  f.response_origin(row, thread, block) = y * out.dim(1).stride() + x;

  f.sum(column, row, kernel, thread, block) = 0.0f;
  const Expr taps_x = in.bank.dim(1).extent(), taps_y = in.bank.dim(2).extent(), channels = in.bank.dim(3).extent();
  const auto add = [&](int length, const Expr& first, const Expr& chunks, const Expr& rows, const Expr& part_channels) {
    TapPart part;
    part.taps = RDom(0, length, 0, chunks, 0, rows, 0, part_channels, "taps");
    const RVar &tap = part.taps.x, &chunk = part.taps.y, &tap_row = part.taps.z, &channel = part.taps.w;
    Var a("a"), b("b"), c("c"), d("d");
    part.weight(kernel, a, b, c, d, block) = in.bank(within(first_kernel(block) + kernel, in.bank.dim(0).extent()),
                within(first + b * length + a, taps_x), c, d);
    const Expr element =
        f.image_origin(row, thread, block) + tap_row * image_row_stride + (first + chunk * length + tap + column);
    const Expr pixel = in.image(within(element, in.image.dim(0).extent()), 0, channel);
    f.sum(column, row, kernel, thread, block) += pixel * part.weight(kernel, tap, chunk, tap_row, channel, block);
    f.parts.push_back(part);
  };
  if (shape.kernel_size > 0) {
    add(shape.kernel_size, 0, 1, shape.kernel_size, channels);
  } else {
    const Expr chunks = quotient(taps_x, shape.unroll), rest = remainder(taps_x, shape.unroll);
    add(shape.unroll, 0, chunks, taps_y, channels);
    for (int length = shape.unroll - 1; length > 0; --length) {
      add(length, chunks * shape.unroll, 1, taps_y, select(rest == length, channels, 0));
    }
  }

  RDom store(0, shape.columns, 0, shape.rows, 0, shape.kernels, 0, threads, 0, blocks, "store");
  f.store_column = store[0], f.store_row = store[1], f.store_kernel = store[2], f.store_thread = store[3];
  f.store_block = store[4];
  const Expr stored_kernel = first_kernel(store[4]) + store[2];
  store.where(stored_kernel < kernel_count);
  const Expr target = f.response_origin(store[1], store[3], store[4]) + store[0];
  f.responses(within(target, out.dim(0).extent()), 0, within(stored_kernel, out.dim(2).extent())) =
      f.sum(store[0], store[1], store[2], store[3], store[4]);
  return f;
}

}  // namespace corrbank_generators
