// Integers of 128 bits: the compiler's, or, where it has none (32-bit platforms), what the rules need of them.
#pragma once

#include <cstdint>
#include <type_traits>

namespace corrbank_test {

#if defined(__SIZEOF_INT128__)

__extension__ typedef __int128 Wide;

#else

// Two's complement in two words.
class Wide {
 public:
  template <typename T, typename = std::enable_if_t<std::is_integral_v<T> > >
  constexpr Wide(T value)
      : low_(static_cast<std::uint64_t>(value)), high_(value < 0 ? -1 : 0) {}  // NOLINT: as built-in
  template <typename T, typename = std::enable_if_t<std::is_integral_v<T> > >
  explicit constexpr operator T() const {
    return static_cast<T>(low_);
  }

  friend constexpr Wide operator+(Wide a, Wide b) {
    const std::uint64_t low = a.low_ + b.low_;
    return {low, bits(a.high_) + bits(b.high_) + (low < a.low_ ? 1 : 0)};
  }
  friend constexpr Wide operator-(Wide a, Wide b) { return a + Wide(~b.low_, ~bits(b.high_)) + 1; }
  friend constexpr Wide operator*(Wide a, Wide b) {
    constexpr std::uint64_t half = 0xffffffff;
    const std::uint64_t a0 = a.low_ & half, a1 = a.low_ >> 32, b0 = b.low_ & half, b1 = b.low_ >> 32;
    const std::uint64_t middle = (a0 * b0 >> 32) + (a0 * b1 & half) + (a1 * b0 & half);
    return {middle << 32 | (a0 * b0 & half), a1 * b1 + (a0 * b1 >> 32) + (a1 * b0 >> 32) + (middle >> 32) +
                                                 a.low_ * bits(b.high_) + bits(a.high_) * b.low_};
  }
  friend constexpr Wide operator<<(Wide a, int bits) {
    return bits == 0 ? a : Wide(a.low_ << bits, Wide::bits(a.high_) << bits | a.low_ >> (64 - bits));
  }
  Wide& operator+=(Wide b) { return *this = *this + b; }

  friend constexpr bool operator==(Wide a, Wide b) { return a.low_ == b.low_ && a.high_ == b.high_; }
  friend constexpr bool operator!=(Wide a, Wide b) { return !(a == b); }
  friend constexpr bool operator<(Wide a, Wide b) { return a.high_ != b.high_ ? a.high_ < b.high_ : a.low_ < b.low_; }
  friend constexpr bool operator>(Wide a, Wide b) { return b < a; }
  friend constexpr bool operator<=(Wide a, Wide b) { return !(b < a); }
  friend constexpr bool operator>=(Wide a, Wide b) { return !(a < b); }

 private:
  constexpr Wide(std::uint64_t low, std::uint64_t high) : low_(low), high_(static_cast<std::int64_t>(high)) {}
  static constexpr std::uint64_t bits(std::int64_t word) { return static_cast<std::uint64_t>(word); }

  std::uint64_t low_;
  std::int64_t high_;
};

#endif

}  // namespace corrbank_test
