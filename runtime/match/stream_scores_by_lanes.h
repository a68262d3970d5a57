// stream_scores() a line at a time. With vectors of 16 bytes match() took 5 to 8 % longer for tmpl31, tmpl63, bank15 and rgb32
// than with those of 64 (2026-11-25, AMD EPYC "Zen 4"). Included once lanes_*.h has said for which processor.
#pragma once

#include <algorithm>

#include "match/f32_stages.h"
#include "seen.h"

namespace corrbank::detail::CORRBANK_LANES {
struct Formula {
  Vector add, scale, lowest, highest;
};

// In the order of operations of generators/match/scores_generator.cpp.
template <bool distance>
CORRBANK_FOR_LANES inline Vector score(const Formula& f, Vector r, Vector norm, Vector energy) noexcept {
  const Vector sum = distance ? r * all(-2.0f) + (f.add + energy) : r + f.add;
  const Vector scaled = sum * (f.scale * norm);
  return clamp(scaled, f.lowest, f.highest, norm);
}

// What of a row is less than a line, one by one: vectors with masks, or by way of the stack, took longer than all lines.
struct ScoreRow {
  float add, scale;
  const float *correlations, *norms, *energies;
  float* scores;
};
template <bool distance>
Seen score_few(const ScoreRow& row, const ScoresCall& to, std::ptrdiff_t first, std::ptrdiff_t end,
               Seen seen) noexcept {
  for (std::ptrdiff_t i = first; i < end; ++i) {
    const float r = row.correlations[i], norm = row.norms[i];
    seen.look(r);
    const float sum = distance ? -2 * r + (row.add + row.energies[i]) : r + row.add;
    const float scaled = sum * (row.scale * norm);
    const float clamped = std::min(std::max(scaled, to.lowest), to.highest);
    row.scores[i] = norm > 0 ? clamped : 0;
  }
  return seen;
}

template <bool distance>
CORRBANK_FOR_LANES bool score_all(const Correlations& from, const ScoresCall& to) noexcept {
  Magnitudes most = no_magnitudes();
  Seen seen;
  for (int k = 0; k < from.kernels; ++k) {
    const Formula f{all(from.add[k]), all(from.scale[k]), all(to.lowest), all(to.highest)};
    for (int y = 0; y < from.rows; ++y) {
      const float* correlations = from.data + k * from.kernel_stride + y * from.row_stride;
      const float* norms = from.norms + y * from.map_stride;
      const float* energies = distance ? from.energies + y * from.map_stride : norms;
      float* scores = to.data + k * to.kernel_stride + y * to.row_stride;
      const auto [head, end] = WholeLines(scores, from.columns);
      for (std::ptrdiff_t i = head; i < end; i += lanes) {
        const Vector r = load(correlations + i);
        look(most, r);
        stream(scores + i, score<distance>(f, r, load(norms + i), load(energies + i)));
      }
      const ScoreRow row{from.add[k], from.scale[k], correlations, norms, energies, scores};
      seen = score_few<distance>(row, to, 0, head, seen);
      seen = score_few<distance>(row, to, end, from.columns, seen);
    }
  }
  return !seen.not_finite() && largest_of(most) < 0x7f800000;
}

static bool stream_scores(const Correlations& from, const ScoresCall& to) noexcept {
  return from.energies != nullptr ? score_all<true>(from, to) : score_all<false>(from, to);
}

}  // namespace corrbank::detail::CORRBANK_LANES
