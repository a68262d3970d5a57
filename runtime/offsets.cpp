#include "offsets.h"

#include <algorithm>
#include <cmath>

namespace corrbank::detail {
namespace {

constexpr std::int64_t samples = 8;  // a side

// Sums of this many kernels are added up side by side.
constexpr std::int64_t group = 16;

// [group of kernels][channel][kernel of it]; kernels behind the last have sums of 0.
bool sum_taps(const void* context, void* memory) noexcept {
  const auto& bank = *static_cast<const PackedBank*>(context);
  const std::int64_t plane = bank.height * bank.width;
  for (std::int64_t k = 0; k < quotient_up(bank.count, group) * group; ++k) {
    auto* sums = static_cast<double*>(memory) + k / group * group * bank.channels + k % group;
    const float* tap = k < bank.count ? bank.kernel(k) : nullptr;
    const int stride = k < bank.count ? bank.block_width(k) : 0;
    for (std::int64_t c = 0; c < bank.channels; ++c, sums += group) {
      double sum = 0;
      for (std::int64_t t = 0; tap != nullptr && t < plane; ++t, tap += stride) sum += static_cast<double>(*tap);
      *sums = sum;
    }
  }
  return true;
}

const double* tap_sums(const PackedBank& bank) noexcept {
  return static_cast<const double*>(bank.forms.get({FormKey::tap_sums}, offsets_bytes(bank), sum_taps, &bank));
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

std::size_t offsets_bytes(const PackedBank& bank) noexcept {
  return static_cast<std::size_t>(quotient_up(bank.count, group) * group * bank.channels) * sizeof(double);
}

bool prepare_offsets(const PackedBank& bank) noexcept { return tap_sums(bank) != nullptr; }

bool correct_for_means(const PackedBank& bank, const float* means, float* corrections) noexcept {
  const double* sums = tap_sums(bank);
  if (sums == nullptr) return false;
  for (std::int64_t first = 0; first < bank.count; first += group) {
    double correction[group] = {};
    for (std::int64_t c = 0; c < bank.channels; ++c, sums += group) {
      const auto mean = static_cast<double>(means[c]);
      for (std::int64_t k = 0; k < group; ++k) correction[k] += mean * sums[k];
    }
    const std::int64_t exist = std::min(group, bank.count - first);
    for (std::int64_t k = 0; k < exist; ++k) corrections[first + k] = static_cast<float>(correction[k]);
  }
  return true;
}

}  // namespace corrbank::detail
