// Complex transforms of columns: in(lane, part, element, transform) -> out(lane, part, k1, k2, transform), element k1 + first *
// k2; strides free.
#include "transform.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

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
    OutputImageParam p = result.output_buffer();
    for (OutputImageParam both : {OutputImageParam(in), p}) {
      both.dim(0).set_bounds(0, lanes).set_stride(1);
      both.dim(1).set_bounds(0, 2).set_stride(lanes);
    }
    in.dim(2).set_bounds(0, size);
    in.dim(3).set_min(0);
    p.dim(2).set_bounds(0, first);
    p.dim(3).set_bounds(0, int(size) / int(first));
    p.dim(4).set_min(0);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::ColumnsGenerator, corrbank_fft_columns)
