// What f32 sums over windows have to be for norms of them, on processors with AVX-512.
#pragma once

#include <immintrin.h>

#define CORRBANK_AVX512 __attribute__((target("avx512f")))

namespace corrbank::detail {

constexpr int f32_lanes = 16;

// Energies of windows are at most so many times what is left without their means, or their rounding errors are too large for f32;
// and large enough not to lose digits themselves.
constexpr float most_energy = 4, least_energy = 1e-30f, largest_energy = 1e38f;

CORRBANK_AVX512 inline __mmask16 first_of(int count) noexcept {
  return static_cast<__mmask16>(count >= f32_lanes ? 0xffff : (1 << count) - 1);
}

// The first `count` of a vector of norms. Whether they are exact enough.
CORRBANK_AVX512 inline bool store_norms(__m512 norm, __m512 energy, int count, float* to) noexcept {
  const __mmask16 exist = first_of(count);
  const __m512 most = _mm512_mul_ps(norm, _mm512_set1_ps(most_energy));
  const unsigned enough = _mm512_cmp_ps_mask(energy, most, _CMP_LT_OQ) &
                          _mm512_cmp_ps_mask(energy, _mm512_set1_ps(least_energy), _CMP_GT_OQ) &
                          _mm512_cmp_ps_mask(energy, _mm512_set1_ps(largest_energy), _CMP_LT_OQ);
  _mm512_mask_storeu_ps(to, exist, _mm512_div_ps(_mm512_set1_ps(1), _mm512_maskz_sqrt_ps(exist, norm)));
  return (exist & ~enough) == 0;
}

}  // namespace corrbank::detail
