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

void place_result(const OutputImageParam& p, int lanes, int size, int first) {
  place(p, lanes);
  p.dim(2).set_bounds(0, first);
  p.dim(3).set_bounds(0, size / first);
  p.dim(4).set_min(0);
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
    const Var lane("lane"), part("part"), k1("k1"), k2("k2"), batch("batch");
    const auto element = [&](const Expr& i) { return Complex{in(lane, 0, i, batch), in(lane, 1, i, batch)}; };
    Transform transform(size, first, inverse ? 1 : -1, element, lane, batch, "columns");
    out(lane, part, k1, k2, batch) = transform.at(k1, k2, part);
    Func result = out;
    transform.schedule(result, k1, k2, part, batch, lanes);
    place(in, lanes);
    in.dim(2).set_bounds(0, size);
    in.dim(3).set_min(0);
    place_result(result.output_buffer(), lanes, size, first);
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
    const Var lane("lane"), part("part"), k1("k1"), k2("k2"), batch("batch");
    const auto element = [&](const Expr& i) {
      return Complex{x(lane, 0, i, batch), x(lane, 1, i, batch)} * Complex{w(0, i, batch), w(1, i, batch)};
    };
    Transform transform(size, first, 1, element, lane, batch, "columns");
    out(lane, part, k1, k2, batch) = transform.at(k1, k2, part);
    Func result = out;
    transform.schedule(result, k1, k2, part, batch, lanes);
    place(x, lanes);
    x.dim(2).set_bounds(0, size);
    x.dim(3).set_min(0);
    w.dim(0).set_bounds(0, 2).set_stride(1);
    w.dim(1).set_bounds(0, size).set_stride(2);
    w.dim(2).set_min(0).set_stride(2 * int(size));
    place_result(result.output_buffer(), lanes, size, first);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::ColumnsGenerator, corrbank_fft_columns)
HALIDE_REGISTER_GENERATOR(corrbank_generators::ProductColumnsGenerator, corrbank_fft_product_columns)
