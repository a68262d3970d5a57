// Correlations r of windows (x, y) with kernels made scores (runtime/match/method.h):
//
//   score = (factor * r + add + energy) * scale * norm, of what lies in [lowest, highest]; `without` where norm <= 0
//
// with factor 1 and no energy, or, of distances, factor -2.
//
// Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core: DECISIONS.md, 31 and 33.
#include "../direct/expressions.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

// Not cut off.
Expr scaled(const Expr& distance, const Expr& r, const Expr& add, const Expr& energy, const Expr& scale,
            const Expr& norm) {
  return select(distance, -2.0f * r + (add + energy), r + add) * (scale * norm);
}

// Scores of the kernels of a panel; NaN, where norm > 0, for what is not finite.
class ScoresGenerator : public Generator<ScoresGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<float, 3>> correlations{"correlations"};  // (x, y, kernel)
  Input<Buffer<float, 2>> norms{"norms"};
  Input<Buffer<float, 2>> energies{"energies"};  // read for distances alone
  Input<Buffer<float, 1>> add{"add"};            // (kernel)
  Input<Buffer<float, 1>> scale{"scale"};
  Input<bool> distance{"distance"};
  Input<float> lowest{"lowest"};
  Input<float> highest{"highest"};
  Input<float> without{"without"};
  Output<Buffer<float, 3>> scores{"scores"};  // may be the memory of correlations

  void generate() {
    Var x("x"), y("y"), k("k");
    const Expr r = correlations(x, y, k), norm = norms(x, y);
    const Expr score = scaled(distance, r, add(k), energies(x, y), scale(k), norm);
    // min and max, and what LLVM takes for them, become calls of a library where an instruction is missing.
    const Expr clamped =
        select(strict_float(score < lowest), Expr(lowest), strict_float(score > highest), Expr(highest), score);
    const Expr finite = (reinterpret<int32_t>(r) & 0x7f800000) != 0x7f800000;
    made(x, y, k) = select(norm > 0.0f, select(finite, clamped, reinterpret<float>(Expr(0x7fc00000))), without);
    scores = made;
    made.vectorize(x, lanes, TailStrategy::Predicate).specialize(!distance);
    for (int d = 0; d < 3; ++d) correlations.dim(d).set_min(0), scores.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) norms.dim(d).set_min(0), energies.dim(d).set_min(0);
    add.dim(0).set_min(0), scale.dim(0).set_min(0);
  }

 private:
  Func made{"made"};
};

// The best of the pairs that columns of a row stand for, `none` to begin with: of two vectors of them side by side, then of their
// halves. Computed for each y of `user`.
template <typename Pair, typename Better>
Tuple best_of_row(Func user, const Expr& columns, int lanes, const Var& y, const Var& k, const Tuple& none,
                  const Pair& pair, const Better& better) {
  Var lane("lane");
  Func most("most");
  const int width = 2 * lanes;
  const RDom v(0, ceiling(columns, width), "v");
  most(lane, y, k) = none;
  // The last vectors overlap those before them.
  const Expr x = within(min(v * width, columns - width) + lane, columns);
  most(lane, y, k) = better(pair(x), Tuple(most(lane, y, k)));
  most.compute_at(user, y).bound_extent(lane, width).vectorize(lane, lanes).unroll(lane);
  most.update().reorder(lane, v).vectorize(lane, lanes).unroll(lane);
  Func all = most;
  for (int half = width / 2; half > 0; half /= 2) {
    Func both("both_" + std::to_string(half));
    both(lane, y, k) = better(Tuple(all(lane, y, k)), Tuple(all(lane + half, y, k)));
    both.compute_at(user, y).bound_extent(lane, half).vectorize(lane, std::min(half, lanes)).unroll(lane);
    all = both;
  }
  return all(0, y, k);
}

// The best score of each row, before it is cut off: -3e38 where there is none. With it the largest magnitude of the row's
// correlations, as bits, which tells whether all were finite. Rows are at least two vectors wide. `flat`: of windows with negative
// norms, what their scores are at most, as they may be off by `error` times the norm's magnitude.
class BestScoresGenerator : public Generator<BestScoresGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<float, 3>> correlations{"correlations"};
  Input<Buffer<float, 2>> norms{"norms"};
  Input<Buffer<float, 2>> energies{"energies"};
  Input<Buffer<float, 1>> add{"add"};
  Input<Buffer<float, 1>> scale{"scale"};
  Input<bool> distance{"distance"};
  Input<bool> flat{"flat"};
  Input<float> error{"error"};
  Output<Buffer<float, 3>> best{"best"};  // ([score, magnitude], y, kernel)

  void generate() {
    Var which("which"), y("y"), k("k");
    const auto pair = [&](const Expr& x) {
      const Expr r = correlations(x, y, k), norm = select(flat, -norms(x, y), norms(x, y));
      const Expr made_of = scaled(distance, r, add(k), energies(x, y), scale(k), norm);
      const Expr score = select(norm > 0.0f && (!flat || norm <= Float(32).max()),
                                select(flat, made_of + error * norm, made_of), Expr(-3e38f));
      return Tuple(score, reinterpret<int32_t>(r) & 0x7fffffff);
    };
    const auto better = [](const Tuple& a, const Tuple& b) {
      return Tuple(select(strict_float(a[0] > b[0]), a[0], b[0]), max(a[1], b[1]));
    };
    const Tuple all =
        best_of_row(made, correlations.dim(0).extent(), lanes, y, k, Tuple(Expr(-3e38f), Expr(0)), pair, better);
    made(which, y, k) = select(which == 0, all[0], reinterpret<float>(all[1]));
    best = made;
    made.bound(which, 0, 2).unroll(which);
    made.specialize(!distance && !flat);
    made.specialize(!distance && flat);
    for (int d = 0; d < 3; ++d) correlations.dim(d).set_min(0), best.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) norms.dim(d).set_min(0), energies.dim(d).set_min(0);
    add.dim(0).set_min(0), scale.dim(0).set_min(0);
  }

 private:
  Func made{"made"};
};

// The largest correlation of each row, or 0, and the largest magnitude, both as bits: a third of the work of its best score, of
// which it tells whether it can be above a bar. Rows as above.
class LargestGenerator : public Generator<LargestGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<int32_t, 3>> correlations{"correlations"};  // (x, y, kernel), as bits
  Output<Buffer<int32_t, 3>> largest{"largest"};           // ([correlation, magnitude], y, kernel)

  void generate() {
    Var which("which"), y("y"), k("k");
    const auto pair = [&](const Expr& x) {
      const Expr bits = correlations(x, y, k);
      return Tuple(bits, bits & 0x7fffffff);
    };
    const auto better = [](const Tuple& a, const Tuple& b) { return Tuple(max(a[0], b[0]), max(a[1], b[1])); };
    const Tuple all =
        best_of_row(made, correlations.dim(0).extent(), lanes, y, k, Tuple(Expr(0), Expr(0)), pair, better);
    made(which, y, k) = select(which == 0, all[0], all[1]);
    largest = made;
    made.bound(which, 0, 2).unroll(which);
    for (int d = 0; d < 3; ++d) correlations.dim(d).set_min(0), largest.dim(d).set_min(0);
  }

 private:
  Func made{"made"};
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::ScoresGenerator, corrbank_scores)
HALIDE_REGISTER_GENERATOR(corrbank_generators::BestScoresGenerator, corrbank_best_scores)
HALIDE_REGISTER_GENERATOR(corrbank_generators::LargestGenerator, corrbank_largest)
