#include "algorithm.h"

#include "expressions.h"
#include "panel.h"

namespace corrbank_generators {

using namespace Halide;

DirectFuncs direct_correlation(const DirectInputs& in, const TileShape& shape) {
  DirectFuncs f;
  const Var &lane = f.lane, &position = f.position, &kernel = f.kernel, &tile = f.tile;
  const bool along_rows = shape.walk == Walk::rows;

  // Positions are numbered row by row. A row's last vector is moved left to end with the row, and positions past the
  // last repeat it: what they store is what was stored there before, so nothing outside is read or written.
  const Expr columns = along_rows ? Expr(shape.lanes) : Expr(1);
  const Expr per_row = along_rows ? quotient(in.width + shape.lanes - 1, shape.lanes) : Expr(in.width);
  const Expr index = min(tile * shape.positions + position, per_row * in.rows - 1);
  const Expr y = quotient(index, per_row);
  const Expr x = min((index - y * per_row) * columns, in.width - columns);
  f.image_origin(position, tile) = y * in.image_row_stride + x;
  f.response_origin(position, tile) = y * in.response_row_stride + x;

  f.taps = RDom(0, in.inner.dim(0).extent(), 0, in.outer.dim(0).extent(), "taps");
  const Expr tap = within(in.inner(f.taps.x), in.image.dim(1).extent());
  // No offset is negative; the maximum keeps the sum in one piece, so that it is made once for all inner taps.
  const Expr start = max(f.image_origin(position, tile) + in.outer(f.taps.y), 0);
  const Expr element = start + (along_rows ? Expr(lane) : Expr(0));
  const Expr pixel = in.image(within(element, in.image.dim(0).extent()), tap);
  f.sum(lane, position, kernel, tile) = 0.0f;
  Var inner_tap("inner_tap"), outer_tap("outer_tap");
  if (along_rows) {
    f.weight(kernel, inner_tap, outer_tap) = in.bank(kernel, inner_tap, outer_tap, 0);
    f.sum(lane, position, kernel, tile) += f.weight(kernel, f.taps.x, f.taps.y) * pixel;
  } else {
    f.sum(lane, position, kernel, tile) += in.bank(lane, f.taps.x, f.taps.y, kernel) * pixel;
  }

  Var a("a"), b("b"), c("c");
  f.responses(a, b, c) = undef<float>();
  const OutputImageParam out = f.responses.output_buffer();
  RDom store(0, shape.lanes, 0, shape.positions, 0, shape.kernels, in.first_tile, in.end_tile - in.first_tile, "store");
  f.store_lane = store.x, f.store_position = store.y, f.store_kernel = store.z, f.store_tile = store.w;
  const Expr finished = f.sum(store.x, store.y, store.z, store.w);
  if (along_rows) {
    const Expr target = f.response_origin(store.y, store.w) + store.x;
    f.responses(within(target, out.dim(0).extent()), store.z, 0) = finished;
  } else {
    const Expr first = store.z * shape.lanes;
    const Expr pixel = (store.w - in.first_tile) * shape.positions + store.y;
    f.responses(first % block_kernels + store.x, within(pixel, out.dim(1).extent()), first / block_kernels) += finished;
  }
  return f;
}

}  // namespace corrbank_generators
