#include "strips_algorithm.h"

#include "expressions.h"

namespace corrbank_generators {

using namespace Halide;

StripFuncs strip_correlation(const StripInputs& in, const StripShape& shape) {
  StripFuncs f;
  const int size = shape.kernel_size;

  // A row of vectors is cut into strips of nearly equal width; the last strip of rows is moved up, the last vector of a
  // row left, to end with the image. Every vector of a strip has sums of its own, so what overlaps is computed twice,
  // never counted twice.
  const Expr row_vectors = quotient(in.width + shape.lanes - 1, shape.lanes);
  const Expr strips_per_row = quotient(row_vectors + strip_vectors - 1, strip_vectors);
  const Expr vectors = quotient(row_vectors + strips_per_row - 1, strips_per_row);
  const auto top = [&](const Expr& strip) {
    return min(quotient(strip, strips_per_row) * shape.rows, in.rows - shape.rows);
  };
  const auto first_vector = [&](const Expr& strip) {
    return (strip - quotient(strip, strips_per_row) * strips_per_row) * vectors;
  };
  const auto left = [&](const Expr& vector, const Expr& strip) {
    return min((first_vector(strip) + vector) * shape.lanes, in.width - shape.lanes);
  };

  f.taps = RDom(0, size, 0, size, 0, in.image.dim(2).extent(), "taps");
  const Expr x = left(f.vector, f.strip) + f.lane + f.taps.x, y = top(f.strip) + f.row + f.taps.y;
  f.sum(f.lane, f.row, f.kernel, f.vector, f.strip) = 0.0f;
  Var tap("tap"), channel("channel");
  f.weight(f.kernel, tap, channel) = in.bank(f.kernel, tap, channel);
  f.sum(f.lane, f.row, f.kernel, f.vector, f.strip) +=
      f.weight(f.kernel, f.taps.x + f.taps.y * size, f.taps.z) *
      in.image(within(x, in.image.dim(0).extent()), within(y, in.image.dim(1).extent()), f.taps.z);

  Var element("element"), response_kernel("response_kernel");
  f.responses(element, response_kernel) = undef<float>();
  const OutputImageParam out = f.responses.output_buffer();
  RDom store(0, shape.lanes, 0, shape.rows, 0, shape.kernels, 0, strip_vectors, in.first_strip,
             in.end_strip - in.first_strip, "store");
  f.store_lane = store[0], f.store_row = store[1], f.store_kernel = store[2], f.store_strip = store[4];
  store.where(store[3] < min(vectors, row_vectors - first_vector(store[4])));
  const Expr target = (top(store[4]) + store[1]) * in.response_row_stride + left(store[3], store[4]) + store[0];
  f.responses(within(target, out.dim(0).extent()), store[2]) = f.sum(store[0], store[1], store[2], store[3], store[4]);
  return f;
}

}  // namespace corrbank_generators
