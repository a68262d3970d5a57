// Lanes of one axis to lanes of the other: out(lane, part, m, n) = in(m % lanes, part, n * lanes + lane, m / lanes).
#include "transform.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class TransposeGenerator : public Generator<TransposeGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<float, 4>> in{"in"};
  Output<Buffer<float, 4>> out{"out"};

  void generate() {
    const Var lane("lane"), part("part"), m("m"), n("n"), block("block"), mi("mi");
    Transposed turned = transposed(
        lanes, {part, block, n}, [&](const Expr& tx, const Expr& tc) { return in(tx, part, n * lanes + tc, block); },
        "turned");
    out(lane, part, m, n) = turned.result()(lane, m % lanes, part, m / lanes, n);
    Func result = out;
    result.bound(lane, 0, lanes).bound(part, 0, 2);
    result.split(m, block, mi, lanes).reorder(lane, mi, part, block, n).vectorize(lane).unroll(mi).unroll(part);
    turned.schedule(result, part, lanes);
    for (Func& stage : turned.stages) stage.store_in(MemoryType::Stack);
    for (OutputImageParam p : {OutputImageParam(in), OutputImageParam(result.output_buffer())}) {
      p.dim(0).set_bounds(0, lanes).set_stride(1);
      p.dim(1).set_bounds(0, 2).set_stride(lanes);
      p.dim(2).set_min(0);
      p.dim(3).set_min(0);
    }
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::TransposeGenerator, corrbank_fft_transpose)
