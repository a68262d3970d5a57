// Stages of a match over pixels of f32 for processors with AVX2.
#include "match/f32_stages.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "match/lanes_avx2.h"
// After it:
#include "match/f32_stages_by_lanes.h"

namespace corrbank::detail {

const F32Stages f32_stages_avx2 = avx2::stages;

}  // namespace corrbank::detail
#endif
