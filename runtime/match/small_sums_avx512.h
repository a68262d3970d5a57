// Norms of small windows in f32, on processors with AVX-512.
#pragma once

#include "match/match_kernels.h"
#include "match/small_windows.h"

namespace corrbank::detail {

// In place of the largest energy of windows: f32 is not exact enough for some of them.
constexpr float not_in_f32 = -1;
// Channels that f32 is exact enough for: its rounding errors grow as the square root of their number.
constexpr std::int64_t most_f32_channels = 512;

// Whether the target has AVX-512, and functions for it are there.
inline bool has_avx512([[maybe_unused]] const Target& target) noexcept {
#if defined(__x86_64__) && defined(__GNUC__)
  return target.lanes == 16;
#else
  return false;
#endif
}

// What norms of a block of windows are made of, in f32.
struct F32Sums {
  float *squares, *sums;  // [row][pitch] of pixels, and of windows
  float *row, *near;      // memory: [pitch], [high][pitch]
  int pitch;              // a multiple of 16, and at least 16 more than there are columns of pixels
};

// Norms of windows without their means, as make_small_norms() has them. The largest energy, or not_in_f32.
float make_small_norms_f32(const PixelBlock& block, std::int64_t channels, int high, int wide, const F32Sums& memory,
                           const SmallNorms& made) noexcept;
// Of one channel, without memory.
float make_small_norms_f32(const PixelBlock& block, int high, int wide, const SmallNorms& made) noexcept;

}  // namespace corrbank::detail
