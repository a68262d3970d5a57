#include "schedule.h"

namespace corrbank_generators {

void schedule_x86_avx2(DirectFuncs& funcs, const TileShape& shape) { schedule_register_tile(funcs, shape); }

}  // namespace corrbank_generators
