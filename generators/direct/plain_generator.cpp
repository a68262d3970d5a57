// The same correlation said in the plainest way, with no schedule: what Halide's autoschedulers make of it is the baseline that
// the report of `./dev tune` shows beside the rows. No library holds it.
#include <Halide.h>

namespace corrbank_generators {
namespace {

using namespace Halide;

class PlainGenerator : public Generator<PlainGenerator> {
 public:
  // The shape that is scheduled for.
  GeneratorParam<int> channels{"channels", 1};
  GeneratorParam<int> height{"height", 1};
  GeneratorParam<int> width{"width", 1};
  GeneratorParam<int> kernels{"kernels", 1};
  GeneratorParam<int> kernel_height{"kernel_height", 1};
  GeneratorParam<int> kernel_width{"kernel_width", 1};

  Input<Buffer<float, 3>> image{"image"};           // (x, y, channel)
  Input<Buffer<float, 4>> bank{"bank"};             // (kernel, column, row, channel): kernels in vectors
  Output<Buffer<float, 3>> responses{"responses"};  // (x, y, kernel)

  void generate() {
    const int c = channels, h = height, w = width, count = kernels, kh = kernel_height, kw = kernel_width;
    Var x("x"), y("y"), k("k");
    RDom taps(0, kw, 0, kh, 0, c, "taps");
    responses(x, y, k) += bank(k, taps.x, taps.y, taps.z) * image(x + taps.x, y + taps.y, taps.z);
    image.set_estimates({{0, w}, {0, h}, {0, c}});
    bank.set_estimates({{0, count}, {0, kw}, {0, kh}, {0, c}});
    responses.set_estimates({{0, w - kw + 1}, {0, h - kh + 1}, {0, count}});
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::PlainGenerator, corrbank_plain)
