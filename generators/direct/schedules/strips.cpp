#include "schedule.h"

namespace corrbank_generators {

using namespace Halide;

// Evidence, 2026-11-23, one core of an AMD EPYC ("Zen 5", 512-bit units), AVX-512, C = 64, 256 x 256, 3x3, fraction of
// the FMA peak: K = 4 80 % (rows walk 51 %), K = 2 66 to 73 % (39 %), K = 1 55 % (26 %). The image alone, 16.8 MB read at
// 35 GB/s, takes 0.48 ms; the multiply-adds of K = 2 take 0.60 ms. Without the prefetch 39 % at K = 2.
void schedule_strips(StripFuncs& f, const StripShape& shape, GeneratorInput<Buffer<float, 3>>& image) {
  f.responses.update(0).allow_race_conditions().vectorize(f.store_lane).unroll(f.store_row).unroll(f.store_kernel);
  f.sum.compute_at(f.responses, f.store_strip)
      .store_in(MemoryType::Stack)
      .bound_extent(f.lane, shape.lanes)
      .bound_extent(f.row, shape.rows)
      .bound_extent(f.kernel, shape.kernels)
      .bound_storage(f.vector, strip_vectors);
  f.sum.reorder(f.lane, f.row, f.kernel, f.vector).vectorize(f.lane).unroll(f.row).unroll(f.kernel);

  Stage update = f.sum.update(0);
  if (shape.kernels == 1) {
    update.reorder(f.lane, f.row, f.kernel, f.taps.x, f.taps.y, f.vector, f.taps.z);
  } else {
    // A loaded vector is used by all the rows that need it before the next is loaded: fewer live registers.
    update.reorder(f.lane, f.taps.y, f.kernel, f.row, f.taps.x, f.vector, f.taps.z);
  }
  update.vectorize(f.lane)
      .unroll(f.row)
      .unroll(f.kernel)
      .unroll(f.taps.x)
      .unroll(f.taps.y)
      // The same columns, one channel ahead: hardware prefetchers lose the stream at every change of plane.
      .prefetch(image, f.vector, f.taps.z, 1, PrefetchBoundStrategy::NonFaulting);
}

// Evidence, 2026-11-25, assembly of Halide 21.0.0 for 64-bit ARM: the loops of strips 5x3, 6x2 and 4x4 access the stack
// 0, 0 and 2 times, 14, 7 and 22 times with a register for each weight. By llvm-mca 19's model of the Neoverse N1 they do
// 81 to 82 % of two multiply-adds a cycle; the rest are the stores of the sums, and additions that the compiler splits
// off.
void place_strip_weights_in_vectors(StripFuncs& f, const StripShape& shape) {
  if (shape.kernels == 1) return;
  const std::vector<Var> args = f.weight.args();
  f.weight.compute_at(f.sum, f.taps.z)
      .store_in(MemoryType::Register)
      .bound_extent(args[0], shape.kernels)
      .bound_extent(args[1], shape.kernel_size * shape.kernel_size)
      .vectorize(args[0])
      .unroll(args[1]);
}

}  // namespace corrbank_generators
