#include "offsets.h"

#include <algorithm>
#include <cmath>

namespace corrbank::detail {
namespace {

// Of neighbours at places spread over rows and columns: each place is a line of the caches. With 32 places, estimates took 24 of
// the 285 microseconds of 64 channels of 56x56 on two threads (2026-11-28, AMD EPYC "Zen 4").
constexpr std::int64_t sampled_places = 8, sampled_columns = 4;
constexpr std::int64_t place_step = 3;  // in columns from a place to the next, of sampled_places around: no diagonal
// A mean below this part of the elements' root mean square is left where it is: without it their norm would be 0.87 of what it
// is. Most images of zero mean then need no corrections.
constexpr double small_mean = 0.5;

// Sums of this many kernels are added up side by side.
constexpr std::int64_t group = 16;

// [group of kernels][channel][kernel of it]; kernels behind the last have sums of 0.
bool sum_taps(const void* context, void* memory) noexcept {
  const auto& bank = *static_cast<const PackedBank*>(context);
  const std::int64_t plane = bank.height * bank.width;
  for (std::int64_t k = 0; k < round_up(bank.count, group); ++k) {
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
  std::int64_t places[sampled_places];
  const std::int64_t last_column = g.image_width() - 1,
                     last = std::max<std::int64_t>(0, g.image_width() - sampled_columns);
  for (std::int64_t i = 0; i < sampled_places; ++i) {
    places[i] = (2 * i + 1) * g.image_height() / (2 * sampled_places) * g.row_stride +
                (2 * (i * place_step % sampled_places) + 1) * last / (2 * sampled_places);
  }
  constexpr double samples = sampled_places * sampled_columns;
  for (std::int64_t c = 0; c < g.channels; ++c, image += g.channel_stride) {
    double sums[sampled_columns] = {}, squares[sampled_columns] = {};  // side by side: an addition takes its time
    for (const std::int64_t place : places) {
      for (std::int64_t j = 0; j < sampled_columns; ++j) {
        const auto element = static_cast<double>(image[place + std::min(j, last_column)]);
        sums[j] += element;
        squares[j] += element * element;
      }
    }
    double sum = 0, square = 0;
    for (std::int64_t j = 0; j < sampled_columns; ++j) {
      sum += sums[j];
      square += squares[j];
    }
    // False for a NaN and for infinities.
    const bool large = sum * sum > small_mean * small_mean * samples * square && square < HUGE_VAL;
    means[c] = large ? static_cast<float>(sum / samples) : 0.0f;
  }
}

std::size_t offsets_bytes(const PackedBank& bank) noexcept {
  return static_cast<std::size_t>(round_up(bank.count, group) * bank.channels) * sizeof(double);
}

bool prepare_offsets(const PackedBank& bank) noexcept { return tap_sums(bank) != nullptr; }

void correct_for_means(const PackedBank& bank, const float* means, float* corrections) noexcept {
  if (std::all_of(means, means + bank.channels, [](float mean) { return mean == 0; })) {
    std::fill_n(corrections, bank.count, 0.0f);
    return;
  }
  const double* sums = tap_sums(bank);
  for (std::int64_t first = 0; first < bank.count; first += group) {
    double correction[group] = {};
    for (std::int64_t c = 0; c < bank.channels; ++c, sums += group) {
      if (means[c] == 0) continue;
      const auto mean = static_cast<double>(means[c]);
      for (std::int64_t k = 0; k < group; ++k) correction[k] += mean * sums[k];
    }
    const std::int64_t exist = std::min(group, bank.count - first);
    for (std::int64_t k = 0; k < exist; ++k) corrections[first + k] = static_cast<float>(correction[k]);
  }
}

}  // namespace corrbank::detail
