// Vectors of f32 of processors with AVX-512, for what is written once for every width: f32_stages.h. The compiler adds, subtracts and
// multiplies them itself.
#pragma once

#include <immintrin.h>

#include <algorithm>
#include <cstdint>

#define CORRBANK_LANES avx512
#define CORRBANK_FOR_LANES __attribute__((target("avx512f")))

namespace corrbank::detail::avx512 {

using Vector = __m512;
constexpr int lanes = 16, log2_lanes = 4;

CORRBANK_FOR_LANES inline Vector all(float value) noexcept { return _mm512_set1_ps(value); }
CORRBANK_FOR_LANES inline Vector load(const float* from) noexcept { return _mm512_loadu_ps(from); }
CORRBANK_FOR_LANES inline void store(float* to, Vector values) noexcept { _mm512_storeu_ps(to, values); }
CORRBANK_FOR_LANES inline void stream(float* to, Vector values) noexcept { _mm512_stream_ps(to, values); }
CORRBANK_FOR_LANES inline Vector multiply_add(Vector a, Vector b, Vector c) noexcept {
  return _mm512_fmadd_ps(a, b, c);
}
// A bit for each lane.
CORRBANK_FOR_LANES inline unsigned less(Vector a, Vector b) noexcept { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }

// Of the first `count` lanes, or of all if there are fewer. Memory of others is not touched.
CORRBANK_FOR_LANES inline __mmask16 first_of(int count) noexcept {
  return static_cast<__mmask16>(count >= lanes ? 0xffff : (1 << count) - 1);
}
CORRBANK_FOR_LANES inline Vector load_first(int count, const float* from) noexcept {
  return _mm512_maskz_loadu_ps(first_of(count), from);
}
// Others are 0.
CORRBANK_FOR_LANES inline Vector load_first_less(int count, const float* from, Vector less) noexcept {
  return _mm512_maskz_sub_ps(first_of(count), _mm512_maskz_loadu_ps(first_of(count), from), less);
}
CORRBANK_FOR_LANES inline void store_first(int count, float* to, Vector values) noexcept {
  _mm512_mask_storeu_ps(to, first_of(count), values);
}
CORRBANK_FOR_LANES inline Vector max_of_first(int count, Vector most, Vector values) noexcept {
  return _mm512_mask_max_ps(most, first_of(count), most, values);
}

// 1 / sqrt(x), within two units in the last place: half the time of a root and a division.
CORRBANK_FOR_LANES inline Vector inverse_root(Vector x) noexcept {
  const __m512 about = _mm512_maskz_rsqrt14_ps(0xffff, x);
  const __m512 half = _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(0.5f)), about);
  const __m512 off = _mm512_fnmadd_ps(half, about, _mm512_set1_ps(0.5f));
  return _mm512_fmadd_ps(about, off, about);
}

// Between the two, and 0 where `norm` is not above 0.
CORRBANK_FOR_LANES inline Vector clamp(Vector values, Vector lowest, Vector highest, Vector norm) noexcept {
  const __mmask16 valid = _mm512_cmp_ps_mask(norm, _mm512_setzero_ps(), _CMP_GT_OQ);
  return _mm512_maskz_min_ps(valid, _mm512_maskz_max_ps(valid, values, lowest), highest);
}

// Lanes [offset, offset + lanes) of two vectors.
template <int offset>
CORRBANK_FOR_LANES inline Vector from_lane(Vector values, Vector next) noexcept {
  return _mm512_castsi512_ps(
      _mm512_maskz_alignr_epi32(0xffff, _mm512_castps_si512(next), _mm512_castps_si512(values), offset));
}
struct Offset {
  __m512i taken;
};
CORRBANK_FOR_LANES inline Offset offset_of(int lane) noexcept {
  const __m512i each = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return {_mm512_add_epi32(each, _mm512_set1_epi32(lane))};
}
CORRBANK_FOR_LANES inline Vector from_lane(Offset offset, Vector values, Vector next) noexcept {
  return _mm512_permutex2var_ps(values, offset.taken, next);
}

using Doubles = __m512d;
constexpr int double_lanes = 8;

CORRBANK_FOR_LANES inline __mmask8 first_doubles(int count) noexcept {
  return static_cast<__mmask8>(count >= double_lanes ? 0xff : (1 << count) - 1);
}
CORRBANK_FOR_LANES inline Doubles all(double value) noexcept { return _mm512_set1_pd(value); }
CORRBANK_FOR_LANES inline Doubles load(const double* from) noexcept { return _mm512_loadu_pd(from); }
CORRBANK_FOR_LANES inline void store(double* to, Doubles values) noexcept { _mm512_storeu_pd(to, values); }
CORRBANK_FOR_LANES inline Doubles multiply_add(Doubles a, Doubles b, Doubles c) noexcept {
  return _mm512_fmadd_pd(a, b, c);
}
CORRBANK_FOR_LANES inline Doubles load_first(int count, const double* from) noexcept {
  return _mm512_maskz_loadu_pd(first_doubles(count), from);
}
CORRBANK_FOR_LANES inline Doubles widen_first_less(int count, const float* from, Doubles less) noexcept {
  const __m256i each = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256 pixels = _mm256_maskload_ps(from, _mm256_cmpgt_epi32(_mm256_set1_epi32(count), each));
  const __mmask8 exist = first_doubles(count);
  return _mm512_maskz_sub_pd(exist, _mm512_maskz_cvtps_pd(exist, pixels), less);
}

// The largest of magnitudes, as bits.
struct Magnitudes {
  __m512i most;
};
CORRBANK_FOR_LANES inline Magnitudes no_magnitudes() noexcept { return {_mm512_setzero_si512()}; }
CORRBANK_FOR_LANES inline void look(Magnitudes& seen, Vector values) noexcept {
  seen.most = _mm512_maskz_max_epi32(0xffff, seen.most,
                                     _mm512_and_si512(_mm512_castps_si512(values), _mm512_set1_epi32(0x7fffffff)));
}
CORRBANK_FOR_LANES inline std::int32_t largest_of(const Magnitudes& seen) noexcept {
  alignas(64) std::int32_t each[lanes];
  _mm512_store_si512(each, seen.most);
  return *std::max_element(each, each + lanes);
}

}  // namespace corrbank::detail::avx512
