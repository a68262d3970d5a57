// Build-time program: the kernel rows for GPUs.
#include <stdexcept>

#include "schedules/schedule.h"
#include "tiled_algorithm.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class TiledGenerator : public Generator<TiledGenerator> {
 public:
  GeneratorParam<TiledWalk> walk{
      "walk",
      TiledWalk::thread,
      {{"thread", TiledWalk::thread}, {"warp", TiledWalk::warp}, {"patch", TiledWalk::patch}}};
  GeneratorParam<int> threads_x{"threads_x", 32, 1, 1024};
  GeneratorParam<int> threads_y{"threads_y", 1, 1, 1024};
  GeneratorParam<int> columns{"columns", 1, 1, 16};
  GeneratorParam<int> rows{"rows", 1, 1, 32};
  GeneratorParam<int> kernels{"kernels", 4, 4, 64};
  GeneratorParam<int> kernel_size{"kernel_size", 0, 0, 15};
  GeneratorParam<int> channel_chunk{"channel_chunk", 0, 0, 64};

  Input<Buffer<float, 3>> image{"image"};
  Input<Buffer<float, 4>> bank{"bank"};
  Output<Buffer<float, 3>> responses{"responses"};

  void generate() {
    const TiledShape shape{walk, threads_x, threads_y, columns, rows, kernels, kernel_size, channel_chunk};
    if (shape.walk == TiledWalk::warp) {
      if (shape.threads_x * shape.threads_y != 32 || shape.columns != 1) throw std::invalid_argument("not a warp");
      if (shape.kernel_size == 0 && shape.channel_chunk != 1) throw std::invalid_argument("channel_chunk is not 1");
      WarpFuncs funcs = warp_correlation({image, bank}, shape);
      responses = funcs.responses;
      schedule_warp(funcs, shape);
    } else {
      const bool patch = shape.walk == TiledWalk::patch;
      ThreadFuncs funcs = patch ? patch_correlation({image, bank}, shape) : thread_correlation({image, bank}, shape);
      responses = funcs.responses;
      schedule_threads(funcs, shape);
    }

    for (int d = 0; d < 3; ++d) image.dim(d).set_min(0);
    for (int d = 0; d < 4; ++d) bank.dim(d).set_min(0);
    for (int d = 0; d < 3; ++d) responses.dim(d).set_min(0);
    // Vectors of four weights: the bank's promises of alignment.
    bank.set_host_alignment(16);
    bank.dim(0).set_stride(1);
    bank.dim(1).set_stride((bank.dim(0).extent() / 4) * 4);
    for (int d = 2; d < 4; ++d) bank.dim(d).set_stride(bank.dim(d - 1).stride() * bank.dim(d - 1).extent());
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::TiledGenerator, corrbank_tiled)
