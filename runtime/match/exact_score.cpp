#include <cmath>

#include "match/f32_stages.h"
#include "match/method.h"
#include "match/templates.h"

namespace corrbank::detail {
namespace {

// Sums that are taken side by side, as an addition takes its time.
constexpr int lanes = product_lanes;

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

// Of one channel without a mask, and what it adds to the products. So few pixels would take longer side by side.
constexpr std::int64_t few = 4 * lanes;
MaskedSums sum_few(const double* weights, const double* pixels, std::int64_t count, double& products) noexcept {
  double product = 0, plain = 0, energy = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    product += weights[i] * pixels[i], plain += pixels[i], energy += pixels[i] * pixels[i];
  }
  products += product;
  return {plain, plain, energy};
}

MaskedSums sum_window(const double* weights, const double* pixels, std::int64_t count,
                      double (&products)[lanes]) noexcept {
  if (count < few) return sum_few(weights, pixels, count, products[0]);
  double plain[lanes] = {}, energy[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    for (int l = 0; l < lanes; ++l) {
      const double pixel = pixels[i + l];
      products[l] += weights[i + l] * pixel, plain[l] += pixel, energy[l] += pixel * pixel;
    }
  }
  for (int l = 0; i < count; ++i, ++l) {
    products[l] += weights[i] * pixels[i], plain[l] += pixels[i], energy[l] += pixels[i] * pixels[i];
  }
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

// What sums rows where they lie, or null: short ones of many channels are waited for less when all are read at once.
const F32Stages* sums_rows(const PackedTemplates& t, const TemplateGroup& group, const Source& source) noexcept {
  const bool can = source.dtype == DType::f32 && !group.masked() && t.width >= product_lanes;
  return can ? f32_stages(*t.target) : nullptr;
}

MaskedSums sum_rows(const F32Stages& stages, const PackedTemplates& t, const Source& source, std::int64_t c,
                    std::int64_t y, std::int64_t x, const double* weights, double (&products)[product_lanes]) noexcept {
  const float* first = static_cast<const float*>(source.data) + c * source.channel_stride + y * source.row_stride + x;
  const WindowPixels window{first, static_cast<std::ptrdiff_t>(source.row_stride), static_cast<int>(t.height),
                            static_cast<int>(t.width), source.offsets[c]};
  const WindowTotals totals = stages.window_totals(window, weights, products);
  return {totals.plain, totals.plain, totals.energy};
}

}  // namespace

bool exact_score(const PackedTemplates& t, const Source& source, std::int64_t k, const double* weights, std::int64_t y,
                 std::int64_t x, double* pixels, double& score) noexcept {
  const TemplateGroup& group = t.groups[static_cast<std::size_t>(t.group_of[static_cast<std::size_t>(k)])];
  const auto place = static_cast<std::size_t>(t.place_in_group[static_cast<std::size_t>(k)]);
  if (group.scale[place] == 0) return false;
  MaskedSums all{};
  double products[product_lanes] = {};
  const F32Stages* in_rows = sums_rows(t, group, source);
  if (in_rows == nullptr) source.read_window(y, x, t.height, t.width, pixels);
  if (group.masked()) products[0] = sum_products(weights, pixels, t.taps());
  double sum = 0, add = group.add[place], mask = 0, mask_squares = 0;
  const std::int64_t plane = t.height * t.width;
  for (std::int64_t c = 0; c < t.channels; ++c) {
    const double *own_weights = weights + c * plane, *channel = pixels + c * plane;
    const MaskedSums window = in_rows != nullptr ? sum_rows(*in_rows, t, source, c, y, x, own_weights, products)
                              : group.masked()   ? sum_window(channel, group.mask.data() + c * plane, plane)
                                                 : sum_window(own_weights, channel, plane, products);
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
  score = score_range(t.method).score(total(products), add, group.scale[place], norm);
  return std::isfinite(score);
}

}  // namespace corrbank::detail
