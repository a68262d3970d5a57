// Sums over windows in f32, a line at a time, where that is exact enough (f32_norms_avx512.h).
#include "match/window_sums_avx512.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "match/f32_norms_avx512.h"

namespace corrbank::detail {
namespace {

constexpr int lanes = f32_lanes;

// Lanes [offset, offset + 16) of two vectors.
template <int offset>
CORRBANK_AVX512 inline __m512 from_lane(__m512 values, __m512 next) noexcept {
  return _mm512_castsi512_ps(
      _mm512_maskz_alignr_epi32(0xffff, _mm512_castps_si512(next), _mm512_castps_si512(values), offset));
}
CORRBANK_AVX512 inline __m512 from_lane(__m512i lanes_taken, __m512 values, __m512 next) noexcept {
  return _mm512_permutex2var_ps(values, lanes_taken, next);
}

// Sums of 16 values from each on, in their place, and of `rest` values, fewer than 16. By way of sums of 2, 4 and 8, which stay in
// registers until the next vector's are there: loads of neighbours cross lines, and took three times as long.
CORRBANK_AVX512 void sum_neighbours(float* values, float* rests, int count, int rest) noexcept {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i of_4 = _mm512_add_epi32(lane, _mm512_set1_epi32(rest & 8));
  const __m512i of_2 = _mm512_add_epi32(lane, _mm512_set1_epi32(rest & 12));
  const __m512i of_1 = _mm512_add_epi32(lane, _mm512_set1_epi32(rest & 14));
  const __m512 none = _mm512_setzero_ps();
  // [i]: of the vector that is i before the last that was made.
  __m512 ones[5] = {none, none, none, none, none}, twos[4] = {none, none, none, none}, fours[3] = {none, none, none};
  __m512 eights[2] = {none, none};
  constexpr int behind = 4 * lanes;
  for (int x = 0; x < count + behind; x += lanes) {
    for (int i = 4; i > 0; --i) ones[i] = ones[i - 1];
    for (int i = 3; i > 0; --i) twos[i] = twos[i - 1];
    for (int i = 2; i > 0; --i) fours[i] = fours[i - 1];
    eights[1] = eights[0];
    ones[0] = x < count ? _mm512_loadu_ps(values + x) : none;
    twos[0] = _mm512_add_ps(ones[1], from_lane<1>(ones[1], ones[0]));
    fours[0] = _mm512_add_ps(twos[1], from_lane<2>(twos[1], twos[0]));
    eights[0] = _mm512_add_ps(fours[1], from_lane<4>(fours[1], fours[0]));
    if (x < behind) continue;
    __m512 sum = (rest & 8) != 0 ? eights[1] : none;
    if ((rest & 4) != 0) sum = _mm512_add_ps(sum, from_lane(of_4, fours[2], fours[1]));
    if ((rest & 2) != 0) sum = _mm512_add_ps(sum, from_lane(of_2, twos[3], twos[2]));
    if ((rest & 1) != 0) sum = _mm512_add_ps(sum, from_lane(of_1, ones[4], ones[3]));
    _mm512_storeu_ps(rests + x - behind, sum);
    _mm512_storeu_ps(values + x - behind, _mm512_add_ps(eights[1], from_lane<8>(eights[1], eights[0])));
  }
}

// A window's sum by those.
CORRBANK_AVX512 inline __m512 sum_window(const float* sixteens, const float* rests, int wide) noexcept {
  __m512 sum = _mm512_loadu_ps(rests + wide / lanes * lanes);
  for (int j = 0; j + lanes <= wide; j += lanes) sum = _mm512_add_ps(sum, _mm512_loadu_ps(sixteens + j));
  return sum;
}

// Running sums of a group of rows and of their squares, from its end.
CORRBANK_AVX512 void sum_columns(const F32Windows& c, const float* group) noexcept {
  for (int x = 0; x < c.columns; x += 2 * lanes) {
    __m512 sums[2] = {_mm512_setzero_ps(), _mm512_setzero_ps()}, squares[2] = {sums[0], sums[0]};
    for (int i = c.high - 1; i >= 0; --i) {
      for (int n = 0; n < 2; ++n) {
        const __m512 value = _mm512_loadu_ps(group + std::ptrdiff_t{i} * c.columns + x + n * lanes);
        sums[n] = _mm512_add_ps(sums[n], value), squares[n] = _mm512_fmadd_ps(value, value, squares[n]);
        float* to = c.below + std::ptrdiff_t{i} * 2 * c.columns + x + n * lanes;
        _mm512_storeu_ps(to, sums[n]), _mm512_storeu_ps(to + c.columns, squares[n]);
      }
    }
  }
}

// Sums of the columns of window row `i` of a group, and `above` for the next: with `row`.
CORRBANK_AVX512 void sum_row(const F32Windows& c, int i, const float* row, float* plain, float* squares) noexcept {
  const float* below = c.below + std::ptrdiff_t{i} * 2 * c.columns;
  for (int x = 0; x < c.columns; x += lanes) {
    float *above = c.above + x, *above_squares = above + c.columns;
    const __m512 sum = _mm512_loadu_ps(above), square = _mm512_loadu_ps(above_squares), next = _mm512_loadu_ps(row + x);
    _mm512_storeu_ps(plain + x, _mm512_add_ps(sum, _mm512_loadu_ps(below + x)));
    _mm512_storeu_ps(squares + x, _mm512_add_ps(square, _mm512_loadu_ps(below + c.columns + x)));
    _mm512_storeu_ps(above, _mm512_add_ps(sum, next));
    _mm512_storeu_ps(above_squares, _mm512_fmadd_ps(next, next, square));
  }
}

// take(row, x, norm, energy) for each vector of windows, until one of a row is false.
template <typename Take>
CORRBANK_AVX512 inline bool each_vector(const F32Windows& c, const Take& take) noexcept {
  float *plain = c.memory, *squares = plain + c.columns;
  float *plain_rests = squares + c.columns, *square_rests = plain_rests + c.columns;
  const __m512 quadratic = _mm512_set1_ps(c.quadratic);
  for (int first = 0; first < c.rows; first += c.high) {
    const float* group = c.pixels + std::ptrdiff_t{first} * c.columns;
    sum_columns(c, group);
    for (int x = 0; x < 2 * c.columns; x += lanes) _mm512_storeu_ps(c.above + x, _mm512_setzero_ps());
    for (int i = 0; i < c.high && first + i < c.rows; ++i) {
      sum_row(c, i, group + (std::ptrdiff_t{c.high} + i) * c.columns, plain, squares);
      sum_neighbours(plain, plain_rests, c.columns, c.wide % lanes);
      sum_neighbours(squares, square_rests, c.columns, c.wide % lanes);
      const float* before = c.sums + std::ptrdiff_t{first + i} * 2 * c.windows;
      bool more = true;
      for (int x = 0; x < c.windows; x += lanes) {
        const __m512 sum = sum_window(plain + x, plain_rests + x, c.wide);
        __m512 energy = sum_window(squares + x, square_rests + x, c.wide);
        __m512 norm = _mm512_fmadd_ps(_mm512_mul_ps(quadratic, sum), sum, energy);
        if (!c.first) {
          norm = _mm512_add_ps(norm, _mm512_loadu_ps(before + x));
          energy = _mm512_add_ps(energy, _mm512_loadu_ps(before + c.windows + x));
        }
        more = take(first + i, x, norm, energy) && more;
      }
      if (!more) return false;
    }
  }
  return true;
}

struct Store {
  const F32Windows& c;
  CORRBANK_AVX512 bool operator()(int row, int x, __m512 norm, __m512 energy) const noexcept {
    float* to = c.sums + std::ptrdiff_t{row} * 2 * c.windows + x;
    _mm512_storeu_ps(to, norm), _mm512_storeu_ps(to + c.windows, energy);
    // Other channels are most likely no better.
    return _mm512_cmp_ps_mask(energy, _mm512_mul_ps(norm, _mm512_set1_ps(most_energy)), _CMP_GT_OQ) == 0;
  }
};

struct Finish {
  float* norms;
  std::ptrdiff_t stride;
  int count;
  __m512& largest;
  CORRBANK_AVX512 bool operator()(int row, int x, __m512 norm, __m512 energy) const noexcept {
    return x >= count || store_norms(norm, energy, count - x, norms + row * stride + x, largest);
  }
};

}  // namespace

CORRBANK_AVX512 bool add_windows_f32(const F32Windows& channel) noexcept {
  return each_vector(channel, Store{channel});
}

CORRBANK_AVX512 float finish_windows_f32(const F32Windows& channel, float* norms, std::ptrdiff_t stride,
                                         int count) noexcept {
  __m512 largest = _mm512_setzero_ps();
  const bool exact = each_vector(channel, Finish{norms, stride, count, largest});
  return exact ? largest_of(largest) : not_in_f32;
}

}  // namespace corrbank::detail
#else
namespace corrbank::detail {
bool add_windows_f32(const F32Windows& /*channel*/) noexcept { return false; }
float finish_windows_f32(const F32Windows& /*channel*/, float* /*norms*/, std::ptrdiff_t /*stride*/,
                         int /*count*/) noexcept {
  return not_in_f32;
}
}  // namespace corrbank::detail
#endif
