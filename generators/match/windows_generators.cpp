// Sums over all windows of one size, in f64 and without taking one off another, so that neither NaN nor large values reach
// other windows than their own (runtime/match/windows.h).
//
// Columns first: rows come in groups of a window's height; each window is the end of one group and the beginning of the next, so
// two running sums a group make all (the method of van Herk and Gil-Werman, Pattern Recognition Letters 13 (1992) and 14 (1993),
// with sums in place of maxima). Then rows: sums of eight neighbours, and of as many as are left over, which add up to any width
// from places that are whole vectors apart.
//
// Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core: DECISIONS.md, 31 and 33.
#include "../direct/expressions.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

// The sums of pixels, less an offset, and of their squares. In f32 a difference can lose what flat windows are made of.
constexpr int sum_count = 2;

Expr value_of(const Expr& pixel, const Expr& offset, const Expr& which) {
  const Expr wide = cast<double>(pixel) - offset;
  return select(which == 0, wide, wide * wide);
}

// Running sums of a group of `high` rows from its end: below(x, i) = rows [i, high).
class WindowColumnsGenerator : public Generator<WindowColumnsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of f32

  Input<Buffer<float, 2>> pixels{"pixels"};  // (x, y)
  Input<double> offset{"offset"};
  Input<int32_t> high{"high"};
  Output<Buffer<double, 3>> below{"below"};  // (x, i, sum)

  void generate() {
    Var x("x"), i("i"), sum("sum"), outer("outer"), inner("inner");
    const int vector = std::max(1, int(lanes) / 2), columns = 4 * vector;
    const auto value = [&](const Expr& row) {
      return value_of(pixels(within(x, pixels.dim(0).extent()), within(row, pixels.dim(1).extent())), offset, sum);
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

// One row of windows, in whole vectors: its sums of `wide` neighbours S and Q (of squares), of column sums below + above.
class WindowSums {
 public:
  Func column{"column"}, near{"near"}, after{"after"};

  // For the next row `next`, a row of pixels, is added to above.
  template <typename Doubles, typename Floats>
  WindowSums(const Doubles& below, const Doubles& above, const Floats& next, const Expr& offset, const Expr& wide)
      : some_(0, wide & 7, "some"), others_(wide & 7, 8 - (wide & 7), "others"), eights_(0, wide >> 3, "eights") {
    column(x_, sum_) = below(x_, sum_) + above(x_, sum_);
    const auto column_at = [&](const Expr& at) { return column(within(at, below.dim(0).extent()), sum_); };
    few_(x_, sum_) = cast<double>(0);
    few_(x_, sum_) += column_at(x_ + some_);
    eight_(x_, sum_) = few_(x_, sum_);
    eight_(x_, sum_) += column_at(x_ + others_);
    near(x_, which_, sum_) = select(which_ == 0, few_(x_, sum_), eight_(x_, sum_));
    const Expr extent = near.output_buffer().dim(0).extent();
    total_(x_, sum_) = near(within(x_ + 8 * (wide >> 3), extent), 0, sum_);
    total_(x_, sum_) += near(within(x_ + 8 * eights_, extent), 1, sum_);
    after(x_, sum_) = above(x_, sum_) + value_of(next(x_), offset, sum_);
  }
  [[nodiscard]] Expr plain(const Expr& x) const { return total_(x, 0); }
  [[nodiscard]] Expr squares(const Expr& x) const { return total_(x, 1); }

  // `user` of (x) or (x, which), the sums of a few vectors after those of others.
  void place(Func user, const Var& x, int lanes) {
    // Vectors of 32 bytes: of loads from anywhere wider ones cross a line each.
    const int vector = std::max(1, std::min(4, lanes / 2)), tile = 4 * vector;
    for (Func* f : {&column, &after}) {
      f->bound(sum_, 0, sum_count).reorder(x_, sum_).unroll(sum_);
      f->vectorize(x_, std::max(1, lanes / 2), TailStrategy::RoundUp);
    }
    Var outer("outer"), inner("inner");
    near.bound(sum_, 0, sum_count).bound(which_, 0, 2).split(x_, outer, inner, tile, TailStrategy::RoundUp);
    near.reorder(inner, which_, sum_, outer).unroll(sum_).vectorize(inner, vector).unroll(inner).unroll(which_);
    place(few_, near, outer, some_, vector);
    place(eight_, near, outer, others_, vector);
    user.split(x, outer, inner, tile, TailStrategy::RoundUp).vectorize(inner, vector).unroll(inner);
    place(total_, user, outer, eights_, vector);
  }

 private:
  void place(Func f, const Func& user, const Var& outer, const RDom& over, int vector) {
    f.compute_at(user, outer).bound_extent(x_, 4 * vector).bound_extent(sum_, sum_count);
    f.vectorize(x_, vector).unroll(x_).unroll(sum_);
    f.update().reorder(x_, sum_, over.x).vectorize(x_, vector).unroll(x_).unroll(sum_);
  }

  Var x_{"x"}, sum_{"sum"}, which_{"which"};
  RDom some_, others_, eights_;
  Func few_{"few"}, eight_{"eight"}, total_{"total"};
};

// A channel's sums, added to what other channels have brought, if there is anything:
//   energy += Q,  norm += Q + S * (linear + quadratic * S) + constant,  total += S
Expr added(const Expr& plain, const Expr& squares, const Expr& linear, const Expr& quadratic, const Expr& constant,
           const Expr& which) {
  return select(which == 0, squares,
                select(which == 1, squares + plain * (linear + quadratic * plain) + constant, plain));
}

class WindowRowGenerator : public Generator<WindowRowGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of f32

  Input<Buffer<double, 2>> below{"below"};  // (x, sum)
  Input<Buffer<double, 2>> above{"above"};
  Input<Buffer<float, 1>> next{"next"};
  Input<double> offset{"offset"};
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
    const Var x("x"), which("which");
    WindowSums windows(below, above, next, offset, wide);
    Func result("result");
    const Expr here = added(windows.plain(x), windows.squares(x), linear, quadratic, constant, which);
    result(x, which) = select(first, here, before(x, which) + here);
    columns = windows.column, neighbours = windows.near, above_next = windows.after, sums = result;
    windows.place(result, x, lanes);
    result.bound(which, 0, 3).unroll(which).specialize(first);
    for (int d = 0; d < 2; ++d) {
      below.dim(d).set_min(0), above.dim(d).set_min(0), before.dim(d).set_min(0);
      columns.dim(d).set_min(0), above_next.dim(d).set_min(0), sums.dim(d).set_min(0);
    }
    next.dim(0).set_min(0);
    for (int d = 0; d < 3; ++d) neighbours.dim(d).set_min(0);
  }
};

