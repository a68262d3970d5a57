// 64-bit arithmetic on sizes that came from outside: a result is either exact or known to be too large.
#pragma once

#include <cstdint>
#include <limits>

namespace corrbank::detail {

// A non-negative size, or "too large". Too large is sticky and compares greater than every limit.
class Checked {
 public:
  constexpr Checked(std::int64_t value) noexcept
      : value_(value < 0 ? too_large : value) {}  // NOLINT: sizes convert freely

  [[nodiscard]] constexpr bool at_most(std::int64_t limit) const noexcept { return value_ >= 0 && value_ <= limit; }
  // Meaningful only after at_most().
  [[nodiscard]] constexpr std::int64_t value() const noexcept { return value_; }

  friend constexpr Checked operator+(Checked a, Checked b) noexcept {
    if (a.value_ < 0 || b.value_ < 0 || a.value_ > max - b.value_) return too_large;
    return a.value_ + b.value_;
  }
  friend constexpr Checked operator*(Checked a, Checked b) noexcept {
    if (a.value_ == 0 || b.value_ == 0) return 0;
    if (a.value_ < 0 || b.value_ < 0 || a.value_ > max / b.value_) return too_large;
    return a.value_ * b.value_;
  }

 private:
  static constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();
  static constexpr std::int64_t too_large = -1;

  std::int64_t value_;
};

}  // namespace corrbank::detail
