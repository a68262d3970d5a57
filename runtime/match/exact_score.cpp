#include <cmath>

#include "match/method.h"
#include "match/templates.h"

namespace corrbank::detail {
namespace {

// Sums that are taken side by side, as an addition takes its time.
constexpr int lanes = 8;

double total(const double (&sums)[lanes]) noexcept {
  double all = 0;
  for (const double sum : sums) all += sum;
  return all;
}

double sum_products(const double* weights, const double* pixels, std::int64_t count) noexcept {
  double sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int l = 0; l < lanes; ++l) sums[l] += weights[i + l] * pixels[i + l];
  }
  for (int l = 0; i < count; ++i, ++l) sums[l] += weights[i] * pixels[i];
  return total(sums);
}

// Of one channel without a mask: of so few pixels that it would take longer side by side.
constexpr std::int64_t few = 4 * lanes;
MaskedSums sum_few(const double* pixels, std::int64_t count) noexcept {
  double plain = 0, energy = 0;
  for (std::int64_t i = 0; i < count; ++i) plain += pixels[i], energy += pixels[i] * pixels[i];
  return {plain, plain, energy};
}

MaskedSums sum_window(const double* pixels, std::int64_t count) noexcept {
  if (count < few) return sum_few(pixels, count);
  double plain[lanes] = {}, energy[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int l = 0; l < lanes; ++l) plain[l] += pixels[i + l], energy[l] += pixels[i + l] * pixels[i + l];
  }
  for (int l = 0; i < count; ++i, ++l) plain[l] += pixels[i], energy[l] += pixels[i] * pixels[i];
  const double sum = total(plain);
  return {sum, sum, total(energy)};
}

MaskedSums sum_window(const double* pixels, const double* mask, std::int64_t count) noexcept {
  MaskedSums sums{};
  for (std::int64_t i = 0; i < count; ++i) {
    const double weighted = mask[i] * pixels[i];
    sums.plain += weighted, sums.squared += mask[i] * weighted, sums.energy += weighted * weighted;
  }
  return sums;
}

}  // namespace

bool exact_score(const PackedTemplates& t, const Source& source, std::int64_t k, const double* weights, std::int64_t y,
                 std::int64_t x, double* pixels, double& score) noexcept {
  const TemplateGroup& group = t.groups[static_cast<std::size_t>(t.group_of[static_cast<std::size_t>(k)])];
  const auto place = static_cast<std::size_t>(t.place_in_group[static_cast<std::size_t>(k)]);
  if (group.scale[place] == 0) return false;
  source.read_window(y, x, t.height, t.width, pixels);
  const double product = sum_products(weights, pixels, t.taps());
  MaskedSums all{};
  double sum = 0, add = group.add[place], mask = 0, mask_squares = 0;
  const std::int64_t plane = t.height * t.width;
  for (std::int64_t c = 0; c < t.channels; ++c) {
    const double* channel = pixels + c * plane;
    const MaskedSums window =
        group.masked() ? sum_window(channel, group.mask.data() + c * plane, plane) : sum_window(channel, plane);
    const auto at = static_cast<std::size_t>(c);
    const double offset = source.offsets[c];
    const double own_mask = group.mask_sums[at], own_squares = group.mask_squares[at];
    if (is_normed_by_energy(t.method)) sum += window.energy_with(offset, own_squares);
    if (t.method == Method::ccoeff_normed && own_mask != 0) sum += window.variance(own_mask, own_squares);
    if (!group.channel_sums.empty()) {
      add += offset * group.channel_sums[place * static_cast<std::size_t>(t.channels) + at];
    }
    all.plain += window.plain, all.squared += window.squared, all.energy += window.energy;
    mask += own_mask, mask_squares += own_squares;
  }
  if (t.method == Method::zncc && mask != 0) sum = all.variance(mask, mask_squares);
  const double norm = norm_of(t.method, sum, all.energy);
  if (norm == 0) return false;
  if (is_distance(t.method)) add += all.energy;
  score = score_range(t.method).score(product, add, group.scale[place], norm);
  return std::isfinite(score);
}

}  // namespace corrbank::detail
