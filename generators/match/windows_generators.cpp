// Sums over all windows of one size, in f64 and without taking one off another, so that neither NaN nor large values reach
// other windows than their own (runtime/match/windows.h).
//
// Columns first: rows come in groups of a window's height; each window is the end of one group and the beginning of the next, so
// two running sums a group make all (the method of van Herk and Gil-Werman, Pattern Recognition Letters 13 (1992) and 14 (1993),
// with sums in place of maxima). Then rows: sums of eight neighbours, and of as many as are left over, which add up to any width
// from places that are whole vectors apart.
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

// Running sums of a group of `high` rows from its end: below(x, i) = rows [i, high).
class WindowColumnsGenerator : public Generator<WindowColumnsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of f32

  Input<Buffer<float, 2>> pixels{"pixels"};  // (x, y)
  Input<int32_t> high{"high"};
  Output<Buffer<double, 3>> below{"below"};  // (x, i, sum)

  void generate() {
    Var x("x"), i("i"), sum("sum"), outer("outer"), inner("inner");
    const int vector = std::max(1, int(lanes) / 2), columns = 4 * vector;
    const auto value = [&](const Expr& row) {
      return value_of(pixels(within(x, pixels.dim(0).extent()), within(row, pixels.dim(1).extent())), sum);
    };
    Func from_end("from_end");
    from_end(x, i, sum) = undef<double>();
    from_end(x, high - 1, sum) = value(high - 1);
    const RDom up(0, high - 1, "up");
    const Expr row = high - 2 - up;
    from_end(x, row, sum) = from_end(x, row + 1, sum) + value(row);
    below = from_end;
    from_end.bound(sum, 0, sum_count);
    from_end.update(0).unroll(sum).vectorize(x, vector, TailStrategy::RoundUp);
    from_end.update(1)
        .split(x, outer, inner, columns, TailStrategy::RoundUp)
        .reorder(inner, sum, up, outer)
        .unroll(sum)
        .vectorize(inner, vector)
        .unroll(inner);
    for (int d = 0; d < 2; ++d) pixels.dim(d).set_min(0);
    for (int d = 0; d < 3; ++d) below.dim(d).set_min(0);
  }
};

// One row of windows, in whole vectors: its sums of `wide` neighbours S and Q (of squares), added to what other channels have
// brought, if any have:
//   energy += Q,  norm += Q + S * (linear + quadratic * S) + constant,  total += S
// of column sums below + above. For the next row `next`, a row of pixels, is added to above.
class WindowRowGenerator : public Generator<WindowRowGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of f32

  Input<Buffer<double, 2>> below{"below"};  // (x, sum)
  Input<Buffer<double, 2>> above{"above"};
  Input<Buffer<float, 1>> next{"next"};
  Input<Buffer<double, 2>> before{"before"};  // (x, [energy, norm, total])
  Input<bool> first{"first"};                 // there is nothing before
  Input<int32_t> wide{"wide"};
  Input<double> linear{"linear"};
  Input<double> quadratic{"quadratic"};
  Input<double> constant{"constant"};
  Output<Buffer<double, 2>> columns{"columns"};        // (x, sum); memory
  Output<Buffer<double, 3>> neighbours{"neighbours"};  // (x, [wide mod 8, 8], sum); memory
  Output<Buffer<double, 2>> above_next{"above_next"};
  Output<Buffer<double, 2>> sums{"sums"};

  void generate() {
    // Vectors of 32 bytes: of loads from anywhere wider ones cross a line each.
    const int vector = std::max(1, std::min(4, int(lanes) / 2)), tile = 4 * vector;
    const Expr extent = below.dim(0).extent();
    const Expr left = wide & 7, whole = wide >> 3;
    column(x, sum) = below(x, sum) + above(x, sum);
    const auto column_at = [&](const Expr& at) { return column(within(at, extent), sum); };
    const RDom some(0, left, "some"), others(left, 8 - left, "others"), eights(0, whole, "eights");
    few(x, sum) = cast<double>(0);
    few(x, sum) += column_at(x + some);
    eight(x, sum) = few(x, sum);
    eight(x, sum) += column_at(x + others);
    near(x, which, sum) = select(which == 0, few(x, sum), eight(x, sum));
    const Expr near_extent = near.output_buffer().dim(0).extent();
    total(x, sum) = near(within(x + 8 * whole, near_extent), 0, sum);
    total(x, sum) += near(within(x + 8 * eights, near_extent), 1, sum);
    const Expr plain = total(x, 0), squares = total(x, 1);
    const Expr added =
        select(which == 0, squares,
               select(which == 1, squares + plain * (linear + quadratic * plain) + constant, plain));
    result(x, which) = select(first, added, before(x, which) + added);
    after(x, sum) = above(x, sum) + value_of(next(x), sum);
    columns = column, neighbours = near, above_next = after, sums = result;

    for (Func* f : {&column, &after}) {
      f->bound(sum, 0, sum_count).reorder(x, sum).vectorize(x, std::max(1, int(lanes) / 2), TailStrategy::RoundUp).unroll(sum);
    }
    near.bound(sum, 0, sum_count).bound(which, 0, 2);
    result.bound(which, 0, 3);
    for (Func* made : {&near, &result}) {
      Var outer("outer"), inner("inner");
      made->split(x, outer, inner, tile, TailStrategy::RoundUp);
      if (made == &near) {
        made->reorder(inner, which, sum, outer).unroll(sum);
      } else {
        made->reorder(inner, which, outer);
      }
      made->vectorize(inner, vector).unroll(inner).unroll(which);
      const std::vector<Func*> inside = made == &near ? std::vector<Func*>{&few, &eight} : std::vector<Func*>{&total};
      for (Func* f : inside) {
        f->compute_at(*made, outer).bound_extent(x, tile).bound_extent(sum, sum_count);
        f->vectorize(x, vector).unroll(x).unroll(sum);
        f->update().reorder(x, sum, f == &few ? RVar(some.x) : f == &eight ? RVar(others.x) : RVar(eights.x));
        f->update().vectorize(x, vector).unroll(x).unroll(sum);
      }
    }
    result.specialize(first);
    for (Input<Buffer<double, 2>>* in : {&below, &above, &before}) {
      for (int d = 0; d < 2; ++d) in->dim(d).set_min(0);
    }
    next.dim(0).set_min(0);
    for (Output<Buffer<double, 2>>* out : {&columns, &above_next, &sums}) {
      for (int d = 0; d < 2; ++d) out->dim(d).set_min(0);
    }
    for (int d = 0; d < 3; ++d) neighbours.dim(d).set_min(0);
  }

 private:
  Var x{"x"}, sum{"sum"}, which{"which"};
  Func column{"column"}, few{"few"}, eight{"eight"}, near{"near"}, total{"total"}, result{"result"}, after{"after"};
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
