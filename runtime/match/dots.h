// What correlates u8 in integers of the kernel table (generators/match/dots_generator.cpp).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace corrbank::detail {

// A row of the table: a tile of so many kernels, whose taps are summed in groups.
struct DotsRow {
  const char* target;
  const char* extension;  // what the CPU needs beside the target (targets.h)
  int taps;               // of a group: elements of 8 bits if 4, else of 16
  int kernels;
  void (*function)();  // cast back by sum_dots()
};

// The rows of a target that this machine runs fastest: the most kernels first, 1 last. They share a form of image and weights:
// 4 taps a group are signed pixels, less 128, and unsigned weights.
struct DotsForm {
  const DotsRow* rows = nullptr;
  int count = 0;

  [[nodiscard]] bool empty() const noexcept { return count == 0; }
  [[nodiscard]] int taps() const noexcept { return rows->taps; }
  [[nodiscard]] int element_bytes() const noexcept { return taps() == 4 ? 1 : 2; }
  // Off each pixel.
  [[nodiscard]] int offset() const noexcept { return taps() == 4 ? 128 : 0; }
  [[nodiscard]] const DotsRow& single() const noexcept { return rows[count - 1]; }
};
DotsForm dots_form(const Target& target) noexcept;
Table<DotsRow> all_dots() noexcept;

// Columns are summed in whole multiples of this.
int dots_columns(const Target& target) noexcept;

struct DotsCall {
  const void* windows;        // each pixel and those behind it, a group; rows reach as far as columns and offsets do
  std::ptrdiff_t row_stride;  // in windows
  const std::int32_t* offsets;
  int groups;
  const void* weights;  // [group][kernel][tap]
  const std::int32_t* bias;
  int rows, columns;
  std::int32_t* sums;
  std::ptrdiff_t sum_row_stride, sum_kernel_stride;  // fit 32 bits
};
void sum_dots(const DotsRow& row, const DotsCall& call) noexcept;

// Sums as f32, in place: scale * sum + add + sum over maps of factor * map, in f64 and rounded once.
struct DotsToFloats {
  std::int32_t* sums;  // [row][columns]
  int rows, columns;   // columns a multiple of dots_columns()
  double scale, add;
  const std::int32_t* maps;  // [row][columns], map_stride apart
  std::ptrdiff_t map_stride;
  const double* factors;
  int map_count;
};
void make_floats(const Target& target, const DotsToFloats& call) noexcept;

}  // namespace corrbank::detail
