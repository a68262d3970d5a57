#include "offsets.h"

#include <algorithm>
#include <cmath>

namespace corrbank::detail {
namespace {

constexpr std::int64_t samples = 8;  // a side

// [kernel][channel]
void sum_taps(const void* context, void* memory) noexcept {
  const auto& bank = *static_cast<const PackedBank*>(context);
  auto* sums = static_cast<double*>(memory);
  const std::int64_t plane = bank.height * bank.width;
  for (std::int64_t k = 0; k < bank.count; ++k) {
    const float* tap = bank.kernel(k);
    const int stride = bank.block_width(k);
    for (std::int64_t c = 0; c < bank.channels; ++c) {
      double sum = 0;
      for (std::int64_t t = 0; t < plane; ++t, tap += stride) sum += static_cast<double>(*tap);
      *sums++ = sum;
    }
  }
}

}  // namespace

void estimate_means(const Geometry& g, const float* image, float* means) noexcept {
  const std::int64_t height = g.image_height(), width = g.image_width();
  for (std::int64_t c = 0; c < g.channels; ++c) {
    double sum = 0;
    for (std::int64_t i = 0; i < samples; ++i) {
      const std::int64_t y = (2 * i + 1) * height / (2 * samples);
      const float* row = image + c * g.channel_stride + y * g.row_stride;
      for (std::int64_t j = 0; j < samples; ++j) sum += static_cast<double>(row[(2 * j + 1) * width / (2 * samples)]);
    }
    const auto mean = static_cast<float>(sum / (samples * samples));
    means[c] = std::isfinite(mean) ? mean : 0.0f;
  }
}

bool correct_for_means(const PackedBank& bank, const float* means, float* corrections) noexcept {
  const std::size_t bytes = static_cast<std::size_t>(bank.count * bank.channels) * sizeof(double);
  const auto* sums = static_cast<const double*>(bank.forms.get({FormKey::tap_sums}, bytes, sum_taps, &bank));
  if (sums == nullptr) return false;
  for (std::int64_t k = 0; k < bank.count; ++k, sums += bank.channels) {
    double correction = 0;
    for (std::int64_t c = 0; c < bank.channels; ++c) correction += static_cast<double>(means[c]) * sums[c];
    corrections[k] = static_cast<float>(correction);
  }
  return true;
}

}  // namespace corrbank::detail
