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

CORRBANK_AVX512 float finish(const PixelBlock& block, int high, int wide, const F32Sums& m,
                             const SmallNorms& made) noexcept {
  const __m512 quadratic = _mm512_set1_ps(static_cast<float>(made.quadratic));
  __m512 largest = _mm512_setzero_ps();
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
      exact = store_norms(norm, energy, block.columns - x, made.norms + y * made.norm_stride + x, largest) && exact;
    }
  }
  return exact ? largest_of(largest) : not_in_f32;
}

// Of one channel, columns that are summed at a time: four vectors, as an addition takes four cycles.
constexpr int vectors = 4, strip = vectors * lanes;

// Sums of neighbours, and of their squares, of `columns` of a strip; what windows behind them have is of no meaning.
struct StripSums {
  float plain[strip], squares[strip];
};
template <bool whole>
CORRBANK_AVX512 inline void sum_strip(const float* pixels, int columns, int wide, float less, StripSums& to) noexcept {
  const __m512 offset = _mm512_set1_ps(less);
  __m512 plain[vectors], squares[vectors];
  for (int n = 0; n < vectors; ++n) plain[n] = squares[n] = _mm512_setzero_ps();
  for (int j = 0; j < wide; ++j) {
    for (int n = 0; n < vectors; ++n) {
      const int x = n * lanes;
      __m512 value;
      if constexpr (whole) {
        value = _mm512_loadu_ps(pixels + x + j);
      } else {
        value = x < columns ? _mm512_maskz_loadu_ps(first_of(columns - x), pixels + x + j) : offset;
      }
      value = _mm512_sub_ps(value, offset);
      plain[n] = _mm512_add_ps(plain[n], value), squares[n] = _mm512_fmadd_ps(value, value, squares[n]);
    }
  }
  for (int n = 0; n < vectors; ++n) {
    _mm512_storeu_ps(to.plain + n * lanes, plain[n]), _mm512_storeu_ps(to.squares + n * lanes, squares[n]);
  }
}

// Norms of `columns` windows by the sums of their rows.
CORRBANK_AVX512 inline bool finish_strip(const StripSums* near, int high, int columns, float quadratic, float* norms,
                                         __m512& largest) noexcept {
  bool exact = true;
  for (int x = 0; x < columns; x += lanes) {
    __m512 sum = _mm512_loadu_ps(near->plain + x), energy = _mm512_loadu_ps(near->squares + x);
    for (int i = 1; i < high; ++i) {
      sum = _mm512_add_ps(sum, _mm512_loadu_ps(near[i].plain + x));
      energy = _mm512_add_ps(energy, _mm512_loadu_ps(near[i].squares + x));
    }
    const __m512 norm = _mm512_fmadd_ps(_mm512_mul_ps(_mm512_set1_ps(quadratic), sum), sum, energy);
    exact = store_norms(norm, energy, columns - x, norms + x, largest) && exact;
  }
  return exact;
}

}  // namespace

CORRBANK_AVX512 float make_small_norms_f32(const PixelBlock& block, int high, int wide,
                                           const SmallNorms& made) noexcept {
  StripSums near[small_side];
  __m512 largest = _mm512_setzero_ps();
  for (int x = 0; x < block.columns; x += strip) {
    const int columns = block.columns - x < strip ? block.columns - x : strip;
    const float* pixels = block.data + x;
    for (int y = 0; y < block.rows + high - 1; ++y, pixels += block.row_stride) {
      if (columns == strip) {
        sum_strip<true>(pixels, columns, wide, *block.less, near[y % high]);
      } else {
        sum_strip<false>(pixels, columns, wide, *block.less, near[y % high]);
      }
      if (y < high - 1) continue;
      float* norms = made.norms + (y - high + 1) * made.norm_stride + x;
      if (!finish_strip(near, high, columns, static_cast<float>(made.quadratic), norms, largest)) return not_in_f32;
    }
  }
  return largest_of(largest);
}

float make_small_norms_f32(const PixelBlock& block, std::int64_t channels, int high, int wide, const F32Sums& m,
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
float make_small_norms_f32(const PixelBlock& /*block*/, std::int64_t /*channels*/, int /*high*/, int /*wide*/,
                           const F32Sums& /*memory*/, const SmallNorms& /*made*/) noexcept {
  return not_in_f32;
}
float make_small_norms_f32(const PixelBlock& /*block*/, int /*high*/, int /*wide*/,
                           const SmallNorms& /*made*/) noexcept {
  return not_in_f32;
}
}  // namespace corrbank::detail
#endif
