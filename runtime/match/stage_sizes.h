// In what blocks the stages of a match work.
#pragma once

#include "match/scores.h"
#include "match/templates.h"

namespace corrbank::detail {

// Windows are summed in blocks whose pixels stay in L2.
constexpr int sums_rows = 64, sums_columns = 256;
// What is computed again, in blocks of this many windows.
constexpr int again_rows = 8, again_columns = 64, again_kernels = 32;
static_assert(again_rows * again_columns <= ScoreSink::again_places * exact_columns);

// Of the rows of its pixels: exact sums read a kernel's width on.
inline std::int64_t again_pitch(const PackedTemplates& t) noexcept { return again_columns + t.width; }

// A score may be off by this much in f32, else it is computed again.
constexpr double score_tolerance = 5e-6;

}  // namespace corrbank::detail
