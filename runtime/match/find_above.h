// Looks for large values.
#pragma once

#include <cstdint>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace corrbank::detail {

// The first of values [from, count) above the bar; count: none.
inline int find_above(const float* values, int from, int count, float bar) noexcept {
#if defined(__SSE2__)
  const auto above = [=](int i) { return _mm_cmpgt_ps(_mm_loadu_ps(values + i), _mm_set1_ps(bar)); };
  for (; from + 16 <= count; from += 16) {
    const __m128 half = _mm_or_ps(above(from), above(from + 4)), other = _mm_or_ps(above(from + 8), above(from + 12));
    if (_mm_movemask_ps(_mm_or_ps(half, other)) != 0) break;
  }
  for (; from + 4 <= count; from += 4) {
    if (_mm_movemask_ps(above(from)) != 0) break;
  }
#endif
  while (from < count && !(values[from] > bar)) ++from;
  return from;
}

}  // namespace corrbank::detail
