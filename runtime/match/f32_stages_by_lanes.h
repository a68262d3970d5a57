// The stages of f32_stages.h for the processor that lanes_*.h, included before, is for.
#pragma once

#include "match/small_sums.h"
#include "match/stream_scores_by_lanes.h"
#include "match/window_sums.h"
#include "match/window_totals.h"

namespace corrbank::detail::CORRBANK_LANES {

constexpr F32Stages stages{small_norms, small_norms_of_one, add_windows, finish_windows, window_totals, stream_scores};

}  // namespace corrbank::detail::CORRBANK_LANES
