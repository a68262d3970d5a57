// Build-time program: one object file for each row of generators/tuned.
#include <stdexcept>

#include "algorithm.h"
#include "panel.h"
#include "schedules/schedule.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class DirectGenerator : public Generator<DirectGenerator> {
 public:
  GeneratorParam<std::string> schedule{"schedule", "portable"};
  GeneratorParam<Walk> walk{"walk", Walk::rows, {{"rows", Walk::rows}, {"pixels", Walk::pixels}}};
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> positions{"positions", 1, 1, 64};
  GeneratorParam<int> kernels{"kernels", 1, 1, 64};
  // Of a row for one geometry; 0: for any.
  GeneratorParam<int> constant_width{"constant_width", 0};
  GeneratorParam<int> constant_inner_taps{"constant_inner_taps", 0};
  GeneratorParam<int> constant_outer_taps{"constant_outer_taps", 0};

  Input<Buffer<float, 2>> image{"image"};
  Input<Buffer<float, 4>> bank{"bank"};
  Input<Buffer<int32_t, 1>> inner{"inner"};
  Input<Buffer<int32_t, 1>> outer{"outer"};
  Input<int32_t> width{"width"};
  Input<int32_t> rows{"rows"};
  Input<int32_t> image_row_stride{"image_row_stride"};
  Input<int32_t> response_row_stride{"response_row_stride"};
  Input<int32_t> first_tile{"first_tile"};
  Input<int32_t> end_tile{"end_tile"};
  Output<Buffer<float, 3>> responses{"responses"};

  void generate() {
    const TileShape shape{walk, lanes, positions, kernels};
    const Expr columns = constant_width > 0 ? Expr(int(constant_width)) : Expr(width);
    DirectFuncs funcs = direct_correlation(
        {image, bank, inner, outer, columns, rows, image_row_stride, response_row_stride, first_tile, end_tile}, shape);
    responses = funcs.responses;

    image.dim(0).set_min(0);
    image.dim(1).set_min(0).set_stride(1);
    bank.dim(0).set_stride(1);
    for (int d = 0; d < 4; ++d) bank.dim(d).set_min(0);
    inner.dim(0).set_min(0);
    outer.dim(0).set_min(0);
    if (constant_inner_taps > 0) inner.dim(0).set_extent(int(constant_inner_taps));
    if (constant_outer_taps > 0) outer.dim(0).set_extent(int(constant_outer_taps));
    for (int d = 0; d < 3; ++d) responses.dim(d).set_min(0);
    // Vectors narrower than a block are neighbours in it.
    if (shape.walk == Walk::pixels && shape.lanes < block_kernels) bank.dim(3).set_stride(shape.lanes);
    if (shape.walk == Walk::pixels) responses.dim(0).set_bounds(0, block_kernels).set_stride(1);
    if (shape.walk == Walk::pixels) responses.dim(1).set_stride(block_kernels);

    const DirectSchedule place = find_direct_schedule(schedule);
    if (place == nullptr) throw std::invalid_argument("unknown schedule " + std::string(schedule));
    place(funcs, shape);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::DirectGenerator, corrbank_direct)
