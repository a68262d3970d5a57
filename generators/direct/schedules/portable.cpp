#include "schedule.h"

namespace corrbank_generators {

// The same tiles as x86_sse41 in the instructions every x86-64 has: 67 to 70 % of the peak of separate multiply and add
// (2026-11-23, AMD EPYC "Zen 5", one core).
void schedule_portable(DirectFuncs& funcs, const TileShape& shape) { schedule_register_tile(funcs, shape); }

}  // namespace corrbank_generators
