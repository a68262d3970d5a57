// Complex transforms of columns: in(lane, part, element, transform) -> out the same, strides free.
#include "transform.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class ColumnsGenerator : public Generator<ColumnsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> size{"size", 16, 4, 256};
  GeneratorParam<bool> inverse{"inverse", false};

  Input<Buffer<float, 4>> in{"in"};
  Output<Buffer<float, 4>> out{"out"};

  void generate() {
    const Var lane("lane"), part("part"), k("k"), batch("batch");
    const auto element = [&](const Expr& i) { return Complex{in(lane, 0, i, batch), in(lane, 1, i, batch)}; };
    Transform transform(size, inverse ? 1 : -1, element, lane, batch, "columns");
    out(lane, part, k, batch) = transform.at(k, part);
    Func result = out;
    transform.schedule(result, k, part, batch, lanes);
    for (OutputImageParam p : {OutputImageParam(in), OutputImageParam(result.output_buffer())}) {
      p.dim(0).set_bounds(0, lanes).set_stride(1);
      p.dim(1).set_bounds(0, 2).set_stride(lanes);
      p.dim(2).set_bounds(0, size);
      p.dim(3).set_min(0);
    }
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::ColumnsGenerator, corrbank_fft_columns)
