// 64-bit arithmetic on sizes that came from outside: a result is either exact or known to be too large.
#pragma once

#include <cstdint>
#include <limits>

namespace corrbank::detail {

// A non-negative size, or "too large". Too large is sticky and compares greater than every limit.
class Checked {
 public:
  constexpr Checked(std::int64_t value) noexcept : value_(value), fits_(value >= 0) {}  // NOLINT: sizes convert freely

  [[nodiscard]] constexpr bool at_most(std::int64_t limit) const noexcept { return fits_ && value_ <= limit; }
  // Meaningful only after at_most().
  [[nodiscard]] constexpr std::int64_t value() const noexcept { return value_; }

  friend constexpr Checked operator+(Checked a, Checked b) noexcept {
    if (!a.fits_ || !b.fits_ || a.value_ > max - b.value_) return too_large();
    return Checked(a.value_ + b.value_);
  }
  friend constexpr Checked operator*(Checked a, Checked b) noexcept {
    if (a.is_zero() || b.is_zero()) return Checked(0);
    if (!a.fits_ || !b.fits_ || a.value_ > max / b.value_) return too_large();
    return Checked(a.value_ * b.value_);
  }

 private:
  static constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
  static constexpr Checked too_large() noexcept { return Checked(-1); }
  [[nodiscard]] constexpr bool is_zero() const noexcept { return fits_ && value_ == 0; }

  std::int64_t value_;
  bool fits_;
};

}  // namespace corrbank::detail
