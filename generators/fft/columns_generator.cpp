// Complex transforms of columns: of in(lane, part, element, transform) -> out(lane, part, k1, k2, transform), element k1 + first *
// k2; strides free. And inverse ones of products x * w of one channel, which then need not be stored first.
#include "transform.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

void place(const OutputImageParam& p, int lanes) {
  p.dim(0).set_bounds(0, lanes).set_stride(1);
  p.dim(1).set_bounds(0, 2).set_stride(lanes);
}

// (lane, part, k1, k2, transform), scheduled, of element(i, lane, transform).
Func transformed(int lanes, int size, int first, int sign,
                 const std::function<Complex(const Expr& i, const Var& lane, const Var& batch)>& element) {
  const Var lane("lane"), part("part"), k1("k1"), k2("k2"), batch("batch");
  const auto own = [&](const Expr& i) { return element(i, lane, batch); };
  Transform transform(size, first, sign, own, lane, batch, "columns");
  Func result("result");
  result(lane, part, k1, k2, batch) = transform.at(k1, k2, part);
  transform.schedule(result, k1, k2, part, batch, lanes);
  const OutputImageParam p = result.output_buffer();
  place(p, lanes);
  p.dim(2).set_bounds(0, first);
  p.dim(3).set_bounds(0, size / first);
  p.dim(4).set_min(0);
  return result;
}

class ColumnsGenerator : public Generator<ColumnsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> size{"size", 16, 4, 256};
  GeneratorParam<int> first{"first", 1, 1, 256};  // N1 (transform.h)
  GeneratorParam<bool> inverse{"inverse", false};

  Input<Buffer<float, 4>> in{"in"};
  Output<Buffer<float, 5>> out{"out"};

  void generate() {
    out = transformed(lanes, size, first, inverse ? 1 : -1, [&](const Expr& i, const Var& lane, const Var& batch) {
      return Complex{in(lane, 0, i, batch), in(lane, 1, i, batch)};
    });
    place(in, lanes);
    in.dim(2).set_bounds(0, size);
    in.dim(3).set_min(0);
  }
};

class ProductColumnsGenerator : public Generator<ProductColumnsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> size{"size", 16, 4, 256};
  GeneratorParam<int> first{"first", 1, 1, 256};  // N1 (transform.h)

  Input<Buffer<float, 4>> x{"x"};  // (lane, part, element, transform)
  Input<Buffer<float, 3>> w{"w"};  // (part, element, transform)
  Output<Buffer<float, 5>> out{"out"};

  void generate() {
    out = transformed(lanes, size, first, 1, [&](const Expr& i, const Var& lane, const Var& batch) {
      return Complex{x(lane, 0, i, batch), x(lane, 1, i, batch)} * Complex{w(0, i, batch), w(1, i, batch)};
    });
    place(x, lanes);
    x.dim(2).set_bounds(0, size);
    x.dim(3).set_min(0);
    w.dim(0).set_bounds(0, 2).set_stride(1);
    w.dim(1).set_bounds(0, size).set_stride(2);
    w.dim(2).set_min(0).set_stride(2 * int(size));
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::ColumnsGenerator, corrbank_fft_columns)
HALIDE_REGISTER_GENERATOR(corrbank_generators::ProductColumnsGenerator, corrbank_fft_product_columns)
