// Which scores f32 may be too coarse for.
#include <algorithm>
#include <cmath>

#include "match/find_above.h"
#include "match/method.h"
#include "match/run_match.h"
#include "match/stage_sizes.h"

namespace corrbank::detail {
namespace {

// As part of sqrt(energy of the pixels around a window) the rounding errors of the algorithms reach what follows: as measured on
// photographs (docs/matching.md), and of direct sums, one product after the other, also as the square root of their number.
double rounding(Algorithm algorithm, std::int64_t taps) noexcept {
  switch (algorithm) {
    case Algorithm::winograd: return 1e-6;
    case Algorithm::fft: return 2e-7;
    default: return 6e-8 * std::sqrt(static_cast<double>(taps));
  }
}

}  // namespace

// Rounding errors follow the energy of the pixels that a tile transforms together; where they are more than a score may be
// off by, norms become negative.
void MatchRun::flag_flat_windows(const CallPlan& made) noexcept {
  const Extent size = sums_block();
  const std::int64_t across = quotient_up(maps_.width, size.columns), down = quotient_up(maps_.height, size.rows);
  const bool fft = made.algorithm == Algorithm::fft;
  const std::int64_t reach_y = fft ? quotient_up(made.fft.rows->size, size.rows) : 0;
  const std::int64_t reach_x = fft ? quotient_up(made.fft.columns->size, size.columns) : 0;
  for_each_block(across * down, [&](std::int64_t i, char* /*scratch*/) {
    const std::int64_t block_y = i / across, block_x = i % across;
    double energy = 0;  // of a pixel, all channels
    for (std::int64_t c = 0; c < t_.channels; ++c) {
      Moments all;
      for (std::int64_t v = std::max<std::int64_t>(0, block_y - reach_y); v <= std::min(down - 1, block_y + reach_y);
           ++v) {
        for (std::int64_t u = std::max<std::int64_t>(0, block_x - reach_x);
             u <= std::min(across - 1, block_x + reach_x); ++u) {
          const Moments& m = moments_[(v * across + u) * t_.channels + c];
          if (!std::isfinite(m.energy)) continue;
          all.pixels += m.pixels, all.sum += m.sum, all.energy += m.energy;
        }
      }
      if (all.pixels == 0) continue;
      // In transforms a constant does not disturb templates whose sum is 0.
      const bool undisturbed = is_centred(t_.method) && made.algorithm != Algorithm::direct;
      const double mean = undisturbed ? all.sum / all.pixels : 0;
      energy += std::max(all.energy / all.pixels - mean * mean, 0.0);
    }
    const std::int64_t y = block_y * size.rows, x = block_x * size.columns;
    flag_flat_windows(made, energy, y, x, std::min<std::int64_t>(size.rows, maps_.height - y),
                      std::min<std::int64_t>(size.columns, maps_.width - x));
  });
}

void MatchRun::flag_flat_windows(const CallPlan& plan, double energy, std::int64_t y, std::int64_t x, std::int64_t rows,
                                 std::int64_t columns) noexcept {
  const double off = rounding(plan.algorithm, t_.taps()) / score_tolerance;
  const auto least = static_cast<float>(1 / (off * std::sqrt(energy * static_cast<double>(t_.height * t_.width))));
  for (std::int64_t row = y; row < y + rows; ++row) {
    float* norm = maps_.norm + maps_.at(row, x);
    const auto count = static_cast<int>(columns);
    int i = find_above(norm, 0, count, least);
    if (i == count) continue;
    maps_.again[row].store(true, std::memory_order_relaxed);
    for (; i < count; ++i) norm[i] = norm[i] > least ? -norm[i] : norm[i];
  }
}

}  // namespace corrbank::detail
