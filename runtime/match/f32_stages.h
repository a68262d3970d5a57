// Stages of a match over pixels of f32 that are written once for vectors of every width, on the processors that have them: AVX2 and
// AVX-512.
#pragma once

#include <cstddef>
#include <cstdint>

#include "match/match_kernels.h"
#include "match/small_windows.h"

namespace corrbank::detail {

// In place of the largest energy of windows: f32 is not exact enough for some of them.
constexpr float not_in_f32 = -1;
// Channels that f32 is exact enough for: its rounding errors grow as the square root of their number.
constexpr std::int64_t most_f32_channels = 512;

// What norms of a block of small windows are made of.
struct F32Sums {
  float *squares, *sums;  // [row][pitch] of pixels, and of windows
  float *row, *near;      // memory: [pitch], [high][pitch]
  int pitch;              // a multiple of 16, and at least 16 more than there are columns of pixels
};

// A channel's windows of any size, `windows` in each of `rows` rows. Rows of pixels are `columns` apart, whole lines as far as
// windows reach, and one more than they reach to.
struct F32Windows {
  const float* pixels;
  int columns, high, wide, rows, windows;
  float* below;   // memory: [high][2][columns]
  float* above;   // [2][columns]
  float* memory;  // [4][columns]
  float* sums;    // [row][norm, energy][windows]: of the channels before, if there are any
  float quadratic;
  bool first;
};

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
constexpr int product_lanes = 8;

struct F32Stages {
  // Norms of windows without their means, as make_small_norms() has them. The largest energy, or not_in_f32.
  float (*small_norms)(const PixelBlock& block, std::int64_t channels, int high, int wide, const F32Sums& memory,
                       const SmallNorms& made) noexcept;
  // Of one channel, without memory.
  float (*small_norms_of_one)(const PixelBlock& block, int high, int wide, const SmallNorms& made) noexcept;
  // Adds a channel to the sums. False: f32 is most likely not exact enough.
  bool (*add_windows)(const F32Windows& channel) noexcept;
  // Norms of the last channel and those before, `count` a row. The largest energy, or not_in_f32.
  float (*finish_windows)(const F32Windows& channel, float* norms, std::ptrdiff_t stride, int count) noexcept;
  // In f64: adds pixels times weights, [row][column], to sums that belong together. The sums of pixels, and of their squares.
  WindowTotals (*window_totals)(const WindowPixels& window, const double* weights,
                                double (&products)[product_lanes]) noexcept;
  // As stream_scores().
  bool (*stream_scores)(const Correlations& from, const ScoresCall& to) noexcept;
};

#if defined(__x86_64__) && defined(__GNUC__)
extern const F32Stages f32_stages_avx2, f32_stages_avx512;
#endif

// Those of the target, or null.
inline const F32Stages* f32_stages([[maybe_unused]] const Target& target) noexcept {
#if defined(__x86_64__) && defined(__GNUC__)
  if (target.lanes == 16) return &f32_stages_avx512;
  if (target.lanes == 8) return &f32_stages_avx2;
#endif
  return nullptr;
}

}  // namespace corrbank::detail
