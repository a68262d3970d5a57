// Correlation of u8 in integers, by the instructions that sum several products at once:
//
//   sums(x, y, kernel) = bias(kernel) + sum over groups of taps g, taps j of one
//                        windows(taps * (x + y * row_stride + offsets(g)) + j) * weights(j, kernel, g)
//
// `taps` neighbours of a row make a group: 4 of 8 bits (vpdpbusd), 2 of 16 bits (pmaddwd), or 1 (smlal). The image comes
// expanded, each element with its next taps - 1 behind it: a vector of windows is then one load, and its lanes are
// neighbours when they are stored. Shuffling elements instead takes as long as the sums (bank15 of bench/shapes.csv with
// vpdpbusd: 46 ms instead of 17), interleaving finished sums 7 instructions a vector.
//
// A tile is 4 vectors of columns x kernels. Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core, in 10^9 products of taps a
// second, where f32 multiply-adds peak at 57: 4 x 4 with vpdpbusd 235, 4 x 1 146, 8 x 1 155, 3 x 8 and 4 x 6 229; pmaddwd
// 88 for 4 x 4 and 4 x 2 (AVX-512, AVX2), whose additions take as many instructions; no tile was faster than these.
#include "../direct/expressions.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

constexpr int positions = 4;

class DotsGenerator : public Generator<DotsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of i32
  GeneratorParam<int> taps{"taps", 4, 1, 4};
  GeneratorParam<int> kernels{"kernels", 4, 1, 64};

  Input<Buffer<void, 1>> windows{"windows"};
  Input<Buffer<void, 3>> weights{"weights"};  // (tap of the group, kernel, group)
  Input<Buffer<int32_t, 1>> offsets{"offsets"};
  Input<Buffer<int32_t, 1>> bias{"bias"};
  Input<int32_t> row_stride{"row_stride"};
  Output<Buffer<int32_t, 3>> sums{"sums"};  // columns come in whole tiles

  void generate() {
    const int columns = positions * lanes;
    r = RDom(0, int(taps), 0, offsets.dim(0).extent(), "r");
    const Expr window = tile * columns + position * int(lanes) + lane + y * row_stride + offsets(r.y);
    const Expr element = windows(within(int(taps) * window + r.x, windows.dim(0).extent()));
    sum(lane, position, kernel, tile, y) = bias(kernel);
    sum(lane, position, kernel, tile, y) += cast<int32_t>(weights(r.x, kernel, r.y)) * cast<int32_t>(element);
    const Expr column = x % columns;
    sums(x, y, kernel) = sum(column % int(lanes), column / int(lanes), kernel, x / columns, y);

    windows.dim(0).set_min(0);
    weights.dim(0).set_bounds(0, int(taps)).set_stride(1);
    weights.dim(1).set_bounds(0, int(kernels)).set_stride(int(taps));
    weights.dim(2).set_min(0).set_stride(int(taps) * int(kernels));
    offsets.dim(0).set_min(0);
    bias.dim(0).set_min(0);
    for (int d = 0; d < 3; ++d) sums.dim(d).set_min(0);
    sums.dim(2).set_extent(int(kernels));
  }

  void schedule() {
    Var x_tile("x_tile"), xi("xi");
    Func made = sums;
    made.split(x, x_tile, xi, positions * lanes, TailStrategy::RoundUp)
        .reorder(xi, kernel, x_tile, y)
        .vectorize(xi, int(lanes))
        .unroll(xi)
        .unroll(kernel);
    sum.compute_at(made, x_tile).reorder(lane, position, kernel).vectorize(lane).unroll(position).unroll(kernel);
    sum.bound_extent(lane, int(lanes)).bound_extent(position, positions).bound_extent(kernel, int(kernels));
    // The side with fewer registers goes innermost, as in direct/schedules/schedule.cpp.
    const bool kernels_inner = int(kernels) < positions;
    const Var &inner = kernels_inner ? kernel : position, &outer = kernels_inner ? position : kernel;
    sum.update().reorder(r.x, lane, inner, outer, r.y);
    sum.update().atomic().vectorize(r.x).vectorize(lane).unroll(inner).unroll(outer);
  }

 private:
  Var x{"x"}, y{"y"}, kernel{"kernel"}, lane{"lane"}, position{"position"}, tile{"tile"};
  RDom r;
  Func sum{"sum"};
};

// A row of such sums made f32, in place: scale * sum + add + sum over maps of factors(map) * maps(x, map). In f64, rounded
// once: what is added can take away all but a small part of the sum.
class DotsToFloatsGenerator : public Generator<DotsToFloatsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of f32

  Input<Buffer<int32_t, 2>> sums{"sums"};  // (x, y); the same memory as floats
  Input<Buffer<int32_t, 3>> maps{"maps"};  // (x, y, map)
  Input<Buffer<double, 1>> factors{"factors"};
  Input<double> scale{"scale"};
  Input<double> add{"add"};
  Output<Buffer<float, 2>> floats{"floats"};  // columns come in whole vectors

  void generate() {
    Var x("x"), y("y");
    RDom map(0, factors.dim(0).extent(), "map");
    Func value("value");
    value(x, y) = scale * cast<double>(sums(x, y)) + add;
    value(x, y) += factors(map) * cast<double>(maps(x, y, map));
    floats(x, y) = cast<float>(value(x, y));
    Var x_tile("x_tile"), xi("xi");
    Func made = floats;
    made.split(x, x_tile, xi, lanes, TailStrategy::RoundUp).vectorize(xi);
    value.compute_at(made, x_tile).bound_extent(x, int(lanes)).vectorize(x);
    value.update().reorder(x, map).vectorize(x);
    for (int d = 0; d < 2; ++d) sums.dim(d).set_min(0), floats.dim(d).set_min(0);
    for (int d = 0; d < 3; ++d) maps.dim(d).set_min(0);
    factors.dim(0).set_min(0);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::DotsGenerator, corrbank_dots)
HALIDE_REGISTER_GENERATOR(corrbank_generators::DotsToFloatsGenerator, corrbank_dots_to_floats)
