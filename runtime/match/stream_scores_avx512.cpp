// stream_scores() for processors with AVX-512: a whole line at a time. With vectors of 16 bytes match() took 5 to 8 % longer for
// tmpl31, tmpl63, bank15 and rgb32 (2026-11-25, AMD EPYC "Zen 4").
#include "match/stream_scores.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>

#include <algorithm>

#include "seen.h"

#define CORRBANK_AVX512 __attribute__((target("avx512f")))

namespace corrbank::detail {
namespace {

struct Formula {
  __m512 add, scale, lowest, highest;
};

// In the order of operations of generators/match/scores_generator.cpp.
template <bool distance>
CORRBANK_AVX512 inline __m512 score(const Formula& f, __m512 r, __m512 norm, __m512 energy) noexcept {
  const __m512 sum = distance ? _mm512_add_ps(_mm512_mul_ps(r, _mm512_set1_ps(-2)), _mm512_add_ps(f.add, energy))
                              : _mm512_add_ps(r, f.add);
  const __m512 scaled = _mm512_mul_ps(sum, _mm512_mul_ps(f.scale, norm));
  const __mmask16 valid = _mm512_cmp_ps_mask(norm, _mm512_setzero_ps(), _CMP_GT_OQ);
  return _mm512_maskz_min_ps(valid, _mm512_maskz_max_ps(valid, scaled, f.lowest), f.highest);
}

// The largest of magnitudes, as bits.
CORRBANK_AVX512 inline __m512i largest(__m512i most, __m512 r) noexcept {
  return _mm512_maskz_max_epi32(0xffff, most, _mm512_and_si512(_mm512_castps_si512(r), _mm512_set1_epi32(0x7fffffff)));
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
CORRBANK_AVX512 bool score_all(const Correlations& from, const ScoresCall& to) noexcept {
  __m512i most = _mm512_setzero_si512();
  Seen seen;
  for (int k = 0; k < from.kernels; ++k) {
    const Formula f{_mm512_set1_ps(from.add[k]), _mm512_set1_ps(from.scale[k]), _mm512_set1_ps(to.lowest),
                    _mm512_set1_ps(to.highest)};
    for (int y = 0; y < from.rows; ++y) {
      const float* correlations = from.data + k * from.kernel_stride + y * from.row_stride;
      const float* norms = from.norms + y * from.map_stride;
      const float* energies = distance ? from.energies + y * from.map_stride : norms;
      float* scores = to.data + k * to.kernel_stride + y * to.row_stride;
      const auto [head, end] = WholeLines(scores, from.columns);
      for (std::ptrdiff_t i = head; i < end; i += line) {
        const __m512 r = _mm512_loadu_ps(correlations + i);
        most = largest(most, r);
        _mm512_stream_ps(scores + i, score<distance>(f, r, _mm512_loadu_ps(norms + i), _mm512_loadu_ps(energies + i)));
      }
      const ScoreRow row{from.add[k], from.scale[k], correlations, norms, energies, scores};
      seen = score_few<distance>(row, to, 0, head, seen);
      seen = score_few<distance>(row, to, end, from.columns, seen);
    }
  }
  alignas(64) std::int32_t magnitudes[line];
  _mm512_store_si512(magnitudes, most);
  return !seen.not_finite() && *std::max_element(magnitudes, magnitudes + line) < 0x7f800000;
}

}  // namespace

bool stream_scores_avx512(const Correlations& from, const ScoresCall& to) noexcept {
  return from.energies != nullptr ? score_all<true>(from, to) : score_all<false>(from, to);
}

}  // namespace corrbank::detail
#endif
