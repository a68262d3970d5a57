// Vectors of f32 of processors with AVX2 and FMA, as lanes_avx512.h has them.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#define CORRBANK_LANES avx2
#define CORRBANK_FOR_LANES __attribute__((target("avx2,fma")))

namespace corrbank::detail::avx2 {

using Vector = __m256;
constexpr int lanes = 8, log2_lanes = 3;

CORRBANK_FOR_LANES inline Vector all(float value) noexcept { return _mm256_set1_ps(value); }
CORRBANK_FOR_LANES inline Vector load(const float* from) noexcept { return _mm256_loadu_ps(from); }
CORRBANK_FOR_LANES inline void store(float* to, Vector values) noexcept { _mm256_storeu_ps(to, values); }
CORRBANK_FOR_LANES inline void stream(float* to, Vector values) noexcept { _mm256_stream_ps(to, values); }
CORRBANK_FOR_LANES inline Vector multiply_add(Vector a, Vector b, Vector c) noexcept {
  return _mm256_fmadd_ps(a, b, c);
}
// A bit for each lane.
CORRBANK_FOR_LANES inline unsigned less(Vector a, Vector b) noexcept {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ)));
}

CORRBANK_FOR_LANES inline __m256i each_lane() noexcept { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }

// Of the first `count` lanes, or of all if there are fewer. Memory of others is not touched. Whole vectors do without masks, with
// which stores are slow.
CORRBANK_FOR_LANES inline __m256i first_of(int count) noexcept {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), each_lane());
}
CORRBANK_FOR_LANES inline Vector load_first(int count, const float* from) noexcept {
  return count >= lanes ? load(from) : _mm256_maskload_ps(from, first_of(count));
}
// Others are 0.
CORRBANK_FOR_LANES inline Vector load_first_less(int count, const float* from, Vector less) noexcept {
  if (count >= lanes) return load(from) - less;
  const __m256i exist = first_of(count);
  return _mm256_and_ps(_mm256_maskload_ps(from, exist) - less, _mm256_castsi256_ps(exist));
}
CORRBANK_FOR_LANES inline void store_first(int count, float* to, Vector values) noexcept {
  if (count >= lanes) {
    store(to, values);
  } else {
    _mm256_maskstore_ps(to, first_of(count), values);
  }
}
CORRBANK_FOR_LANES inline Vector max_of_first(int count, Vector most, Vector values) noexcept {
  const Vector more = _mm256_max_ps(most, values);
  return count >= lanes ? more : _mm256_blendv_ps(most, more, _mm256_castsi256_ps(first_of(count)));
}

// 1 / sqrt(x), within two units in the last place: half the time of a root and a division. The processor's own 12 bits take the
// next term of the series too.
CORRBANK_FOR_LANES inline Vector inverse_root(Vector x) noexcept {
  const __m256 about = _mm256_rsqrt_ps(x);
  const __m256 half = x * all(0.5f) * about;
  const __m256 off = _mm256_fnmadd_ps(half, about, all(0.5f));
  return multiply_add(about, multiply_add(off * all(1.5f), off, off), about);
}

// Between the two, and 0 where `norm` is not above 0.
CORRBANK_FOR_LANES inline Vector clamp(Vector values, Vector lowest, Vector highest, Vector norm) noexcept {
  const __m256 valid = _mm256_cmp_ps(norm, _mm256_setzero_ps(), _CMP_GT_OQ);
  return _mm256_and_ps(valid, _mm256_min_ps(_mm256_max_ps(values, lowest), highest));
}

// Lanes [offset, offset + lanes) of two vectors.
template <int offset>
CORRBANK_FOR_LANES inline Vector from_lane(Vector values, Vector next) noexcept {
  const __m256 middle = _mm256_permute2f128_ps(values, next, 0x21);
  if constexpr (offset == lanes / 2) {
    return middle;
  } else {
    return _mm256_castsi256_ps(
        _mm256_alignr_epi8(_mm256_castps_si256(middle), _mm256_castps_si256(values), offset * 4));
  }
}
struct Offset {
  __m256i taken;
  __m256 of_next;
};
CORRBANK_FOR_LANES inline Offset offset_of(int lane) noexcept {
  const __m256i first = _mm256_set1_epi32(lane);
  return {_mm256_add_epi32(each_lane(), first), _mm256_castsi256_ps(_mm256_cmpgt_epi32(first, each_lane()))};
}
CORRBANK_FOR_LANES inline Vector from_lane(Offset offset, Vector values, Vector next) noexcept {
  return _mm256_permutevar8x32_ps(_mm256_blendv_ps(values, next, offset.of_next), offset.taken);
}

using Doubles = __m256d;
constexpr int double_lanes = 4;

CORRBANK_FOR_LANES inline __m256i first_doubles(int count) noexcept {
  return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
}
CORRBANK_FOR_LANES inline Doubles all(double value) noexcept { return _mm256_set1_pd(value); }
CORRBANK_FOR_LANES inline Doubles load(const double* from) noexcept { return _mm256_loadu_pd(from); }
CORRBANK_FOR_LANES inline void store(double* to, Doubles values) noexcept { _mm256_storeu_pd(to, values); }
CORRBANK_FOR_LANES inline Doubles multiply_add(Doubles a, Doubles b, Doubles c) noexcept {
  return _mm256_fmadd_pd(a, b, c);
}
CORRBANK_FOR_LANES inline Doubles load_first(int count, const double* from) noexcept {
  return count >= double_lanes ? load(from) : _mm256_maskload_pd(from, first_doubles(count));
}
CORRBANK_FOR_LANES inline Doubles widen_first_less(int count, const float* from, Doubles less) noexcept {
  if (count >= double_lanes) return _mm256_cvtps_pd(_mm_loadu_ps(from)) - less;
  const __m128 pixels = _mm_maskload_ps(from, _mm256_castsi256_si128(first_of(count)));
  return _mm256_and_pd(_mm256_cvtps_pd(pixels) - less, _mm256_castsi256_pd(first_doubles(count)));
}

// The largest of magnitudes, as bits.
struct Magnitudes {
  __m256i most;
};
CORRBANK_FOR_LANES inline Magnitudes no_magnitudes() noexcept { return {_mm256_setzero_si256()}; }
CORRBANK_FOR_LANES inline void look(Magnitudes& seen, Vector values) noexcept {
  seen.most = _mm256_max_epi32(seen.most, _mm256_and_si256(_mm256_castps_si256(values), _mm256_set1_epi32(0x7fffffff)));
}
CORRBANK_FOR_LANES inline std::int32_t largest_of(const Magnitudes& seen) noexcept {
  alignas(32) std::int32_t each[lanes];
  _mm256_store_si256(reinterpret_cast<__m256i*>(each), seen.most);
  return *std::max_element(each, each + lanes);
}

}  // namespace corrbank::detail::avx2
