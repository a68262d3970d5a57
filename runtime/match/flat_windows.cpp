// Which scores f32 may be too coarse for.
#include <algorithm>
#include <cmath>

#include "geometry.h"
#include "match/find_above.h"
#include "match/method.h"
#include "match/run_match.h"
#include "match/stage_sizes.h"

namespace corrbank::detail {
namespace {

// As part of sqrt(energy of the pixels around a window) the rounding errors of the algorithms reach what follows: as measured on
// photographs (docs/matching.md). Of direct sums also as the square root of their length; of transforms of large templates whose
// sum is 0 less, as such correlations are small beside that energy.
double rounding(Algorithm algorithm, Method method, std::int64_t taps) noexcept {
  switch (algorithm) {
    case Algorithm::winograd: return 1e-6;
    case Algorithm::fft: return is_centred(method) && taps >= 200 ? 2e-7 : 3e-7;
    default: return 6e-8 * std::sqrt(static_cast<double>(std::min<std::int64_t>(taps, short_sum_taps)));
  }
}

constexpr int at_once = 32;  // pixels of a row

// Than windows that f32 is just good enough for: where peaks are searched their scores still are, for what they can be.
constexpr auto far_flatter = static_cast<float>(flat_error / (3 * score_tolerance));
constexpr std::int64_t channels_ahead = 4;

// Of pixels of a channel.
struct Moments {
  double pixels = 0, sum = 0, energy = 0;
};

// Short rows of many channels are read in an order in which the processor sees no pattern.
void fetch_rows(const Source& source, std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t rows,
                std::int64_t columns) noexcept {
  if (c >= source.channels || columns > at_once) return;
  for (std::int64_t row = 0; row < rows; ++row) source.fetch(c, y + row, x, columns);
}

Moments sum_moments(const Source& source, std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t rows,
                    std::int64_t columns) noexcept {
  Moments all;
  for (std::int64_t first = 0; first < columns; first += at_once) {
    const std::int64_t count = std::min<std::int64_t>(at_once, columns - first);
    float pixels[at_once] = {}, sums[at_once] = {}, energies[at_once] = {};
    for (std::int64_t row = 0; row < rows; ++row) {
      source.read(c, y + row, x + first, count, pixels);
      for (int i = 0; i < at_once; ++i) sums[i] += pixels[i], energies[i] += pixels[i] * pixels[i];
      all.pixels += static_cast<double>(count);
    }
    double sum = 0, energy = 0;
    for (int i = 0; i < at_once; ++i) sum += static_cast<double>(sums[i]), energy += static_cast<double>(energies[i]);
    all.sum += sum, all.energy += energy;
  }
  return all;
}

// Direct sums err by no more than their own windows' energies tell. Of small ones those are soon summed: of `count` windows from
// (y, x) on, at_once at most.
void sum_energies(const Source& source, std::int64_t y, std::int64_t x, int count, std::int64_t high, std::int64_t wide,
                  float* energies) noexcept {
  const std::int64_t pixels = count + wide - 1;
  std::fill_n(energies, at_once, 0.0f);
  for (std::int64_t c = 0; c < source.channels; ++c) {
    float row[at_once + small_side] = {}, squares[at_once + small_side] = {};
    for (std::int64_t i = 0; i < high; ++i) {
      source.read(c, y + i, x, pixels, row);
      for (int j = 0; j < at_once + small_side; ++j) squares[j] += row[j] * row[j];
    }
    for (std::int64_t j = 0; j < wide; ++j) {
      for (int n = 0; n < at_once; ++n) energies[n] += squares[n + j];
    }
  }
}

}  // namespace

MatchRun::Extent MatchRun::transformed_together(const CallPlan& plan) noexcept {
  switch (plan.algorithm) {
    case Algorithm::fft: return {static_cast<int>(plan.fft.tile_rows), static_cast<int>(plan.fft.tile_columns)};
    case Algorithm::winograd: return {24, 24};  // whole tiles of each variant
    default: return {32, 32};
  }
}

// Of a pixel, all channels, of those that are transformed together for windows from (y, x) on: rounding errors follow it.
double MatchRun::energy_around(std::size_t number, const Seen& seen, std::int64_t y, std::int64_t x,
                               Extent windows) const noexcept {
  const Source& source = seen.source;
  const std::int64_t rows = std::min(windows.rows + t_.height - 1, source.height);
  const std::int64_t columns = std::min(windows.columns + t_.width - 1, source.width);
  // Templates whose sum is 0 see little of a constant that transforms sum first: errors are a quarter of what others have.
  // The fft algorithm takes the tile's mean off before; the sums here tell no smaller rest of it.
  const Algorithm algorithm = plans_[number].call.algorithm;
  const bool centred = is_centred(t_.method) && algorithm != Algorithm::direct;
  const double unseen = algorithm == Algorithm::fft && sees_no_means(number) ? 1 - 0x1p-18 : centred ? 15.0 / 16 : 0;
  // The last tiles are shifted inwards.
  const std::int64_t top = std::min(y - seen.y, source.height - rows),
                     left = std::min(x - seen.x, source.width - columns);
  double energy = 0;
  for (std::int64_t c = 0; c < t_.channels; ++c) {
    fetch_rows(source, c + channels_ahead, top, left, rows, columns);
    const Moments all = sum_moments(source, c, top, left, rows, columns);
    if (!std::isfinite(all.energy)) continue;
    const double mean = all.sum / all.pixels;
    energy += std::max(all.energy / all.pixels - unseen * mean * mean, 0.0);
  }
  return energy;
}

// What energy_around() is at most, as windows that cover those pixels have no more than `largest_energy` each.
double MatchRun::energy_at_most(const Seen& seen, Extent windows, float largest_energy) const noexcept {
  const auto excess = [](std::int64_t pixels, std::int64_t window) {
    return static_cast<double>(quotient_up(pixels, window) * window) / static_cast<double>(pixels);
  };
  const std::int64_t rows = std::min(windows.rows + t_.height - 1, seen.source.height);
  const std::int64_t columns = std::min(windows.columns + t_.width - 1, seen.source.width);
  return static_cast<double>(largest_energy) / static_cast<double>(t_.height * t_.width) * excess(rows, t_.height) *
         excess(columns, t_.width);
}

// Of the roots of energies up to 1.4e-7 times the root of the taps was measured as an error, of which 1e-5 of a score may be.
Flatness MatchRun::small_flatness() const noexcept {
  const double taps = static_cast<double>(std::min<std::int64_t>(t_.taps(), short_sum_taps));
  const double off = 7.5e-8 * std::sqrt(taps) * (is_distance(t_.method) ? 2 : 1) / score_tolerance;
  const double most = 1 / (off * off);
  return {most, aim_ == Aim::peaks ? most * far_flatter * far_flatter : HUGE_VAL};
}

std::int64_t MatchRun::flag_small_windows(const Seen& seen, const WindowBlock& block, float largest_energy) noexcept {
  const Flatness flat = small_flatness();
  const auto most = static_cast<float>(flat.most), far = static_cast<float>(flat.far);
  const auto least_of_all = std::sqrt(most / largest_energy);
  std::int64_t flagged = 0;
  for (std::int64_t row = block.y; row < block.y + block.rows; ++row) {
    bool any = false;
    for (int first = 0; first < block.columns; first += at_once) {
      float* norm = maps_.norm + maps_.at(row, block.x + first);
      const int count = std::min(at_once, block.columns - first);
      if (find_above(norm, 0, count, least_of_all) == count) continue;
      float energies[at_once];
      sum_energies(seen.source, row - seen.y, block.x + first - seen.x, count, t_.height, t_.width, energies);
      for (int i = 0; i < count; ++i) {
        const float flatness = norm[i] > 0 ? norm[i] * norm[i] * energies[i] : 0;
        if (!(flatness > most)) continue;
        note_flat_error(std::sqrt(most / energies[i]));
        norm[i] = flatness > far ? -HUGE_VALF : -norm[i];
        ++flagged, any = true;
      }
    }
    if (any) maps_.again[row].store(true, std::memory_order_relaxed);
  }
  return flagged;
}

std::int64_t MatchRun::flag_flat_windows(std::size_t number, const Seen& seen, const WindowBlock& block,
                                         float largest_energy) noexcept {
  const CallPlan& plan = plans_[number].call;
  if (plan.algorithm == Algorithm::direct && t_.height <= small_side && t_.width <= small_side) {
    return flag_small_windows(seen, block, largest_energy);
  }
  // A distance has the correlation twice.
  const double off =
      rounding(plan.algorithm, t_.method, t_.taps()) * (is_distance(t_.method) ? 2 : 1) / score_tolerance;
  const auto area = static_cast<double>(t_.height * t_.width);
  const Extent size = transformed_together(plan);
  const auto least_of = [&](double energy) { return static_cast<float>(1 / (off * std::sqrt(energy * area))); };
  // Energies around take a while, and where windows are alike they are not needed.
  const float least_of_all = least_of(energy_at_most(seen, size, largest_energy));
  std::int64_t flagged = 0;
  for (std::int64_t v = block.y; v < block.y + block.rows; v += size.rows) {
    for (std::int64_t u = block.x; u < block.x + block.columns; u += size.columns) {
      const auto end = static_cast<int>(std::min(u + size.columns, block.x + block.columns));
      const std::int64_t end_row = std::min(v + size.rows, block.y + block.rows);
      std::int64_t first = v;
      while (first < end_row && !(maps_.largest_norm(first, u, end - u) > least_of_all)) ++first;
      if (first == end_row) continue;
      const float least = least_of(energy_around(number, seen, v, u, size));
      const float far = aim_ == Aim::peaks ? least * far_flatter : HUGE_VALF;
      for (std::int64_t row = first; row < end_row; ++row) {
        float* norm = maps_.norm + maps_.at(row, 0);
        int i = find_above(norm, static_cast<int>(u), end, least);
        if (i == end) continue;
        maps_.again[row].store(true, std::memory_order_relaxed);
        note_flat_error(least);
        for (; i < end; ++i) {
          flagged += norm[i] > least;
          norm[i] = norm[i] > far ? -HUGE_VALF : norm[i] > least ? -norm[i] : norm[i];
        }
      }
    }
  }
  return flagged;
}

}  // namespace corrbank::detail
