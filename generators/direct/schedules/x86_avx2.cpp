#include "schedule.h"

namespace corrbank_generators {

// Evidence, 2026-11-23, AMD EPYC ("Zen 5", FMA peak 124 GFLOP/s with 256 bits), one core: 86 to 95 % of the FMA peak at
// K >= 8. 16 registers: 12 sums, 3 vectors of the image, 1 weight (rows 3x4); pixels tiles 10 sums, and a pointer
// reloaded each tap.
void schedule_x86_avx2(DirectFuncs& funcs, const TileShape& shape) { schedule_register_tile(funcs, shape); }

}  // namespace corrbank_generators
