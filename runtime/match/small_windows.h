// Norms of windows of a few pixels a side, without masks, by kernels of their own: most matches of many small templates spend
// more time on windows than on anything but correlations.
#pragma once

#include <cstddef>

#include "match/windows.h"

namespace corrbank::detail {

// Whether blocks at least small_columns wide can be summed so.
bool has_small_windows(const PackedTemplates& templates) noexcept;

// Doubles of scratch for blocks of at most rows x columns windows.
std::size_t small_window_scratch(const PackedTemplates& templates, int rows, int columns) noexcept;

// Pixels of a block's windows, [channel][row][column], that are taken less an offset for each channel.
struct PixelBlock {
  const float* data;
  std::ptrdiff_t channel_stride, row_stride;
  const float* less;
  int rows, columns;  // of windows
};

// How many times what its norm is made of a window's energy is.
struct Flatness {
  double most, far;
};
// Norms of a block to a map whose rows are `stride` apart; of one channel they are negative of windows flatter than `most`, minus
// infinity of those flatter than `far`. `offsets` are those of a Source. Returns what no window's energy is above.
float make_small_norms(const PackedTemplates& templates, const PixelBlock& block, const double* offsets,
                       const Flatness& flat, double* scratch, float* norms, std::ptrdiff_t stride) noexcept;

}  // namespace corrbank::detail
