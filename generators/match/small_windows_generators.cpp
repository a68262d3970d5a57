// Sums over all windows of a few pixels a side, in f64 and without taking one off another (windows_generators.cpp has those of any
// size): tiles of columns, in each first the sums of neighbours in a row, on the stack, then of rows.
//
// Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core: DECISIONS.md, 33.
#include "../direct/expressions.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

// As runtime/match/match_kernels.h has them.
constexpr int tile_columns = 32, most_row_sums = 64;  // of windows; of rows of pixels, as many as go onto the stack

// Sums over windows of `count` values of each pixel.
class Windows {
 public:
  template <typename Value>
  Windows(const Expr& high, const Expr& wide, int count, const Value& value)
      : count_(count), across_(0, wide, "across"), down_(0, high, "down") {
    near_(x_, y_, which_) = cast<double>(0);
    near_(x_, y_, which_) += value(x_ + across_, y_, which_);
    row_(x_, y_, which_) = near_(x_, y_, which_);
    sum_(x_, y_, which_) = cast<double>(0);
    sum_(x_, y_, which_) += row_(x_, y_ + down_, which_);
  }
  [[nodiscard]] Expr sum(const Expr& x, const Expr& y, int which) const { return sum_(x, y, which); }
  // For a Func of (x, y) whose tiles are computed one after the other.
  void place(Func user, const Var& x, const Var& y, int lanes, TailStrategy tail) {
    Var tile("tile"), inner("inner");
    const int vector = std::max(1, lanes / 2);
    user.split(x, tile, inner, tile_columns, tail).reorder(inner, y, tile);
    row_.compute_at(user, tile).store_in(MemoryType::Stack).bound_storage(y_, most_row_sums / count_);
    near_.compute_at(row_, y_);
    sum_.compute_at(user, y);
    for (Func* f : {&near_, &row_, &sum_}) {
      f->bound_extent(x_, tile_columns).bound(which_, 0, count_).reorder(x_, which_, y_);
      f->vectorize(x_, vector).unroll(x_).unroll(which_);
    }
    near_.update().reorder(x_, which_, across_, y_).vectorize(x_, vector).unroll(x_).unroll(which_);
    sum_.update().reorder(x_, which_, down_, y_).vectorize(x_, vector).unroll(x_).unroll(which_);
    user.vectorize(inner, vector).unroll(inner);
  }

 private:
  int count_;
  Var x_{"x"}, y_{"y"}, which_{"which"};
  RDom across_, down_;
  Func near_{"near"}, row_{"row"}, sum_{"sum"};
};

// What scores are multiplied by: 1 / sqrt(norm) where that is more than `least` of the energy and both are finite, else 0.
Expr inverse(const Expr& norm, const Expr& energy, const Expr& least) {
  const Expr most = Expr(3e38);
  return select(strict_float(energy < most && norm < most) && norm > least * energy,  // false for NaN
                1.0f / sqrt(cast<float>(norm)), 0.0f);
}

// Norms of an image of one channel, less `offset`: of energy + sum * (linear + quadratic * sum) + constant. Rows are at least a
// tile wide; the last tile ends where they do. Negative where the energy is more than `most` times what the norm
// is made of, minus infinity where more than `far` times.
class SmallNormsGenerator : public Generator<SmallNormsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<float, 2>> pixels{"pixels"};
  Input<int32_t> high{"high"};
  Input<int32_t> wide{"wide"};
  Input<float> offset{"offset"};
  Input<double> linear{"linear"};
  Input<double> quadratic{"quadratic"};
  Input<double> constant{"constant"};
  Input<double> least{"least"};
  Input<double> most{"most"};
  Input<double> far{"far"};
  Output<Buffer<float, 2>> norms{"norms"};

  void generate() {
    Var x("x"), y("y");
    Windows windows(high, wide, 2, [&](const Expr& px, const Expr& py, const Expr& which) {
      const Expr value = cast<double>(pixels(within(px, pixels.dim(0).extent()), within(py, pixels.dim(1).extent()))) -
                         cast<double>(offset);
      return select(which == 0, value, value * value);
    });
    const Expr plain = windows.sum(x, y, 0), energy = windows.sum(x, y, 1);
    const Expr norm = energy + plain * (linear + quadratic * plain) + constant;
    const Expr made = inverse(norm, energy, least);
    norms(x, y) =
        select(made > 0.0f && energy > far * norm, -Float(32).max() * 2.0f, energy > most * norm, -made, made);
    windows.place(norms, x, y, lanes, TailStrategy::ShiftInwards);
    Func(norms).specialize(offset == 0.0f);  // 43 ms of hd1's find() on x86_sse41 rather than 46
    for (int d = 0; d < 2; ++d) pixels.dim(d).set_min(0), norms.dim(d).set_min(0);
  }
};

