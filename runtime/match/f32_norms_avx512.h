// What f32 sums over windows have to be for norms of them, on processors with AVX-512.
#pragma once

#include <immintrin.h>

#include <algorithm>

#define CORRBANK_AVX512 __attribute__((target("avx512f")))

namespace corrbank::detail {

constexpr int f32_lanes = 16;
// Energies of windows are at most so many times what is left without their means, or their rounding errors are too large for f32;
// and large enough not to lose digits themselves.
constexpr float most_energy = 4, least_energy = 1e-30f, largest_energy = 1e38f;

CORRBANK_AVX512 inline __mmask16 first_of(int count) noexcept {
  return static_cast<__mmask16>(count >= f32_lanes ? 0xffff : (1 << count) - 1);
}

CORRBANK_AVX512 inline float largest_of(__m512 values) noexcept {
  float each[f32_lanes];
  _mm512_storeu_ps(each, values);
  return *std::max_element(each, each + f32_lanes);
}

// 1 / sqrt(x), within two units in the last place: half the time of a root and a division.
CORRBANK_AVX512 inline __m512 inverse_root(__m512 x) noexcept {
  const __m512 about = _mm512_maskz_rsqrt14_ps(0xffff, x);
  const __m512 half = _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(0.5f)), about);
  const __m512 off = _mm512_fnmadd_ps(half, about, _mm512_set1_ps(0.5f));
  return _mm512_fmadd_ps(about, off, about);
}

// The first `count` of a vector of norms, and the largest energies. Whether the norms are exact enough.
CORRBANK_AVX512 inline bool store_norms(__m512 norm, __m512 energy, int count, float* to, __m512& largest) noexcept {
  const __mmask16 exist = first_of(count);
  const __m512 most = _mm512_mul_ps(norm, _mm512_set1_ps(most_energy));
  const unsigned enough = _mm512_cmp_ps_mask(energy, most, _CMP_LT_OQ) &
                          _mm512_cmp_ps_mask(energy, _mm512_set1_ps(least_energy), _CMP_GT_OQ) &
                          _mm512_cmp_ps_mask(energy, _mm512_set1_ps(largest_energy), _CMP_LT_OQ);
  _mm512_mask_storeu_ps(to, exist, inverse_root(norm));
  largest = _mm512_mask_max_ps(largest, exist, largest, energy);
  return (exist & ~enough) == 0;
}

}  // namespace corrbank::detail
