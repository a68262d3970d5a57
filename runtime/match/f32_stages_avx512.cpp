// Stages of a match over pixels of f32 for processors with AVX-512.
#include "match/f32_stages.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "match/lanes_avx512.h"
#include "match/small_sums.h"
#include "match/stream_scores_by_lanes.h"
#include "match/window_sums.h"
#include "match/window_totals.h"

namespace corrbank::detail {

const F32Stages f32_stages_avx512{avx512::small_norms,    avx512::small_norms_of_one, avx512::add_windows,
                                  avx512::finish_windows, avx512::window_totals,      avx512::stream_scores};

}  // namespace corrbank::detail
#endif
