// The one-dimensional passes of the FFT, L transforms at a time: a spectrum's element is [re of L lanes][im of L lanes]. What a
// lane is, is the caller's: a tile, a channel, or a kernel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace corrbank::detail {

constexpr int most_fft_lanes = 16;

struct FftTarget {
  const char* name;
  int lanes;
};

struct FftSize {
  const char* target;
  int size;
  int first;               // columns come out as first * (size / first) elements: N1 of their transform
  void (*rows_forward)();  // cast back, as those below
  void (*columns_forward)();
  void (*columns_inverse)();
  void (*product_columns)();
  void (*rows_inverse)();

  [[nodiscard]] int bins() const noexcept { return size / 2 + 1; }
  // What rows_forward() and rows_inverse() multiply their results by.
  [[nodiscard]] double forward_scale() const noexcept { return size <= 32 ? 1 : 2; }
  [[nodiscard]] double inverse_scale() const noexcept { return size <= 32 ? size / 2 : size; }
};

Table<FftTarget> all_fft_targets() noexcept;
Table<FftSize> all_fft_sizes() noexcept;

// Elements of spectra: [x][y] with a distance in floats from one to the next of each.
struct Spectra {
  float* data;
  std::ptrdiff_t y_stride, x_stride;
};

// Rows of the image: `rows` of each lane, of size.size elements from image[offsets[lane] + row * step] on, each plus the lane's
// shift, to bins x of row y.
void rows_forward(const FftSize& size, int lanes, const float* image, const std::int32_t* offsets, const float* shifts,
                  std::int64_t step, int rows, const Spectra& out) noexcept;

// `count` columns, elements along y, column after column along x; in and out may be the same memory.
void columns_forward(const FftSize& size, int lanes, const Spectra& in, const Spectra& out, int count) noexcept;
void columns_inverse(const FftSize& size, int lanes, const Spectra& in, const Spectra& out, int count) noexcept;

// columns_inverse() of the products x * w of one channel; w[x][y][2], for all lanes.
void product_columns(const FftSize& size, int lanes, const Spectra& x, const float* w, const Spectra& out,
                     int count) noexcept;

// `rows` rows y, from bins x to elements: `columns` (from `lanes` to size.size) of each to
// panel[offsets[lane] + row * step].
void rows_inverse(const FftSize& size, int lanes, const Spectra& in, float* panel, const std::int32_t* offsets,
                  std::int64_t step, int rows, int columns) noexcept;

}  // namespace corrbank::detail
