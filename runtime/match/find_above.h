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
  for (; from + 4 <= count; from += 4) {
    if (_mm_movemask_ps(_mm_cmpgt_ps(_mm_loadu_ps(values + from), _mm_set1_ps(bar))) != 0) break;
  }
#endif
  while (from < count && !(values[from] > bar)) ++from;
  return from;
}

}  // namespace corrbank::detail
