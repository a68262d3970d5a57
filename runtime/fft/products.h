// Products of spectra, summed over channels. Elements are [re of L lanes][im of L lanes], as of the passes.
#pragma once

#include <cstddef>

#include "kernels.h"

namespace corrbank::detail {

enum class FftLanes { tiles, kernels };

// A row of the table: of `positions` lane groups x `kernels` kernels (tiles), or of `positions` tiles x `kernels` lane groups of
// kernels (kernels).
struct FftProduct {
  const char* target;
  FftLanes over;
  int positions, kernels, lanes;
  int number;  // of the row, for its cost
  void (*function)();
};

Table<FftProduct> all_fft_products() noexcept;

// For bins 0 to bins - 1, whose parts lie x_bin, w_bin and y_bin floats apart:
//   tiles:    x[channel][position][2][L], w[block of kernels][channel][kernel][3] (re, im - re, re + im), y[kernel][position][2][L]
//   kernels:  x[position][group of channels][2][L], w[block][channel][vector][2][L], y[position][vector][2][L]
// `positions` and `kernels` are all there are: multiples of the row's.
struct FftProducts {
  const float *x, *w;
  float* y;
  std::ptrdiff_t x_bin, w_bin, y_bin;
  int bins, channels, positions, kernels;
};
void multiply(const FftProduct& row, const FftProducts& call) noexcept;

}  // namespace corrbank::detail
