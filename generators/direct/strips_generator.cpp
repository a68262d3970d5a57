// Build-time program: the kernel rows of walk `strips`.
#include "schedules/schedule.h"
#include "strips_algorithm.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class StripsGenerator : public Generator<StripsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> positions{"positions", 1, 1, 64};  // rows of a strip
  GeneratorParam<int> kernels{"kernels", 1, 1, 64};
  GeneratorParam<int> kernel_size{"kernel_size", 3, 1, 15};

  Input<Buffer<float, 3>> image{"image"};
  Input<Buffer<float, 3>> bank{"bank"};
  Input<int32_t> width{"width"};
  Input<int32_t> rows{"rows"};
  Input<int32_t> response_row_stride{"response_row_stride"};
  Input<int32_t> first_strip{"first_strip"};
  Input<int32_t> end_strip{"end_strip"};
  Output<Buffer<float, 2>> responses{"responses"};

  void generate() {
    const StripShape shape{lanes, positions, kernels, kernel_size};
    StripFuncs funcs =
        strip_correlation({image, bank, width, rows, response_row_stride, first_strip, end_strip}, shape);
    responses = funcs.responses;
    bank.dim(0).set_stride(1);
    for (int d = 0; d < 3; ++d) image.dim(d).set_min(0);
    for (int d = 0; d < 3; ++d) bank.dim(d).set_min(0);
    for (int d = 0; d < 2; ++d) responses.dim(d).set_min(0);
    schedule_strips(funcs, shape, image);
    if (get_target().arch == Target::ARM) place_strip_weights_in_vectors(funcs, shape);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::StripsGenerator, corrbank_strips)