// One or two of several channels, less an offset each: squares of pixels and of sums are added to what other channels have
// brought. Windows and squares come in whole tiles.
class SmallChannelsGenerator : public Generator<SmallChannelsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<float, 3>> pixels{"pixels"};  // (x, y, channel): two, though they may be the same
  Input<bool> both{"both"};                  // else the first alone counts
  Input<int32_t> high{"high"};
  Input<int32_t> wide{"wide"};
  Input<float> first_offset{"first_offset"};
  Input<float> second_offset{"second_offset"};
  Input<Buffer<double, 2>> squares_before{"squares_before"};  // (x, y) of pixels; the memory of squares
  Input<Buffer<double, 2>> sums_before{"sums_before"};        // (x, y) of windows; the memory of sums
  Output<Buffer<double, 2>> squares{"squares"};
  Output<Buffer<double, 2>> sums{"sums"};

  void generate() {
    Var x("x"), y("y"), outer("outer"), inner("inner");
    const auto pixel = [&](const Expr& px, const Expr& py, const Expr& channel) {
      return cast<double>(pixels(within(px, pixels.dim(0).extent()), within(py, pixels.dim(1).extent()), channel));
    };
    const auto added = [&](const Expr& first, const Expr& second) {
      return first * first + select(both, second * second, cast<double>(0));
    };
    const Expr offsets[] = {cast<double>(first_offset), cast<double>(second_offset)};
    squares(x, y) = squares_before(x, y) + added(pixel(x, y, 0) - offsets[0], pixel(x, y, 1) - offsets[1]);
    // In f64 sums lose nothing by an offset that is taken off them at once.
    Windows windows(high, wide, 2, pixel);
    const Expr area = cast<double>(high * wide);
    sums(x, y) =
        sums_before(x, y) + added(windows.sum(x, y, 0) - area * offsets[0], windows.sum(x, y, 1) - area * offsets[1]);
    windows.place(sums, x, y, lanes, TailStrategy::RoundUp);
    Func plane = squares;
    plane.split(x, outer, inner, tile_columns, TailStrategy::RoundUp)
        .vectorize(inner, std::max(1, int(lanes) / 2))
        .unroll(inner);
    for (int d = 0; d < 3; ++d) pixels.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) {
      squares_before.dim(d).set_min(0), sums_before.dim(d).set_min(0);
      squares.dim(d).set_min(0), sums.dim(d).set_min(0);
    }
  }
};

// Norms of what all channels have brought: of the sum of squares + quadratic * the squares of sums. Rows as of single channels.
class SmallSquaresGenerator : public Generator<SmallSquaresGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};

  Input<Buffer<double, 2>> squares{"squares"};
  Input<Buffer<double, 2>> sums{"sums"};
  Input<int32_t> high{"high"};
  Input<int32_t> wide{"wide"};
  Input<double> quadratic{"quadratic"};
  Input<double> least{"least"};
  Output<Buffer<float, 2>> norms{"norms"};

  void generate() {
    Var x("x"), y("y");
    Windows windows(high, wide, 1, [&](const Expr& px, const Expr& py, const Expr&) {
      return squares(within(px, squares.dim(0).extent()), within(py, squares.dim(1).extent()));
    });
    const Expr energy = windows.sum(x, y, 0);
    norms(x, y) = inverse(energy + quadratic * sums(x, y), energy, least);
    windows.place(norms, x, y, lanes, TailStrategy::ShiftInwards);
    for (int d = 0; d < 2; ++d) squares.dim(d).set_min(0), sums.dim(d).set_min(0), norms.dim(d).set_min(0);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::SmallNormsGenerator, corrbank_small_norms)
HALIDE_REGISTER_GENERATOR(corrbank_generators::SmallChannelsGenerator, corrbank_small_channels)
HALIDE_REGISTER_GENERATOR(corrbank_generators::SmallSquaresGenerator, corrbank_small_squares)
