// Norms of windows of any size in f32, on processors with AVX-512, by the sums of generators/match/windows_generators.cpp.
#pragma once

#include <cstddef>

#include "match/small_sums_avx512.h"

namespace corrbank::detail {

// A channel's windows, `windows` in each of `rows` rows. Rows of pixels are `columns` apart, whole lines as far as windows reach, and
// one more than they reach to.
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

// Adds a channel to the sums. False: f32 is most likely not exact enough.
bool add_windows_f32(const F32Windows& channel) noexcept;
// Norms of the last channel and those before, `count` a row. The largest energy, or not_in_f32.
float finish_windows_f32(const F32Windows& channel, float* norms, std::ptrdiff_t stride, int count) noexcept;

}  // namespace corrbank::detail
