// Correlation in f64, for integers and for windows too flat for f32:
//
//   sums(x, y, kernel) = sum over taps of image(x + y * row_stride + offsets(tap)) * weights(kernel, tap)
//
// Columns come in whole tiles; callers bring images wide enough (runtime/match/exact.h). A tile holds `positions` vectors of
// columns times `kernels` sums in registers: 4 x 4 of AVX-512's 32, 2 x 4 of 16, which are as many as hide the latency of
// two multiply-adds a cycle.
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
  Input<int32_t> row_stride{"row_stride"};
  Output<Buffer<double, 3>> sums{"sums"};

  void generate() {
    tap = RDom(0, offsets.dim(0).extent(), "tap");
    sum(x, y, kernel) = cast<double>(0);
    sum(x, y, kernel) +=
        weights(kernel, tap) * image(within(x + (y * row_stride + offsets(tap)), image.dim(0).extent()));
    sums(x, y, kernel) = sum(x, y, kernel);

    image.dim(0).set_min(0);
    weights.dim(0).set_min(0).set_stride(1);
    weights.dim(1).set_min(0);
    offsets.dim(0).set_min(0);
    for (int d = 0; d < 3; ++d) sums.dim(d).set_min(0);
  }

  void schedule() {
    const int vector = std::max(1, int(lanes) / 2), columns = vector * positions;
    Var x_block("x_block"), kernel_block("kernel_block"), xi("xi"), ki("ki");
    Func made = sums;
    made.split(x, x_block, xi, columns, TailStrategy::RoundUp)
        .split(kernel, kernel_block, ki, int(kernels), TailStrategy::RoundUp)
        .reorder(xi, ki, x_block, y, kernel_block)
        .vectorize(xi, vector)
        .unroll(xi)
        .unroll(ki);
    sum.compute_at(made, x_block)
        .bound_extent(x, columns)
        .bound_extent(kernel, int(kernels))
        .vectorize(x, vector)
        .unroll(x)
        .unroll(kernel);
    sum.update().reorder(x, kernel, tap).vectorize(x, vector).unroll(x).unroll(kernel);
  }

 private:
  Var x{"x"}, y{"y"}, kernel{"kernel"};
  RDom tap;
  Func sum{"sum"};
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::ExactGenerator, corrbank_exact)
