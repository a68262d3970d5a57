// Looks for large values.
#pragma once

#include <cstddef>
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

// The largest of values [0, count), or 0 if none is above.
inline float largest_of(const float* values, std::int64_t count) noexcept {
  float largest = 0;
  std::int64_t i = 0;
#if defined(__SSE2__)
  __m128 most[4] = {};
  for (; i + 16 <= count; i += 16) {
    for (int v = 0; v < 4; ++v) most[v] = _mm_max_ps(_mm_loadu_ps(values + i + std::ptrdiff_t{4} * v), most[v]);
  }
  float each[4];
  _mm_storeu_ps(each, _mm_max_ps(_mm_max_ps(most[0], most[1]), _mm_max_ps(most[2], most[3])));
  for (const float value : each) largest = value > largest ? value : largest;
#endif
  for (; i < count; ++i) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

}  // namespace corrbank::detail
