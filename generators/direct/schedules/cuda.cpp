#include "schedule.h"

namespace corrbank_generators {

using namespace Halide;

void schedule_tiled(TiledFuncs& f, const TiledShape& shape) {
  f.responses.update(0)
      .allow_race_conditions()
      .gpu_blocks(f.store_block)
      .gpu_threads(f.store_thread)
      .unroll(f.store_column)
      .unroll(f.store_row)
      .unroll(f.store_kernel);
  f.sum.compute_at(f.responses, f.store_thread).unroll(f.column).unroll(f.row).unroll(f.kernel);
  for (size_t p = 0; p < f.parts.size(); ++p) {
    TapPart& part = f.parts[p];
    const RVar &tap = part.taps.x, &chunk = part.taps.y, &tap_row = part.taps.z, &channel = part.taps.w;
    f.sum.update(p)
        .reorder(f.kernel, f.column, f.row, tap, chunk, tap_row, channel)
        .unroll(f.kernel)
        .unroll(f.column)
        .unroll(f.row)
        .unroll(tap);
    part.weight.compute_at(f.sum, tap).vectorize(f.kernel, 4).unroll(f.kernel);
  }
}

}  // namespace corrbank_generators
