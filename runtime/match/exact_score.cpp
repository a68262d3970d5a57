#include <algorithm>
#include <cmath>

#include "match/method.h"
#include "match/source.h"
#include "match/templates.h"

namespace corrbank::detail {
namespace {

// Sums of one channel, or of all.
struct Sums {
  double product = 0;  // of the correlated template and J
  MaskedSums window{};
};

// A channel of a window: pixels of one element type, a template's weights, a mask or null.
struct Channel {
  std::int64_t height, width, row_stride;
  const double *weights, *mask;
  double offset;
};

// One of the sums that are taken side by side, as an addition takes its time.
template <bool masked>
struct Lane {
  double product = 0, plain = 0, squared = 0, energy = 0;

  void add(double weight, double m, double difference) noexcept {
    const double weighted = masked ? m * difference : difference;
    product += weight * difference;
    plain += weighted, energy += weighted * weighted;
    if (masked) squared += m * weighted;
  }
};

template <bool masked, typename T>
Sums sum_channel(const Channel& c, const T* pixels) noexcept {
  Lane<masked> a, b, d, e;
  const double *weight = c.weights, *mask = masked ? c.mask : c.weights;
  const double offset = c.offset;
  for (std::int64_t i = 0; i < c.height; ++i, pixels += c.row_stride, weight += c.width, mask += c.width) {
    const auto add = [&](Lane<masked>& lane, std::int64_t x) {
      lane.add(weight[x], mask[x], static_cast<double>(pixels[x]) - offset);
    };
    std::int64_t x = 0;
    for (; x + 4 <= c.width; x += 4) add(a, x), add(b, x + 1), add(d, x + 2), add(e, x + 3);
    if (x < c.width) add(a, x);
    if (x + 1 < c.width) add(b, x + 1);
    if (x + 2 < c.width) add(d, x + 2);
  }
  Sums s;
  for (const Lane<masked>& lane : {a, b, d, e}) {
    s.product += lane.product;
    s.window.plain += lane.plain, s.window.squared += masked ? lane.squared : lane.plain;
    s.window.energy += lane.energy;
  }
  return s;
}

template <typename T>
Sums sum_channel(const Channel& c, const T* pixels) noexcept {
  return c.mask != nullptr ? sum_channel<true>(c, pixels) : sum_channel<false>(c, pixels);
}

// Rows of a channel that comes later, for a processor that sees no pattern in where channels begin: scores of 3x3 windows of 128
// channels of 200x200 are made of little else than waits for pixels (2026-11-25, AMD EPYC "Zen 4").
template <typename T>
void fetch_channel([[maybe_unused]] const Channel& c, [[maybe_unused]] const T* pixels) noexcept {
#if defined(__GNUC__)
  for (std::int64_t i = 0; i < c.height; ++i, pixels += c.row_stride) {
    __builtin_prefetch(pixels);
    __builtin_prefetch(pixels + c.width - 1);
  }
#endif
}
constexpr std::int64_t fetched_channels = 32;

// From `first` on in the image; `ahead` is where a channel begins that is to be fetched.
template <typename T>
Sums sum_channel(const Channel& c, const ImageView& image, std::int64_t first, std::int64_t ahead) noexcept {
  const auto* pixels = static_cast<const T*>(image.data);
  fetch_channel(c, pixels + ahead);
  return sum_channel(c, pixels + first);
}

Sums sum_channel(const Channel& c, const ImageView& image, std::int64_t first, std::int64_t ahead) noexcept {
  switch (image.dtype) {
    case DType::u8: return sum_channel<std::uint8_t>(c, image, first, ahead);
    case DType::u16: return sum_channel<std::uint16_t>(c, image, first, ahead);
    default: return sum_channel<float>(c, image, first, ahead);
  }
}

}  // namespace

bool exact_score(const PackedTemplates& t, const ImageView& image, const double* offsets, std::int64_t k,
                 const double* weights, std::int64_t y, std::int64_t x, double& score) noexcept {
  const TemplateGroup& group = t.groups[static_cast<std::size_t>(t.group_of[static_cast<std::size_t>(k)])];
  const auto place = static_cast<std::size_t>(t.place_in_group[static_cast<std::size_t>(k)]);
  if (group.scale[place] == 0) return false;
  Sums all;
  double sum = 0, add = group.add[place], mask = 0, mask_squares = 0;
  for (std::int64_t c = 0; c < t.channels; ++c) {
    const auto tap = static_cast<std::size_t>(c * t.height * t.width);
    const Channel channel{
        t.height,  t.width, image.row_stride, weights + tap, group.masked() ? group.mask.data() + tap : nullptr,
        offsets[c]};
    const std::int64_t first = y * image.row_stride + x;
    const std::int64_t ahead = std::min(c + fetched_channels, t.channels - 1);
    const Sums s = sum_channel(channel, image, first + c * image.channel_stride, first + ahead * image.channel_stride);
    const auto at = static_cast<std::size_t>(c);
    const double offset = offsets[c];
    const double own_mask = group.mask_sums[at], own_squares = group.mask_squares[at];
    if (is_normed_by_energy(t.method)) sum += s.window.energy_with(offset, own_squares);
    if (t.method == Method::ccoeff_normed && own_mask != 0) sum += s.window.variance(own_mask, own_squares);
    if (!group.channel_sums.empty()) {
      add += offset * group.channel_sums[place * static_cast<std::size_t>(t.channels) + at];
    }
    all.product += s.product;
    all.window.plain += s.window.plain, all.window.squared += s.window.squared, all.window.energy += s.window.energy;
    mask += own_mask, mask_squares += own_squares;
  }
  if (t.method == Method::zncc && mask != 0) sum = all.window.variance(mask, mask_squares);
  const double norm = norm_of(t.method, sum, all.window.energy);
  if (norm == 0) return false;
  if (is_distance(t.method)) add += all.window.energy;
  score = score_range(t.method).score(all.product, add, group.scale[place], norm);
  return std::isfinite(score);
}

}  // namespace corrbank::detail
