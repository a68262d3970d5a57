// Correlation in f64, for integers and for windows too flat for f32, of as many windows as are wanted: places of 8 that lie side by
// side.
//
//   sums(x, place, kernel) = sum over taps of image(places(place) + x + offsets(tap)) * weights(kernel, tap)
//
// A tile holds `positions` vectors of windows times `kernels` sums in registers: 4 x 4 of AVX-512's 32, 2 x 4 of 16, which are as
// many as hide the latency of two multiply-adds a cycle. Where a place has more vectors than that, it has fewer kernels.
#include "../direct/expressions.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class ExactGenerator : public Generator<ExactGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};  // of f32
  GeneratorParam<int> positions{"positions", 1, 1, 64};
  GeneratorParam<int> kernels{"kernels", 4, 1, 64};

  Input<Buffer<double, 1>> image{"image"};
  Input<Buffer<double, 2>> weights{"weights"};
  Input<Buffer<int32_t, 1>> offsets{"offsets"};
  Input<Buffer<int32_t, 1>> places{"places"};
  Output<Buffer<double, 3>> sums{"sums"};

  void generate() {
    tap = RDom(0, offsets.dim(0).extent(), "tap");
    sum(x, place, kernel) = cast<double>(0);
    sum(x, place, kernel) +=
        weights(kernel, tap) * image(within(places(place) + x + offsets(tap), image.dim(0).extent()));
    sums(x, place, kernel) = sum(x, place, kernel);

    image.dim(0).set_min(0);
    weights.dim(0).set_min(0).set_stride(1);
    weights.dim(1).set_min(0);
    offsets.dim(0).set_min(0);
    places.dim(0).set_min(0);
    for (int d = 0; d < 3; ++d) sums.dim(d).set_min(0);
    sums.dim(0).set_extent(columns);
    sums.dim(1).set_stride(columns);
  }

  void schedule() {
    const int vector = std::min(columns, std::max(1, int(lanes) / 2)), vectors = columns / vector;
    const int places_at_once = std::max(1, int(positions) / vectors);
    const int kernels_at_once = std::max(1, int(kernels) * std::min(int(positions), vectors) / vectors);
    Var place_block("place_block"), kernel_block("kernel_block"), pi("pi"), ki("ki");
    Func made = sums;
    made.split(place, place_block, pi, places_at_once, TailStrategy::RoundUp)
        .split(kernel, kernel_block, ki, kernels_at_once, TailStrategy::RoundUp)
        .reorder(x, pi, ki, place_block, kernel_block)
        .bound(x, 0, columns)
        .vectorize(x, vector)
        .unroll(x)
        .unroll(pi)
        .unroll(ki);
    sum.compute_at(made, place_block)
        .bound_extent(x, columns)
        .bound_extent(place, places_at_once)
        .bound_extent(kernel, kernels_at_once)
        .vectorize(x, vector)
        .unroll(x)
        .unroll(place)
        .unroll(kernel);
    sum.update().reorder(x, place, kernel, tap).vectorize(x, vector).unroll(x).unroll(place).unroll(kernel);
  }

 private:
  static constexpr int columns = 8;  // of a place, as runtime/match/match_kernels.h has them

  Var x{"x"}, place{"place"}, kernel{"kernel"};
  RDom tap;
  Func sum{"sum"};
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::ExactGenerator, corrbank_exact)
