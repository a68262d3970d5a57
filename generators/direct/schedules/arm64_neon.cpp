#include "schedule.h"

namespace corrbank_generators {

void schedule_arm64_neon(DirectFuncs& funcs, const TileShape& shape) { schedule_register_tile(funcs, shape); }

}  // namespace corrbank_generators
