#include "schedule.h"

namespace corrbank_generators {

// Evidence, 2026-11-25, assembly of Halide 21.0.0, which multiplies and adds apart on 32-bit ARM: both are 57 to 58 % of
// the instructions in rows of 1x4, 1x6 and 1x7. 16 registers: a product needs one of its own, and the compiler makes
// all products of a tap before it adds them, so 6 or 7 sums; 1x8, 2x4 and 3x3 spill and copy sums.
void schedule_arm32_neon(DirectFuncs& funcs, const TileShape& shape) {
  schedule_register_tile(funcs, shape);
  place_weights_in_vectors(funcs, shape);
}

}  // namespace corrbank_generators
