// Correlation in f64: what makes integers exact, and scores of flat windows right.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace corrbank::detail {

// Kernels that the table's function sums side by side; banks are padded to a multiple of them.
constexpr int exact_kernels = 4;
// Columns are summed in whole multiples of this on every target.
constexpr int exact_columns = 32;

struct ExactCall {
  const double* image;  // first element; rows are read up to the multiple of exact_columns, and the kernel's width on
  std::ptrdiff_t row_stride;
  const std::int32_t* offsets;  // of the taps
  int taps;
  const double* weights;  // [tap][weight_stride]
  std::ptrdiff_t weight_stride;
  int kernels;            // a multiple of exact_kernels
  double* sums;           // [kernel][row][column]
  int rows, columns;      // columns a multiple of exact_columns
};
void sum_exactly(const Target& target, const ExactCall& call) noexcept;

}  // namespace corrbank::detail
