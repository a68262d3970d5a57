#include "schedule.h"

namespace corrbank_generators {

// Evidence, 2026-11-25, assembly of Halide 21.0.0, llvm-mca 19 with the model of the Neoverse N1 (that of the
// Cortex-A76's core): rows of 4 and more kernels keep 100 % of two multiply-adds a cycle, 96 % for 5x5, and these are 67
// to 73 % of the instructions. 32 registers: 24 to 28 sums, the weights of a tap loaded as whole vectors and multiplied
// by lane. One by one, as the shared tile loads them, the same rows have 58 to 64 %.
void schedule_arm64_neon(DirectFuncs& funcs, const TileShape& shape) {
  schedule_register_tile(funcs, shape);
  place_weights_in_vectors(funcs, shape);
}

}  // namespace corrbank_generators
