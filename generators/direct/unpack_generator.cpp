// Build-time program: what the pixels walk leaves in a panel [vector of 16 kernels][pixel][16] goes out to the planes
// of the responses, 16 pixels of 16 planes at a time. One kernel a target.
//
// Stored straight from its registers, a pixels tile writes 5 to 8 neighbouring floats of up to 64 planes: each cache
// line is fetched and written two or three times, and by scalar stores. Through the panel it is written once.
#include <Halide.h>

#include "panel.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class UnpackGenerator : public Generator<UnpackGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> side{"side", 4, 1, 16};  // of the largest squares; less than 4: there are none

  Input<Buffer<float, 2>> panel{"panel"};           // (kernel of 16, pixel)
  Output<Buffer<float, 2>> responses{"responses"};  // (pixel, kernel of 16)

  void generate() {
    Var pixel("pixel"), kernel("kernel");
    responses(pixel, kernel) = panel(kernel, pixel);

    panel.dim(0).set_bounds(0, block_kernels).set_stride(1);
    panel.dim(1).set_min(0).set_stride(block_kernels);
    for (int d = 0; d < 2; ++d) responses.dim(d).set_min(0);
    responses.dim(0).set_stride(1);

    // Squares are gathered into whole vectors of a plane, element by element, and stored as such: 0.6 cycles a response
    // (2026-11-23, AMD EPYC "Zen 5"). Whatever is narrower than the smallest square is stored one by one.
    const Expr pixels = responses.dim(0).extent(), kernels = responses.dim(1).extent();
    for (int n = side; n >= 4; n /= 2) {
      Stage square = Func(responses).specialize(pixels >= n && kernels >= n);
      Var pixel_outer("pixel_outer"), pixel_inner("pixel_inner"), kernel_outer("kernel_outer"),
          kernel_inner("kernel_inner");
      square.split(pixel, pixel_outer, pixel_inner, n, TailStrategy::ShiftInwards)
          .split(kernel, kernel_outer, kernel_inner, n, TailStrategy::ShiftInwards)
          .reorder(pixel_inner, kernel_inner, kernel_outer, pixel_outer)
          .vectorize(pixel_inner)
          .unroll(kernel_inner);
    }
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::UnpackGenerator, corrbank_unpack)
