// Looks at values on their way to the responses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace corrbank::detail {

constexpr std::ptrdiff_t line = 16;  // floats of a line of the caches

// Whether a value that passed by was an infinity or NaN: its exponent is all ones. Integers: arithmetic that assumes finite
// numbers must not decide this.
#if defined(__SSE2__)
class Seen {
 public:
  void look(__m128 values) noexcept {
    const __m128i magnitudes = _mm_and_si128(_mm_castps_si128(values), _mm_set1_epi32(0x7fffffff));
    most_ = _mm_max_epi16(most_, magnitudes);  // of the upper halves; the lower ones mean nothing
  }
  void look(float value) noexcept { look(_mm_set_ss(value)); }
  [[nodiscard]] bool not_finite() const noexcept {
    const int high_bytes = 0x8888;
    return (_mm_movemask_epi8(_mm_cmpgt_epi16(most_, _mm_set1_epi16(0x7f7f))) & high_bytes) != 0;
  }

 private:
  __m128i most_ = _mm_setzero_si128();
};
#else
class Seen {
 public:
  void look(float value) noexcept {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    carried_ |= (bits & 0x7f800000u) + 0x00800000u;  // carries into the sign
  }
  [[nodiscard]] bool not_finite() const noexcept { return (carried_ & 0x80000000u) != 0; }

 private:
  std::uint32_t carried_ = 0;
};
#endif

#if defined(__SSE2__)
// Floats in front of the first whole line of a row of `count`, and those up to the end of the last one. Lines that a row has only
// in part are stored as usual: half a line past the caches costs two transfers.
struct WholeLines {
  std::ptrdiff_t head, end;

  WholeLines(const float* to, std::ptrdiff_t count) noexcept {
    const auto misplaced = static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(to) / sizeof(float) % line);
    head = (line - misplaced) % line < count ? (line - misplaced) % line : count;
    end = head + (count - head) / line * line;
  }
};
#endif

}  // namespace corrbank::detail
