// Sums over small windows in f32, a line at a time: where windows deviate from their means by about as much as from zero, as most of
// feature maps do. Of 128 channels of 200x200 and 3x3 windows in f64 they took a quarter of find() (2026-11-28, AMD EPYC "Zen 4").
#include "match/small_sums_avx512.h"

#include <algorithm>

#if defined(__x86_64__) && defined(__GNUC__)
#include "match/f32_norms_avx512.h"

namespace corrbank::detail {
namespace {

constexpr int lanes = f32_lanes;

// Of `high` rows, in the order in which they lie in memory.
CORRBANK_AVX512 inline __m512 sum_down(const float* near, int pitch, int high) noexcept {
  __m512 sum = _mm512_loadu_ps(near);
  for (int i = 1; i < high; ++i) sum = _mm512_add_ps(sum, _mm512_loadu_ps(near + std::ptrdiff_t{i} * pitch));
  return sum;
}

CORRBANK_AVX512 inline __m512 sum_across(const float* row, int wide) noexcept {
  __m512 sum = _mm512_loadu_ps(row);
  for (int j = 1; j < wide; ++j) sum = _mm512_add_ps(sum, _mm512_loadu_ps(row + j));
  return sum;
}

CORRBANK_AVX512 inline void add_square(__m512 value, float* to) noexcept {
  _mm512_storeu_ps(to, _mm512_fmadd_ps(value, value, _mm512_loadu_ps(to)));
}

// Adds the squares of a channel's pixels and of their sums over windows. Pixels of the channel that is `ahead` are fetched meanwhile:
// most of the time was waits for them.
CORRBANK_AVX512 void add_channel(const PixelBlock& block, std::int64_t c, std::ptrdiff_t ahead, int high, int wide,
                                 const F32Sums& m) noexcept {
  const int width = block.columns + wide - 1;
  const __m512 less = _mm512_set1_ps(block.less[c]);
  const float* pixels = block.data + c * block.channel_stride;
  for (int y = 0; y < block.rows + high - 1; ++y, pixels += block.row_stride) {
    float* squares = m.squares + std::ptrdiff_t{y} * m.pitch;
    for (int x = 0; x < width; x += lanes) {
      const __mmask16 exist = first_of(width - x);
      _mm_prefetch(pixels + ahead + x, _MM_HINT_T1);
      const __m512 value = _mm512_maskz_sub_ps(exist, _mm512_maskz_loadu_ps(exist, pixels + x), less);
      _mm512_storeu_ps(m.row + x, value);
      add_square(value, squares + x);
    }
    float* near = m.near + std::ptrdiff_t{y % high} * m.pitch;
    for (int x = 0; x < block.columns; x += lanes) _mm512_storeu_ps(near + x, sum_across(m.row + x, wide));
    if (y < high - 1) continue;
    float* sums = m.sums + std::ptrdiff_t{y - high + 1} * m.pitch;
    for (int x = 0; x < block.columns; x += lanes) add_square(sum_down(m.near + x, m.pitch, high), sums + x);
  }
}

CORRBANK_AVX512 bool finish(const PixelBlock& block, int high, int wide, const F32Sums& m,
                            const SmallNorms& made) noexcept {
  const __m512 quadratic = _mm512_set1_ps(static_cast<float>(made.quadratic));
  bool exact = true;
  for (int y = 0; y < block.rows; ++y) {
    const float* squares = m.squares + std::ptrdiff_t{y} * m.pitch;
    const float* sums = m.sums + std::ptrdiff_t{y} * m.pitch;
    for (int x = 0; x < block.columns; x += lanes) {
      __m512 energy = sum_across(squares + x, wide);
      for (int i = 1; i < high; ++i) {
        energy = _mm512_add_ps(energy, sum_across(squares + std::ptrdiff_t{i} * m.pitch + x, wide));
      }
      const __m512 norm = _mm512_fmadd_ps(quadratic, _mm512_loadu_ps(sums + x), energy);
      exact = store_norms(norm, energy, block.columns - x, made.norms + y * made.norm_stride + x) && exact;
    }
  }
  return exact;
}

}  // namespace

bool make_small_norms_f32(const PixelBlock& block, std::int64_t channels, int high, int wide, const F32Sums& m,
                          const SmallNorms& made) noexcept {
  std::fill_n(m.squares, (std::ptrdiff_t{block.rows} + high - 1) * m.pitch, 0.0f);
  std::fill_n(m.sums, std::ptrdiff_t{block.rows} * m.pitch, 0.0f);
  std::fill_n(m.row, m.pitch, 0.0f);  // behind the last pixels
  for (std::int64_t c = 0; c < channels; ++c) {
    add_channel(block, c, c + 2 < channels ? 2 * block.channel_stride : 0, high, wide, m);
  }
  return finish(block, high, wide, m, made);
}

}  // namespace corrbank::detail
#else
namespace corrbank::detail {
bool make_small_norms_f32(const PixelBlock& /*block*/, std::int64_t /*channels*/, int /*high*/, int /*wide*/,
                          const F32Sums& /*memory*/, const SmallNorms& /*made*/) noexcept {
  return false;
}
}  // namespace corrbank::detail
#endif
