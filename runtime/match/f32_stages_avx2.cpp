// Stages of a match over pixels of f32 for processors with AVX2.
#include "match/f32_stages.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "match/lanes_avx2.h"
#include "match/small_sums.h"
#include "match/stream_scores_by_lanes.h"
#include "match/window_sums.h"
#include "match/window_totals.h"

namespace corrbank::detail {

const F32Stages f32_stages_avx2{avx2::small_norms,    avx2::small_norms_of_one, avx2::add_windows,
                                avx2::finish_windows, avx2::window_totals,      avx2::stream_scores};

}  // namespace corrbank::detail
#endif
