// What the methods of match.hpp have in common, as data.
#pragma once

#include <algorithm>
#include <cmath>

#include "corrbank/match.hpp"

namespace corrbank::detail {

// Templates without their means, windows without theirs.
constexpr bool is_centred(Method m) noexcept {
  return m == Method::ccoeff || m == Method::ccoeff_normed || m == Method::zncc;
}
constexpr bool is_distance(Method m) noexcept { return m == Method::sqdiff || m == Method::sqdiff_normed; }
constexpr bool is_normed(Method m) noexcept {
  return m == Method::ccorr_normed || m == Method::sqdiff_normed || m == Method::ccoeff_normed || m == Method::zncc;
}
// Divided by the window's energy as it is, or by that of its differences from its mean.
constexpr bool is_normed_by_energy(Method m) noexcept { return is_normed(m) && !is_centred(m); }
// Integers for integer images, templates and masks.
constexpr bool is_integer(Method m) noexcept { return m == Method::ccorr || m == Method::sqdiff; }

// Sums of squares below this part of what they were before means were taken off are rounding errors: of a template, in two
// passes, and of a window, in one and after the image's offset is off.
constexpr double constant_template_below = 1e-24;
constexpr double constant_window_below = 1e-13;

// Sums over a window: M J, M^2 J and M^2 J^2, with J = I - offset.
struct MaskedSums {
  double plain, squared, energy;

  // sum M^2 I^2
  [[nodiscard]] double energy_with(double offset, double mask_squares) const noexcept {
    return energy + offset * (2 * squared + offset * mask_squares);
  }
  // sum M^2 (I - mean I)^2; `mask` and `mask_squares` are sum M, which is not 0, and sum M^2.
  [[nodiscard]] double variance(double mask, double mask_squares) const noexcept {
    const double mean = plain / mask;
    return energy + mean * (mean * mask_squares - 2 * squared);
  }
};

// What a score is multiplied by for its window, whose `sum` of squares counts and was `energy` before means were taken off; 0:
// invalid.
inline double norm_of(Method m, double sum, double energy) noexcept {
  if (!is_normed(m)) return std::isfinite(energy) ? 1 : 0;
  // False for NaN.
  const bool valid = sum > constant_window_below * energy && energy < HUGE_VAL && sum < HUGE_VAL;
  return valid ? 1 / std::sqrt(sum) : 0;
}

// Scores from correlations r of a group's templates (templates.h) with the image less its offsets:
//   score = (factor * r + add[k] + energy(y, x)) * scale[k] * norm(y, x), of what lies in [lowest, highest]
struct ScoreRange {
  double factor, lowest, highest;

  [[nodiscard]] double score(double correlation, double added, double scale, double norm) const noexcept {
    return std::min(std::max((factor * correlation + added) * scale * norm, lowest), highest);
  }
};
constexpr ScoreRange score_range(Method m) noexcept {
  constexpr double any = 3e38;
  if (is_distance(m)) return {-2, 0, any};
  return is_normed(m) ? ScoreRange{1, -1, 1} : ScoreRange{1, -any, any};
}

}  // namespace corrbank::detail
