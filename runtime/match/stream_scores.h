// Scores that the caches need not keep: made while they are stored past them, which waits for memory anyway.
#pragma once

#include "match/match_kernels.h"

namespace corrbank::detail {

// Whether this processor can.
#if defined(__SSE2__)
constexpr bool can_stream_scores = true;
#else
constexpr bool can_stream_scores = false;
#endif

// As make_scores() does, without a score where there is none. Whether all correlations were finite; scores of others mean nothing.
// Stores are in order after end_of_stream().
bool stream_scores(const Target& target, const Correlations& from, const ScoresCall& to) noexcept;
void end_of_stream() noexcept;

}  // namespace corrbank::detail
