#include "match/run_match.h"

#include <algorithm>
#include <cmath>

#include "match/find_above.h"
#include "match/integers.h"
#include "match/method.h"
#include "match/small_windows.h"
#include "match/stage_sizes.h"
#include "match/window_maps.h"

namespace corrbank::detail {

const float* MatchRun::correlated_image() const noexcept {
  return copy_ != nullptr ? copy_ : static_cast<const float*>(image_.data);
}

const float* MatchRun::correlated_means() const noexcept { return copy_ != nullptr ? zeros_ : means_; }

bool MatchRun::sees_no_means(std::size_t number) const noexcept {
  const bool own = t_.method == Method::ccoeff_normed || (t_.method == Method::zncc && t_.channels == 1);
  return own && !t_.groups[number].masked();
}

bool MatchRun::measures_in_blocks(std::size_t number) const noexcept {
  return !exactly() && !integers_ && plans_[number].call.algorithm == Algorithm::direct && t_.channels == 1 &&
         has_small_windows(t_) && !t_.groups[number].masked() && maps_.width >= small_columns;
}

void MatchRun::raise(std::atomic<float>& most, float value) noexcept {
  float before = most.load(std::memory_order_relaxed);
  while (before < value && !most.compare_exchange_weak(before, value)) {
  }
}

// Of rows [first, end) of norms what their segments have at most.
void MatchRun::bound_norms(std::int64_t first, std::int64_t end) noexcept {
  float* largest = maps_.largest + first * maps_.segments();
  for (std::int64_t y = first; y < end; ++y) {
    const float* norm = maps_.norm + maps_.at(y, 0);
    for (std::int64_t x = 0; x < maps_.width; x += ScoreMaps::segment) {
      *largest++ = largest_of(norm + x, std::min(ScoreMaps::segment, maps_.width - x));
    }
  }
}

void MatchRun::measure(std::size_t number) noexcept {
  maps_.largest = nullptr;
  flat_error_ = 0;
  if (measures_in_blocks(number)) return;
  if (makes_scores()) {
    std::fill_n(maps_.norm, maps_.height * maps_.width, 1.0f);
    return;
  }
  const TemplateGroup& group = t_.groups[number];
  const Geometry g = geometry();
  const bool small = !group.masked() && has_small_windows(t_);
  const Extent size = sums_block();
  const std::int64_t across = quotient_up(g.width, size.columns), down = quotient_up(g.height, size.rows);
  largest_energy_ = 0;
  for_each_block(across * down, [&](std::int64_t i, char* scratch) {
    const std::int64_t y = i / across * size.rows, x = i % across * size.columns;
    const WindowBlock block{y, x, static_cast<int>(std::min<std::int64_t>(size.rows, g.height - y)),
                            static_cast<int>(std::min<std::int64_t>(size.columns, g.width - x))};
    auto* memory = reinterpret_cast<double*>(scratch);
    float* norm = maps_.norm + maps_.at(y, x);
    float* energy = maps_.energy != nullptr ? maps_.energy + maps_.at(y, x) : nullptr;
    float largest = 0;
    if (small && block.columns >= small_columns) {
      const PixelBlock pixels{correlated_image() + y * g.row_stride + x,
                              g.channel_stride,
                              g.row_stride,
                              correlated_means(),
                              block.rows,
                              block.columns};
      largest = make_small_norms(t_, pixels, offsets_.data(), {HUGE_VAL, HUGE_VAL}, memory, norm, maps_.width);
    } else if (!group.masked()) {
      largest = make_window_maps(t_, source_, block, memory, norm, energy, maps_.width);
    } else {
      WindowScratch scratch_of(t_, size.rows, size.columns, memory);
      const WindowSums sums = scratch_of.sum(t_, group, source_, block);
      for (int row = 0; row < block.rows; ++row) {
        for (int column = 0; column < block.columns; ++column) {
          const auto e = static_cast<float>(sums.energy[row * sums.pitch + column]);
          norm[row * maps_.width + column] = static_cast<float>(sums.norm[row * sums.pitch + column]);
          if (energy != nullptr) energy[row * maps_.width + column] = e;
          largest = e > largest ? e : largest;
        }
      }
    }
    raise(largest_energy_, largest);
  });
  if (exactly()) {
    const std::int64_t windows = maps_.height * maps_.width;
    for (std::int64_t i = 0; i < windows; ++i) maps_.norm[i] = maps_.norm[i] == 0 ? -HUGE_VALF : -maps_.norm[i];
    for (std::int64_t y = 0; y < maps_.height; ++y) maps_.again[y].store(true, std::memory_order_relaxed);
  } else if (is_normed(t_.method) && !integers_) {
    maps_.largest = largest_norms_;
    // Masks hide pixels from energies that transforms see.
    const float largest = group.masked() ? HUGE_VALF : largest_energy_.load(std::memory_order_relaxed);
    const std::int64_t band = transformed_together(plans_[number].call).rows;
    for_each_block(quotient_up(g.height, band), [&](std::int64_t i, char* /*scratch*/) {
      const WindowBlock windows{i * band, 0, static_cast<int>(std::min(band, g.height - i * band)),
                                static_cast<int>(g.width)};
      bound_norms(windows.y, windows.y + windows.rows);
      if (plans_[number].call.algorithm == Algorithm::direct) return;  // which flags them block by block
      flag_flat_windows(number, {source_, 0, 0}, windows, largest);
    });
  }
}

void MatchRun::correlate(std::size_t number, ScoreSink& sink) noexcept {
  const TemplateGroup& group = t_.groups[number];
  const GroupPlan& plan = plans_[number];
  if (integers_) return correlate_integers(group, sink);
  if (!exactly() && plan.call.algorithm == Algorithm::direct) {
    correlate_in_blocks(number, sink);
    if (aim_ == Aim::scores) return;
  } else if (!exactly()) {
    const PackedBank& bank = *PackedBank::of(group.bank);
    const WorkspaceParts parts = workspace_parts(plan.call, bank, engine_);
    TapMemory taps(parts.inner_taps, parts.outer_taps);
    Call call{geometry(), bank, engine_options_, plan.call.direct, correlated_image(), nullptr, 0, taps};
    call.means = correlated_means();
    call.corrections = zeros_;
    call.workspace = parts.own;
    call.tile_means = sees_no_means(number);
    call.sink = &sink;
    run_algorithm(call, plan.call);
  }
  sink.leave_to_f64();
  const std::int64_t across = quotient_up(maps_.width, again_columns), down = quotient_up(maps_.height, again_rows);
  for_each_block(across * down, [&](std::int64_t i, char* scratch) {
    const std::int64_t y = i / across * again_rows, x = i % across * again_columns;
    const WindowBlock block{y, x, static_cast<int>(std::min<std::int64_t>(again_rows, maps_.height - y)),
                            static_cast<int>(std::min<std::int64_t>(again_columns, maps_.width - x))};
    correlate_again(group, block, scratch, sink);
  });
}

void MatchRun::correlate_integers(const TemplateGroup& group, ScoreSink& sink) noexcept {
  const IntegerBlocks size = integer_blocks(t_, maps_.height, maps_.width);
  const std::int64_t across = quotient_up(maps_.width, size.columns), down = quotient_up(maps_.height, size.rows);
  for_each_block(across * down, [&](std::int64_t i, char* scratch) {
    const std::int64_t y = i / across * size.rows, x = i % across * size.columns;
    const WindowBlock block{y, x, static_cast<int>(std::min<std::int64_t>(size.rows, maps_.height - y)),
                            static_cast<int>(std::min<std::int64_t>(size.columns, maps_.width - x))};
    detail::correlate_integers(t_, group, source_, offsets_.data(), block, scratch, sink);
  });
}

void MatchRun::correlate_again(const TemplateGroup& group, const WindowBlock& windows, char* scratch,
                               ScoreSink& sink) noexcept {
  for (int row = 0; row < windows.rows; row += again_rows) {
    for (int column = 0; column < windows.columns; column += again_columns) {
      const WindowBlock block{windows.y + row, windows.x + column, std::min(again_rows, windows.rows - row),
                              std::min(again_columns, windows.columns - column)};
      ScoreSink::Place places[ScoreSink::again_places];
      const int count = places_again(block, places);
      if (count > 0) correlate_places(group, block, places, count, scratch, sink);
    }
  }
}

// Those of a block that have windows to do again, from the first row on.
int MatchRun::places_again(const WindowBlock& block, ScoreSink::Place* places) const noexcept {
  int count = 0;
  for (std::int64_t y = block.y; y < block.y + block.rows; ++y) {
    if (!maps_.again[y].load(std::memory_order_relaxed)) continue;
    const float* norm = maps_.norm + maps_.at(y, block.x);
    for (int x = 0; x < block.columns; x += exact_columns) {
      const int columns = std::min(exact_columns, block.columns - x);
      const auto again = [this](float n) { return n < maps_.again_below; };
      if (std::any_of(norm + x, norm + x + columns, again)) places[count++] = {y, block.x + x, columns};
    }
  }
  return count;
}

void MatchRun::correlate_places(const TemplateGroup& group, const WindowBlock& whole, const ScoreSink::Place* places,
                                int count, char* scratch, ScoreSink& sink) noexcept {
  WindowBlock block = whole;
  block.y = places[0].y, block.rows = static_cast<int>(places[count - 1].y + 1 - block.y);
  const std::int64_t pitch = again_pitch(t_), plane = (again_rows + t_.height - 1) * pitch;
  auto* pixels = reinterpret_cast<double*>(scratch);
  double *norms = pixels + t_.channels * plane, *energies = norms + again_rows * again_columns;
  double* sums = energies + again_rows * again_columns;
  WindowScratch memory(t_, again_rows, again_columns,
                       sums + std::ptrdiff_t{again_rows} * again_columns * again_kernels);
  for (std::int64_t c = 0; c < t_.channels; ++c) {
    for (std::int64_t row = 0; row < block.rows + t_.height - 1; ++row) {
      double* to = pixels + c * plane + row * pitch;
      const std::int64_t width = block.columns + t_.width - 1;
      source_.read(c, block.y + row, block.x, width, to);
      std::fill(to + width, to + pitch, 0.0);
    }
  }
  const WindowSums windows = memory.sum(t_, group, source_, block);
  std::int32_t begins[ScoreSink::again_places];
  for (int p = 0; p < count; ++p) {
    const std::int64_t y = places[p].y - block.y, x = places[p].x - block.x;
    begins[p] = static_cast<std::int32_t>(y * pitch + x);
    std::copy_n(windows.norm + y * windows.pitch + x, exact_columns, norms + p * exact_columns);
    std::copy_n(windows.energy + y * windows.pitch + x, exact_columns, energies + p * exact_columns);
  }
  const auto summed = static_cast<int>(round_up(count, exact_places));
  std::fill(begins + count, begins + summed, begins[0]);
  const std::int64_t padded = round_up(group.count(), exact_kernels);
  for (std::int64_t k = 0; k < padded; k += again_kernels) {
    const int kernels = static_cast<int>(std::min<std::int64_t>(again_kernels, padded - k));
    sum_exactly(*t_.target, {pixels, begins, summed, taps_, static_cast<int>(t_.taps()), group.exact.data() + k, padded,
                             kernels, sums});
    for (int n = 0; n < kernels && k + n < group.count(); ++n) {
      sink.take_again(k + n, sums + std::ptrdiff_t{n} * summed * exact_columns, {places, count, norms, energies});
    }
  }
}

float MatchRun::slack(const TemplateGroup& group, std::size_t k) const noexcept {
  if (is_normed(t_.method)) return static_cast<float>(6 * score_tolerance);
  // Integers, rounded to f32 if they are large.
  if (makes_scores()) return t_.largest_score <= 0x1p24 ? 0 : static_cast<float>(t_.largest_score * 0x1p-23);
  const double largest = std::sqrt(static_cast<double>(largest_energy_.load(std::memory_order_relaxed)));
  return static_cast<float>(2 * 4e-6 * group.norm[k] * largest * (is_distance(t_.method) ? 2 : 1));
}

}  // namespace corrbank::detail
