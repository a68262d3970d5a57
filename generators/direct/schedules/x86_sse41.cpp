#include "schedule.h"

namespace corrbank_generators {

// Evidence, 2026-11-23, AMD EPYC ("Zen 5"), one core: 57 to 69 % of the peak of separate multiply and add, 62 GFLOP/s with
// 128 bits. 16 registers, no fused multiply-add: a product needs a register of its own, so 8 sums (2x4); 3x4 spills.
void schedule_x86_sse41(DirectFuncs& funcs, const TileShape& shape) { schedule_register_tile(funcs, shape); }

}  // namespace corrbank_generators
