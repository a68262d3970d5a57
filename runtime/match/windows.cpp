#include "match/windows.h"

#include <algorithm>
#include <cmath>

#include "geometry.h"
#include "match/match_kernels.h"
#include "match/method.h"

namespace corrbank::detail {
namespace {

// sums[i] = sum of values[i .. i + width) for i < count; values holds count + width - 1 and is overwritten: sums of 1, 2, 4,
// ... neighbours are made in turn, `step` elements apart.
void sum_neighbours(double* values, double* sums, std::ptrdiff_t count, int width, std::ptrdiff_t step) noexcept {
  std::ptrdiff_t have = 1, offset = 0;  // neighbours in each of `values`, and of those in `sums`
  for (int left = width; left != 0; left >>= 1) {
    if ((left & 1) != 0) {
      const double* from = values + offset * step;
      if (offset == 0) {
        std::copy_n(from, count, sums);
      } else {
        for (std::ptrdiff_t i = 0; i < count; ++i) sums[i] += from[i];
      }
      offset += have;
    }
    if (left == 1) return;
    const std::ptrdiff_t next = count + (width - 2 * have) * step;
    const double* from = values + have * step;
#pragma GCC ivdep
    for (std::ptrdiff_t i = 0; i < next; ++i) values[i] += from[i];
    have *= 2;
  }
}

// Of windows that are summed: whole lists of places.
constexpr int whole_columns = exact_places * exact_columns;

std::size_t pitch_of(const PackedTemplates& t, int columns) noexcept {
  // Exact sums read whole places, and a kernel's width on.
  return static_cast<std::size_t>(round_up(columns, whole_columns) + t.width);
}

}  // namespace

std::size_t WindowScratch::lay_out(const PackedTemplates& t, int rows, int columns, double* memory) noexcept {
  pitch_ = static_cast<int>(round_up(columns, whole_columns));
  pixel_pitch_ = static_cast<int>(pitch_of(t, columns));
  const std::size_t pixels = static_cast<std::size_t>(rows + t.height - 1) * static_cast<std::size_t>(pixel_pitch_);
  const auto windows = static_cast<std::size_t>(rows) * static_cast<std::size_t>(pitch_);
  std::size_t taken = 0;
  const auto take = [&](std::size_t count) {
    double* const part = memory != nullptr ? memory + taken : nullptr;
    taken += count;
    return part;
  };
  pixels_ = take(pixels), squares_ = take(pixels), spare_ = take(pixels);
  sums_ = take(8 * windows);
  norm_ = take(windows), energy_ = take(windows), total_ = take(windows), squared_total_ = take(windows);
  taps_ = reinterpret_cast<std::int32_t*>(take(static_cast<std::size_t>(t.height * t.width + 1) / 2));
  places_ = reinterpret_cast<std::int32_t*>(take((windows / exact_columns + 1) / 2));
  return taken;
}

void WindowScratch::read(const PackedTemplates& t, const Source& source, const WindowBlock& block,
                         std::int64_t c) noexcept {
  const std::int64_t width = block.columns + t.width - 1;
  for (std::int64_t y = 0; y < block.rows + t.height - 1; ++y) {
    double *to = pixels_ + y * pixel_pitch_, *squares = squares_ + y * pixel_pitch_;
    source.read(c, block.y + y, block.x, width, to);
    std::fill(to + width, to + pixel_pitch_, 0.0);
    for (int x = 0; x < pixel_pitch_; ++x) squares[x] = to[x] * to[x];
  }
}

// Of sums_: [0] sum M^2 J, [1] sum M J, [4] sum M^2 J^2.
void WindowScratch::box_sums(const PackedTemplates& t, const WindowBlock& block) noexcept {
  const int high = static_cast<int>(t.height), wide = static_cast<int>(t.width);
  const std::ptrdiff_t windows = std::ptrdiff_t{block.rows} * pitch_;
  for (double* values : {pixels_, squares_}) {
    for (int y = 0; y < block.rows + high - 1; ++y) {
      sum_neighbours(values + std::ptrdiff_t{y} * pixel_pitch_, spare_ + std::ptrdiff_t{y} * pitch_, pitch_, wide, 1);
    }
    sum_neighbours(spare_, values == pixels_ ? sums_ : sums_ + 4 * windows, windows, high, pitch_);
  }
  std::copy_n(sums_, windows, sums_ + windows);
}

void WindowScratch::mask_sums(const PackedTemplates& t, const TemplateGroup& group, const WindowBlock& block,
                              std::int64_t c) noexcept {
  const std::int64_t taps = t.height * t.width;
  for (std::int64_t i = 0; i < taps; ++i) {
    taps_[i] = static_cast<std::int32_t>(i / t.width * pixel_pitch_ + i % t.width);
  }
  const int of_row = pitch_ / exact_columns, places = block.rows * of_row;
  for (int i = 0; i < places; ++i) places_[i] = i / of_row * pixel_pitch_ + i % of_row * exact_columns;
  const std::ptrdiff_t windows = std::ptrdiff_t{block.rows} * pitch_;
  const double* weights = group.mask_weights.data() + c * taps * exact_kernels;
  ExactCall call{pixels_, places_, places, taps_, static_cast<int>(taps), weights, exact_kernels, exact_kernels, sums_};
  sum_exactly(*t.target, call);
  call.image = squares_, call.sums = sums_ + 4 * windows;
  sum_exactly(*t.target, call);
}

void WindowScratch::add_channel(const PackedTemplates& t, const TemplateGroup& group, std::ptrdiff_t windows,
                                std::int64_t c, double offset) noexcept {
  const double *squared = sums_, *sums = sums_ + windows, *squares = sums_ + 4 * windows;
  const double mask = group.mask_sums[static_cast<std::size_t>(c)];
  const double mask_squares = group.mask_squares[static_cast<std::size_t>(c)];
  for (std::ptrdiff_t i = 0; i < windows; ++i) energy_[i] += squares[i];
  if (is_normed_by_energy(t.method)) {
    for (std::ptrdiff_t i = 0; i < windows; ++i) {
      norm_[i] += MaskedSums{sums[i], squared[i], squares[i]}.energy_with(offset, mask_squares);
    }
  } else if (t.method == Method::zncc) {
    for (std::ptrdiff_t i = 0; i < windows; ++i) total_[i] += sums[i], squared_total_[i] += squared[i];
  } else if (t.method == Method::ccoeff_normed && mask != 0) {
    for (std::ptrdiff_t i = 0; i < windows; ++i) {
      norm_[i] += MaskedSums{sums[i], squared[i], squares[i]}.variance(mask, mask_squares);
    }
  }
}

// From sums of squares to what scores are multiplied by.
void WindowScratch::finish(const PackedTemplates& t, const TemplateGroup& group, std::ptrdiff_t windows) noexcept {
  if (t.method == Method::zncc) {
    double mask = 0, mask_squares = 0;
    for (std::int64_t c = 0; c < t.channels; ++c) {
      mask += group.mask_sums[static_cast<std::size_t>(c)];
      mask_squares += group.mask_squares[static_cast<std::size_t>(c)];
    }
    for (std::ptrdiff_t i = 0; i < windows && mask != 0; ++i) {
      norm_[i] = MaskedSums{total_[i], squared_total_[i], energy_[i]}.variance(mask, mask_squares);
    }
  }
  for (std::ptrdiff_t i = 0; i < windows; ++i) norm_[i] = norm_of(t.method, norm_[i], energy_[i]);
}

WindowSums WindowScratch::sum(const PackedTemplates& t, const TemplateGroup& group, const Source& source,
                              const WindowBlock& block) noexcept {
  const std::ptrdiff_t windows = std::ptrdiff_t{block.rows} * pitch_;
  for (double* sums : {norm_, energy_, total_, squared_total_}) std::fill_n(sums, windows, 0.0);
  for (std::int64_t c = 0; c < t.channels; ++c) {
    read(t, source, block, c);
    if (group.masked()) {
      mask_sums(t, group, block, c);
    } else {
      box_sums(t, block);
    }
    add_channel(t, group, windows, c, source.offsets[c]);
  }
  finish(t, group, windows);
  return {pitch_, norm_, energy_};
}

}  // namespace corrbank::detail
