// Sums over all windows of one size, in f64 and without taking one off another, so that neither NaN nor large values reach
// other windows than their own (runtime/match/windows.h).
//
// Columns first: rows come in groups of a window's height; each window is the end of one group and the beginning of the
// next, so two running sums a group make all (the method of van Herk and Gil-Werman, Pattern Recognition Letters 13 (1992)
// and 14 (1993), with sums in place of maxima). Then rows: sums of 1, 2, 4, ... neighbours in turn, which add up to any width.
//
// Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core: DECISIONS.md, 31.
#include "../direct/expressions.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

// The sums of pixels, and of their squares.
constexpr int sum_count = 2;

Expr value_of(const Expr& pixel, const Expr& which) {
  const Expr wide = cast<double>(pixel);
  return select(which == 0, wide, wide * wide);
}

// Running sums of a group of `high` rows and the next: below(x, i) = rows [i, high), above(x, i) = rows [high, high + i).
class WindowColumnsGenerator : public Generator<WindowColumnsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of f32

  Input<Buffer<float, 2>> pixels{"pixels"};  // (x, y), 2 high - 1 rows
  Input<int32_t> high{"high"};
  Output<Buffer<double, 3>> below{"below"};  // (x, i, sum)
  Output<Buffer<double, 3>> above{"above"};

  void generate() {
    Var x("x"), i("i"), sum("sum"), outer("outer"), inner("inner");
    const int columns = 4 * std::max(1, int(lanes) / 2);
    const auto value = [&](const Expr& row) {
      return value_of(pixels(within(x, pixels.dim(0).extent()), within(row, pixels.dim(1).extent())), sum);
    };
    Func from_end("from_end"), from_start("from_start");
    from_end(x, i, sum) = undef<double>();
    from_end(x, high - 1, sum) = value(high - 1);
    RDom up(0, high - 1, "up");
    const Expr row = high - 2 - up;
    from_end(x, row, sum) = from_end(x, row + 1, sum) + value(row);
    from_start(x, i, sum) = undef<double>();
    from_start(x, 0, sum) = cast<double>(0);
    RDom down(0, high - 1, "down");
    from_start(x, down + 1, sum) = from_start(x, down, sum) + value(high + down);
    below = from_end;
    above = from_start;
    for (Func* scan : {&from_end, &from_start}) {
      const RVar steps = scan == &from_end ? RVar(up.x) : RVar(down.x);
      scan->bound(sum, 0, sum_count);
      scan->update(0).unroll(sum).vectorize(x, std::max(1, int(lanes) / 2), TailStrategy::RoundUp);
      scan->update(1)
          .split(x, outer, inner, columns, TailStrategy::RoundUp)
          .reorder(inner, sum, steps, outer)
          .unroll(sum)
          .vectorize(inner, std::max(1, int(lanes) / 2))
          .unroll(inner);
    }
    for (int d = 0; d < 2; ++d) pixels.dim(d).set_min(0);
    for (int d = 0; d < 3; ++d) below.dim(d).set_min(0);
    for (int d = 0; d < 3; ++d) above.dim(d).set_min(0);
  }
};

