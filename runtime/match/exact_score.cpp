#include <cmath>

#include "geometry.h"
#include "match/method.h"
#include "match/source.h"
#include "match/templates.h"

namespace corrbank::detail {
namespace {

// Sums of one channel, or of all.
struct Sums {
  double product = 0, plain = 0, squared = 0, energy = 0;  // of the correlated template, M J, M^2 J, M^2 J^2
};

double variance(const Sums& s, double mask, double mask_squares) noexcept {
  if (mask == 0) return 0;
  const double mean = s.plain / mask;
  return s.energy + mean * (mean * mask_squares - 2 * s.squared);
}

}  // namespace

bool exact_score(const PackedTemplates& t, const ImageView& image, const double* offsets, std::int64_t k,
                 std::int64_t y, std::int64_t x, double& score) noexcept {
  const TemplateGroup& group = t.groups[static_cast<std::size_t>(t.group_of[static_cast<std::size_t>(k)])];
  const auto place = static_cast<std::size_t>(t.place_in_group[static_cast<std::size_t>(k)]);
  const auto padded = static_cast<std::size_t>(round_up(group.count(), exact_kernels));
  if (group.scale[place] == 0) return false;
  Sums all;
  double norm = 0, add = group.add[place], mask = 0, mask_squares = 0;
  std::size_t tap = 0;
  for (std::int64_t c = 0; c < t.channels; ++c) {
    Sums s;
    for (std::int64_t i = 0; i < t.height; ++i) {
      const std::int64_t row = c * image.channel_stride + (y + i) * image.row_stride + x;
      for (std::int64_t j = 0; j < t.width; ++j, ++tap) {
        const double m = group.masked() ? group.mask[tap] : 1;
        const double difference = element(image.data, image.dtype, row + j) - offsets[c], weighted = m * difference;
        s.product += group.exact[tap * padded + place] * difference;
        s.plain += weighted, s.squared += m * weighted, s.energy += weighted * weighted;
      }
    }
    const auto at = static_cast<std::size_t>(c);
    const double offset = offsets[c];
    if (is_normed_by_energy(t.method)) norm += s.energy + offset * (2 * s.squared + offset * group.mask_squares[at]);
    if (t.method == Method::ccoeff_normed) norm += variance(s, group.mask_sums[at], group.mask_squares[at]);
    if (!group.channel_sums.empty()) {
      add += offset * group.channel_sums[place * static_cast<std::size_t>(t.channels) + at];
    }
    all.product += s.product, all.plain += s.plain, all.squared += s.squared, all.energy += s.energy;
    mask += group.mask_sums[at], mask_squares += group.mask_squares[at];
  }
  if (t.method == Method::zncc) norm = variance(all, mask, mask_squares);
  if (!std::isfinite(all.energy)) return false;
  if (is_normed(t.method) && !(norm > constant_window_below * all.energy)) return false;
  const ScoreRange range = score_range(t.method);
  const double sum = range.factor * all.product + add + (is_distance(t.method) ? all.energy : 0);
  const double scaled = sum * group.scale[place] * (is_normed(t.method) ? 1 / std::sqrt(norm) : 1);
  score = std::fmin(std::fmax(scaled, range.lowest), range.highest);
  return std::isfinite(score);
}

}  // namespace corrbank::detail
