// A tile of correlations r made scores where it lies (runtime/match/method.h):
//
//   score = (factor * r + add + energy) * scale * norm, of what lies in [lowest, highest]; `without` where norm <= 0
//
// Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core: DECISIONS.md, 31.
#include "../direct/expressions.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class ScoresGenerator : public Generator<ScoresGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<float, 2>> correlations{"correlations"};  // (x, y); the same memory as scores
  Input<Buffer<float, 2>> norms{"norms"};
  Input<Buffer<float, 2>> energies{"energies"};
  Input<float> factor{"factor"};
  Input<float> add{"add"};
  Input<float> energy_factor{"energy_factor"};
  Input<float> scale{"scale"};
  Input<float> lowest{"lowest"};
  Input<float> highest{"highest"};
  Input<float> without{"without"};
  Output<Buffer<float, 2>> scores{"scores"};

  void generate() {
    Var x("x"), y("y");
    const Expr norm = norms(x, y);
    const Expr sum = factor * correlations(x, y) + (add + energy_factor * energies(x, y));
    const Expr scaled = sum * (scale * norm);
    // min and max, and what LLVM takes for them, become calls of a library where an instruction is missing.
    const Expr clamped =
        select(strict_float(scaled < lowest), Expr(lowest), strict_float(scaled > highest), Expr(highest), scaled);
    score(x, y) = select(norm > 0.0f, clamped, without);
    scores = score;
    score.vectorize(x, lanes, TailStrategy::Predicate);
    for (Input<Buffer<float, 2>>* in : {&correlations, &norms, &energies}) {
      for (int d = 0; d < 2; ++d) in->dim(d).set_min(0);
    }
    for (int d = 0; d < 2; ++d) scores.dim(d).set_min(0);
  }

 private:
  Func score{"score"};
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::ScoresGenerator, corrbank_scores)
