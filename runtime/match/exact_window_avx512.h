// Sums over windows of f32 in f64, on processors with AVX-512.
#pragma once

#include <cstddef>

#include "match/f32_stages.h"

namespace corrbank::detail {

// A window in one channel, whose pixels are taken less an offset.
struct WindowPixels {
  const float* data;
  std::ptrdiff_t row_stride;
  int high, wide;
  double offset;
};
struct WindowTotals {
  double plain, energy;
};

// Whether the target has AVX-512, and functions for it are there.
inline bool has_avx512([[maybe_unused]] const Target& target) noexcept {
#if defined(__x86_64__) && defined(__GNUC__)
  return target.lanes == 16;
#else
  return false;
#endif
}

constexpr int product_lanes = 8;
// Adds pixels times weights, [row][column], to sums that belong together. The sums of pixels, and of their squares.
WindowTotals sum_window_f64(const WindowPixels& window, const double* weights,
                            double (&products)[product_lanes]) noexcept;

}  // namespace corrbank::detail
