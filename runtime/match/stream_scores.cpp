#include "match/stream_scores.h"

#include "match/f32_stages.h"
#include "seen.h"

namespace corrbank::detail {

#if defined(__SSE2__)
namespace {

// What scores of one kernel are made by, in the order of operations of generators/match/scores_generator.cpp.
struct Formula {
  __m128 add, scale, lowest, highest;
};

template <bool distance>
__m128 score(const Formula& f, __m128 r, __m128 norm, __m128 energy) noexcept {
  const __m128 sum =
      distance ? _mm_add_ps(_mm_mul_ps(r, _mm_set1_ps(-2)), _mm_add_ps(f.add, energy)) : _mm_add_ps(r, f.add);
  const __m128 scaled = _mm_mul_ps(sum, _mm_mul_ps(f.scale, norm));
  const __m128 clamped = _mm_min_ps(_mm_max_ps(scaled, f.lowest), f.highest);
  return _mm_and_ps(clamped, _mm_cmpgt_ps(norm, _mm_setzero_ps()));
}

struct Row {
  const float *from, *norms, *energies;
  float* to;
};

template <bool distance>
Seen score_few(const Formula& f, const Row& row, std::ptrdiff_t first, std::ptrdiff_t end, Seen seen) noexcept {
  for (std::ptrdiff_t i = first; i < end; ++i) {
    seen.look(row.from[i]);
    const __m128 energy = distance ? _mm_load_ss(row.energies + i) : _mm_setzero_ps();
    _mm_store_ss(row.to + i, score<distance>(f, _mm_load_ss(row.from + i), _mm_load_ss(row.norms + i), energy));
  }
  return seen;
}

template <bool distance>
Seen score_row(const Formula& f, const Row& row, std::ptrdiff_t count, Seen seen) noexcept {
  const auto [head, end] = WholeLines(row.to, count);
  seen = score_few<distance>(f, row, 0, head, seen);
  for (std::ptrdiff_t i = head; i < end; i += line) {
    for (std::ptrdiff_t j = i; j < i + line; j += 4) {
      const __m128 r = _mm_loadu_ps(row.from + j);
      const __m128 energy = distance ? _mm_loadu_ps(row.energies + j) : _mm_setzero_ps();
      seen.look(r);
      _mm_stream_ps(row.to + j, score<distance>(f, r, _mm_loadu_ps(row.norms + j), energy));
    }
  }
  return score_few<distance>(f, row, end, count, seen);
}

template <bool distance>
bool score_all(const Correlations& from, const ScoresCall& to) noexcept {
  Seen seen;
  for (int k = 0; k < from.kernels; ++k) {
    const Formula f{_mm_set1_ps(from.add[k]), _mm_set1_ps(from.scale[k]), _mm_set1_ps(to.lowest),
                    _mm_set1_ps(to.highest)};
    for (int y = 0; y < from.rows; ++y) {
      const Row row{from.data + k * from.kernel_stride + y * from.row_stride, from.norms + y * from.map_stride,
                    distance ? from.energies + y * from.map_stride : nullptr,
                    to.data + k * to.kernel_stride + y * to.row_stride};
      seen = score_row<distance>(f, row, from.columns, seen);
    }
  }
  return !seen.not_finite();
}

}  // namespace

bool stream_scores(const Target& target, const Correlations& from, const ScoresCall& to) noexcept {
  if (const F32Stages* stages = f32_stages(target)) return stages->stream_scores(from, to);
  return from.energies != nullptr ? score_all<true>(from, to) : score_all<false>(from, to);
}

void end_of_stream() noexcept { _mm_sfence(); }
#else
bool stream_scores(const Target& /*target*/, const Correlations& /*from*/, const ScoresCall& /*to*/) noexcept {
  return true;
}
void end_of_stream() noexcept {}
#endif

}  // namespace corrbank::detail
