// What matching needs of the kernel table beside correlations (generators/match/).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace corrbank::detail {

// Kernels that the table's function sums side by side; banks are padded to a multiple of them.
constexpr int exact_kernels = 4;
// Windows that lie side by side, of a place; lists of places are whole multiples of exact_places.
constexpr int exact_columns = 8, exact_places = 4;

// Correlation in f64: what makes integers exact, and scores of flat windows right.
struct ExactCall {
  const double* image;
  const std::int32_t* places;   // where their first windows begin in it
  int count;                    // of places
  const std::int32_t* offsets;  // of the taps
  int taps;
  const double* weights;  // [tap][weight_stride]
  std::ptrdiff_t weight_stride;
  int kernels;   // a multiple of exact_kernels
  double* sums;  // [kernel][place][exact_columns]
};
void sum_exactly(const Target& target, const ExactCall& call) noexcept;

// Running sums, from its end, of the columns and their squares of a group of `high` rows. Columns are whole multiples of
// window_columns.
constexpr int window_columns = 32;
struct WindowColumns {
  const float* pixels;  // rows are `columns` apart
  double offset;        // that pixels are taken less
  int columns, high;
  double* below;  // [row of the group][2][columns]
};
void sum_columns(const Target& target, const WindowColumns& call) noexcept;

// A row of windows, added to `sums`: energy += Q, norm += Q + S (linear + quadratic S) + constant, total += S.
struct WindowRow {
  const double *below, *above;  // [2][columns]: of the row's group, and of what the next one has brought
  const float* next;            // the next group's next row of pixels, which is added to `above`
  double offset;                // that pixels are taken less
  double* above_next;
  int columns;        // as of near_columns(), and 8 more
  int windows, wide;  // windows are a multiple of window_columns
  bool first;         // there is nothing to add to
  double linear, quadratic, constant;
  double* memory;  // window_row_doubles(columns, windows, wide)
  double* sums;    // [energy, norm, total][windows]
};
// Where sums of eight neighbours begin that windows are made of.
constexpr int near_columns(int windows, int wide) noexcept {
  return (windows + wide / 8 * 8 + window_columns - 1) / window_columns * window_columns;
}
constexpr std::size_t window_row_doubles(int columns, int windows, int wide) noexcept {
  return static_cast<std::size_t>(2 * columns + 4 * near_columns(windows, wide));
}
void sum_row(const Target& target, const WindowRow& call) noexcept;

// A row of the last channel, and of all: 1 / sqrt(norm + of_total * total^2), or 1 if not `normed`; 0 where that is no more than
// `least` of the energy or not finite. call.sums are read unless `first`.
struct WindowNorms {
  bool normed;
  double of_total, least;
  float* norms;  // [norm, energy][windows]
};
void finish_row(const Target& target, const WindowRow& call, const WindowNorms& norms) noexcept;

// Windows of a few pixels a side: generators/match/small_windows_generators.cpp. Rows of them are at least small_columns long;
// there are no more of them at a time than small_rows() says.
constexpr int small_side = 8, small_columns = 32;
constexpr int small_rows(std::int64_t high) noexcept { return 33 - static_cast<int>(high); }
struct SmallWindows {
  const float* pixels;
  std::ptrdiff_t row_stride;
  int high, wide;
  int rows, columns;
  float offset;  // that pixels are taken less
};
struct SmallNorms {
  double linear, quadratic, constant, least;
  // Of one channel, energies above most (energy + S (linear + quadratic S) + constant) make norms negative, above far (...) minus
  // infinity.
  double most, far;
  float* norms;
  std::ptrdiff_t norm_stride;
};
// Of one channel: 1 / sqrt(energy + S (linear + quadratic S) + constant), or 0 as make_norms().
void make_small_norms(const Target& target, const SmallWindows& windows, const SmallNorms& call) noexcept;

// Of one channel, or of two that are `next` apart: squares of pixels and of their sums over windows, which are whole multiples of small_columns wide, `pitch` apart.
struct SmallSums {
  double *squares, *sums;
  int pitch;
  int square_rows, square_columns;  // of pixels that are added
};
struct NextChannel {
  std::ptrdiff_t next;  // 0: there is none
  float offset;
};
void add_small_channels(const Target& target, const SmallWindows& windows, const NextChannel& second,
                        const SmallSums& call) noexcept;
// Of all channels that were added: 1 / sqrt(energy + quadratic * sums).
void make_small_norms(const Target& target, const SmallSums& from, int high, int wide, int rows, int columns,
                      const SmallNorms& call) noexcept;

// Correlations of windows with some kernels, to be made scores: generators/match/scores_generator.cpp.
struct Correlations {
  const float* data;
  std::ptrdiff_t row_stride, kernel_stride;
  int columns, rows, kernels;
  const float *norms, *energies;  // energies: null but for distances
  std::ptrdiff_t map_stride;
  const float *add, *scale;  // by kernel
};
struct ScoresCall {
  float* data;  // may be that of the correlations
  std::ptrdiff_t row_stride, kernel_stride;
  float lowest, highest, without;
};
void make_scores(const Target& target, const Correlations& from, const ScoresCall& to) noexcept;

// The best score of a row before it is cut off, -3e38 if there is none, and the largest magnitude of its correlations as bits.
struct RowBest {
  float score;
  std::int32_t magnitude;
};
// Of each row, [kernel][row]. A row has at least best_scores_columns(target).
[[nodiscard]] int best_scores_columns(const Target& target) noexcept;
void best_scores(const Target& target, const Correlations& from, RowBest* best) noexcept;
// The same of windows whose norms are negative: what scores that may be off by `error` times the norm's magnitude are at most.
void best_flat_scores(const Target& target, const Correlations& from, float error, RowBest* best) noexcept;
// As best_scores(), but of correlations the largest, or 0, in place of scores.
void largest_correlations(const Target& target, const Correlations& from, RowBest* largest) noexcept;

}  // namespace corrbank::detail