// One row of windows, in whole vectors: its sums of `wide` neighbours S and Q (of squares), added to what other channels have brought:
//   energy += Q,  norm += Q + S * (linear + quadratic * S) + constant,  total += S
class WindowRowGenerator : public Generator<WindowRowGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of f32

  Input<Buffer<double, 2>> below{"below"};    // (x, sum)
  Input<Buffer<double, 2>> above{"above"};    // (x, sum)
  Input<Buffer<double, 2>> before{"before"};  // (x, [energy, norm, total])
  Input<int32_t> wide{"wide"};
  Input<int32_t> steps{"steps"};  // wide < 2^steps
  Input<double> linear{"linear"};
  Input<double> quadratic{"quadratic"};
  Input<double> constant{"constant"};
  Output<Buffer<double, 3>> neighbours{"neighbours"};  // (x, step, sum): sums of 2^step; memory for these
  Output<Buffer<double, 2>> sums{"sums"};

  void generate() {
    Var x("x"), step("step"), sum("sum"), which("which");
    const int vector = std::max(1, int(lanes) / 2);
    const Expr columns = below.dim(0).extent();
    Func doubled("doubled"), total("total"), result("result");
    doubled(x, step, sum) = undef<double>();
    doubled(x, 0, sum) = below(within(x, columns), sum) + above(within(x, columns), sum);
    const Expr room = doubled.output_buffer().dim(0).extent();
    RDom r(0, vector, 0, quotient(columns, vector), 0, steps - 1, "r");
    const Expr size = cast<int>(1) << r.z, at = r.y * vector + r.x;
    const Expr to = within(at, room), from = within(at + size, room);
    doubled(to, r.z + 1, sum) = doubled(to, r.z, sum) + doubled(from, r.z, sum);
    RDom s(0, steps, "s");
    total(x, sum) = cast<double>(0);
    const Expr bit = cast<int>(1) << s;
    s.where((wide & bit) != 0);
    total(x, sum) += doubled(within(x + (wide & (bit - 1)), room), s, sum);
    const Expr plain = total(x, 0), squares = total(x, 1);
    result(x, which) =
        before(x, which) + select(which == 0, squares,
                                  select(which == 1, squares + plain * (linear + quadratic * plain) + constant, plain));
    neighbours = doubled;
    sums = result;

    doubled.bound(sum, 0, sum_count);
    doubled.update(0).unroll(sum).vectorize(x, vector, TailStrategy::RoundUp);
    doubled.update(1).allow_race_conditions().reorder(r.x, r.y, r.z, sum).vectorize(r.x);
    Var outer("outer"), inner("inner");
    result.bound(which, 0, 3)
        .split(x, outer, inner, 2 * vector, TailStrategy::RoundUp)
        .reorder(inner, which, outer)
        .vectorize(inner, vector)
        .unroll(inner)
        .unroll(which);
    total.compute_at(result, outer)
        .bound_extent(x, 2 * vector)
        .bound_extent(sum, sum_count)
        .vectorize(x, vector)
        .unroll(x)
        .unroll(sum);
    total.update().reorder(x, sum, s).vectorize(x, vector).unroll(x).unroll(sum);
    for (int d = 0; d < 2; ++d) below.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) above.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) before.dim(d).set_min(0);
    for (int d = 0; d < 3; ++d) neighbours.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) sums.dim(d).set_min(0);
  }
};

// What scores are multiplied by, in f32: 1 / sqrt(norm) where norm is more than `least` of the energy and both are finite, else
// 0; or 1 where nothing is divided.
class WindowNormsGenerator : public Generator<WindowNormsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<double, 3>> sums{"sums"};  // (x, [energy, norm, total], y)
  Input<bool> normed{"normed"};
  Input<double> of_total{"of_total"};  // norm += of_total * total^2
  Input<double> least{"least"};
  Output<Buffer<float, 2>> norms{"norms"};
  Output<Buffer<float, 2>> energies{"energies"};

  void generate() {
    Var x("x"), y("y");
    Func norm_of("norm_of"), energy_of("energy_of");
    const Expr energy = sums(x, 0, y), total = sums(x, 2, y);
    const Expr norm = sums(x, 1, y) + of_total * total * total;
    const Expr most = Expr(3e38);
    const Expr finite = energy < most && (!normed || norm < most);  // false for NaN
    const Expr valid = strict_float(finite) && (!normed || norm > least * energy);
    norm_of(x, y) = select(valid, select(normed, 1.0f / sqrt(cast<float>(norm)), 1.0f), 0.0f);
    energy_of(x, y) = cast<float>(energy);
    norms = norm_of;
    energies = energy_of;
    norm_of.vectorize(x, lanes, TailStrategy::GuardWithIf);
    energy_of.vectorize(x, lanes, TailStrategy::GuardWithIf);
    for (int d = 0; d < 3; ++d) sums.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) norms.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) energies.dim(d).set_min(0);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::WindowColumnsGenerator, corrbank_window_columns)
HALIDE_REGISTER_GENERATOR(corrbank_generators::WindowRowGenerator, corrbank_window_row)
HALIDE_REGISTER_GENERATOR(corrbank_generators::WindowNormsGenerator, corrbank_window_norms)
