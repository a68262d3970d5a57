#include "schedule.h"

namespace corrbank_generators {

// Evidence, 2026-11-23, AMD EPYC ("Zen 5", 512-bit units, FMA peak 250 GFLOP/s), one core, `./dev compare`: 89 to 95 % of
// the FMA peak at K >= 16 with 9 taps and more a channel, 85 % for 1x1. 32 registers: 24 or 25 sums, the smaller side of the
// tile loaded once a tap, the other passing by (3x8, 4x6, 5x5, ...); pixels tiles keep up to 8 pixels broadcast, so
// their sums are 16 to 21. At rest in L1 the loops reach 97 %; the rest is the image and the responses in memory.
void schedule_x86_avx512(DirectFuncs& funcs, const TileShape& shape) { schedule_register_tile(funcs, shape); }

}  // namespace corrbank_generators
