// Sums over windows in f32, a line at a time, where that is exact enough (f32_norms_avx512.h).
#include "match/window_sums_avx512.h"

#if defined(__x86_64__) && defined(__GNUC__)
#include "match/f32_norms_avx512.h"

namespace corrbank::detail {
namespace {

constexpr int lanes = f32_lanes;

CORRBANK_AVX512 inline void add(const float* from, float* to) noexcept {
  _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), _mm512_loadu_ps(from)));
}

// sums[i] = sum of values[i .. i + wide) for i < count; values are overwritten by sums of 1, 2, 4, ... neighbours.
CORRBANK_AVX512 void sum_neighbours(float* values, float* sums, int count, int wide) noexcept {
  int have = 1, offset = 0;  // neighbours in each of `values`, and of those in `sums`
  for (int left = wide;; left >>= 1) {
    if ((left & 1) != 0) {
      if (offset == 0) {
        for (int x = 0; x < count; x += lanes) _mm512_storeu_ps(sums + x, _mm512_loadu_ps(values + x));
      } else {
        for (int x = 0; x < count; x += lanes) add(values + offset + x, sums + x);
      }
      offset += have;
    }
    if (left == 1) return;
    const int next = count + wide - 2 * have;
    for (int x = 0; x < next; x += lanes) add(values + have + x, values + x);
    have *= 2;
  }
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
  float *plain = c.memory, *squares = plain + c.columns + f32_row_slack;
  float *sums = squares + c.columns + f32_row_slack, *energies = sums + c.windows;
  for (float* behind : {plain + c.columns, squares + c.columns}) {
    for (int i = 0; i < f32_row_slack; i += lanes) _mm512_storeu_ps(behind + i, _mm512_setzero_ps());
  }
  const __m512 quadratic = _mm512_set1_ps(c.quadratic);
  for (int first = 0; first < c.rows; first += c.high) {
    const float* group = c.pixels + std::ptrdiff_t{first} * c.columns;
    sum_columns(c, group);
    for (int x = 0; x < 2 * c.columns; x += lanes) _mm512_storeu_ps(c.above + x, _mm512_setzero_ps());
    for (int i = 0; i < c.high && first + i < c.rows; ++i) {
      sum_row(c, i, group + (std::ptrdiff_t{c.high} + i) * c.columns, plain, squares);
      sum_neighbours(plain, sums, c.windows, c.wide);
      sum_neighbours(squares, energies, c.windows, c.wide);
      const float* before = c.sums + std::ptrdiff_t{first + i} * 2 * c.windows;
      bool more = true;
      for (int x = 0; x < c.windows; x += lanes) {
        const __m512 sum = _mm512_loadu_ps(sums + x);
        __m512 energy = _mm512_loadu_ps(energies + x);
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