// Of the last channel: what scores are multiplied by, in f32: 1 / sqrt(norm + of_total * total^2) where that is more than `least`
// of the energy and both are finite, else 0; or 1 where nothing is divided. And energies.
class WindowLastRowGenerator : public Generator<WindowLastRowGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<double, 2>> below{"below"};
  Input<Buffer<double, 2>> above{"above"};
  Input<Buffer<float, 1>> next{"next"};
  Input<double> offset{"offset"};
  Input<Buffer<double, 2>> before{"before"};
  Input<bool> first{"first"};
  Input<int32_t> wide{"wide"};
  Input<double> linear{"linear"};
  Input<double> quadratic{"quadratic"};
  Input<double> constant{"constant"};
  Input<bool> normed{"normed"};
  Input<double> of_total{"of_total"};
  Input<double> least{"least"};
  Output<Buffer<double, 2>> columns{"columns"};
  Output<Buffer<double, 3>> neighbours{"neighbours"};
  Output<Buffer<double, 2>> above_next{"above_next"};
  Output<Buffer<float, 2>> norms{"norms"};  // (x, [norm, energy])

  void generate() {
    const Var x("x"), which("which");
    WindowSums windows(below, above, next, offset, wide);
    const auto all = [&](int number) {
      const Expr here = added(windows.plain(x), windows.squares(x), linear, quadratic, constant, number);
      return select(first, here, before(x, number) + here);
    };
    const Expr energy = all(0), total = all(2), norm = all(1) + of_total * total * total;
    const Expr most = Expr(3e38);
    const Expr finite = energy < most && (!normed || norm < most);  // false for NaN
    const Expr valid = strict_float(finite) && (!normed || norm > least * energy);
    Func result("result");
    result(x, which) = select(which == 1, cast<float>(energy),
                              select(valid, select(normed, 1.0f / sqrt(cast<float>(norm)), 1.0f), 0.0f));
    columns = windows.column, neighbours = windows.near, above_next = windows.after, norms = result;
    windows.place(result, x, lanes);
    result.bound(which, 0, 2).unroll(which).specialize(first && normed);
    for (int d = 0; d < 2; ++d) {
      below.dim(d).set_min(0), above.dim(d).set_min(0), before.dim(d).set_min(0);
      columns.dim(d).set_min(0), above_next.dim(d).set_min(0), norms.dim(d).set_min(0);
    }
    next.dim(0).set_min(0);
    for (int d = 0; d < 3; ++d) neighbours.dim(d).set_min(0);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::WindowColumnsGenerator, corrbank_window_columns)
HALIDE_REGISTER_GENERATOR(corrbank_generators::WindowRowGenerator, corrbank_window_row)
HALIDE_REGISTER_GENERATOR(corrbank_generators::WindowLastRowGenerator, corrbank_window_last_row)
