// Where Halide's kernels for matching meet corrbank: their table and their arguments.
#include <algorithm>
#include <climits>
#include <cstring>

#include "halide_buffer.h"
#include "match/match_kernels.h"

namespace corrbank::detail {
namespace {

using ExactFunction = int(halide_buffer_t* image, halide_buffer_t* weights, halide_buffer_t* offsets,
                          halide_buffer_t* places, halide_buffer_t* sums);
using ColumnsFunction = int(halide_buffer_t* pixels, double offset, int32_t high, halide_buffer_t* below);
using RowFunction = int(halide_buffer_t* below, halide_buffer_t* above, halide_buffer_t* next, double offset,
                        halide_buffer_t* before, bool first, int32_t wide, double linear, double quadratic,
                        double constant, halide_buffer_t* columns, halide_buffer_t* neighbours,
                        halide_buffer_t* above_next, halide_buffer_t* sums);
using LastRowFunction = int(halide_buffer_t* below, halide_buffer_t* above, halide_buffer_t* next, double offset,
                            halide_buffer_t* before, bool first, int32_t wide, double linear, double quadratic,
                            double constant, bool normed, double of_total, double least, halide_buffer_t* columns,
                            halide_buffer_t* neighbours, halide_buffer_t* above_next, halide_buffer_t* norms);
using SmallNormsFunction = int(halide_buffer_t* pixels, int32_t high, int32_t wide, float offset, double linear,
                               double quadratic, double constant, double least, double most, double far,
                               halide_buffer_t* norms);
using SmallChannelsFunction = int(halide_buffer_t* pixels, bool both, int32_t high, int32_t wide, float first_offset,
                                  float second_offset, halide_buffer_t* squares_before, halide_buffer_t* sums_before,
                                  halide_buffer_t* squares, halide_buffer_t* sums);
using SmallSquaresFunction = int(halide_buffer_t* squares, halide_buffer_t* sums, int32_t high, int32_t wide,
                                 double quadratic, double least, halide_buffer_t* norms);
using ScoresFunction = int(halide_buffer_t* correlations, halide_buffer_t* norms, halide_buffer_t* energies,
                           halide_buffer_t* add, halide_buffer_t* scale, bool distance, float lowest, float highest,
                           float without, halide_buffer_t* scores);
using BestFunction = int(halide_buffer_t* correlations, halide_buffer_t* norms, halide_buffer_t* energies,
                         halide_buffer_t* add, halide_buffer_t* scale, bool distance, bool flat, float error,
                         halide_buffer_t* best);
using LargestFunction = int(halide_buffer_t* correlations, halide_buffer_t* largest);

}  // namespace

extern "C" {
#define CORRBANK_MATCH(target, exact, columns, row, last_row, small_norms, small_channels, small_squares, scores, \
                       best, largest)                                                                             \
  ExactFunction exact;                                                                                            \
  ColumnsFunction columns;                                                                                        \
  RowFunction row;                                                                                                \
  LastRowFunction last_row;                                                                                       \
  SmallNormsFunction small_norms;                                                                                 \
  SmallChannelsFunction small_channels;                                                                           \
  SmallSquaresFunction small_squares;                                                                             \
  ScoresFunction scores;                                                                                          \
  BestFunction best;                                                                                              \
  LargestFunction largest;
#include "match_kernels.inc"
#undef CORRBANK_MATCH
}

namespace {

struct Functions {
  const char* target;
  ExactFunction* exact;
  ColumnsFunction* columns;
  RowFunction* row;
  LastRowFunction* last_row;
  SmallNormsFunction* small_norms;
  SmallChannelsFunction* small_channels;
  SmallSquaresFunction* small_squares;
  ScoresFunction* scores;
  BestFunction* best;
  LargestFunction* largest;
};

const Functions table[] = {
#define CORRBANK_MATCH(target, exact, columns, row, last_row, small_norms, small_channels, small_squares, scores, \
                       best, largest)                                                                             \
  {#target, &exact, &columns, &row, &last_row, &small_norms, &small_channels, &small_squares, &scores, &best, &largest},
#include "match_kernels.inc"
#undef CORRBANK_MATCH
};

// Each CPU target has a row.
const Functions& functions_of(const Target& target) noexcept {
  const Functions* row = table;
  while (std::strcmp(row->target, target.name) != 0) ++row;
  return *row;
}

}  // namespace

void sum_exactly(const Target& target, const ExactCall& call) noexcept {
  Buffer<1> image(call.image, halide_type_float, 64);
  image.dim(0, INT_MAX, 1);
  Buffer<2> weights(call.weights, halide_type_float, 64);
  weights.dim(0, call.kernels, 1).dim(1, call.taps, static_cast<int>(call.weight_stride));
  Buffer<1> offsets(call.offsets, halide_type_int);
  offsets.dim(0, call.taps, 1);
  Buffer<1> places(call.places, halide_type_int);
  places.dim(0, call.count, 1);
  Buffer<3> sums(call.sums, halide_type_float, 64);
  sums.dim(0, exact_columns, 1).dim(1, call.count, exact_columns).dim(2, call.kernels, call.count * exact_columns);
  functions_of(target).exact(image, weights, offsets, places, sums);
}

void sum_columns(const Target& target, const WindowColumns& call) noexcept {
  Buffer<2> pixels(call.pixels, halide_type_float);
  pixels.dim(0, call.columns, 1).dim(1, call.high, call.columns);
  Buffer<3> below(call.below, halide_type_float, 64);
  below.dim(0, call.columns, 1).dim(1, call.high, 2 * call.columns).dim(2, 2, call.columns);
  functions_of(target).columns(pixels, call.offset, call.high, below);
}

namespace {

// What both functions of rows begin and end with.
struct RowArguments {
  Buffer<2> below, above, columns, above_next, before;
  Buffer<1> next;
  Buffer<3> neighbours;

  explicit RowArguments(const WindowRow& call) noexcept
      : below(call.below, halide_type_float, 64), above(call.above, halide_type_float, 64),
        columns(call.memory, halide_type_float, 64), above_next(call.above_next, halide_type_float, 64),
        before(call.sums, halide_type_float, 64), next(call.next, halide_type_float),
        neighbours(call.memory + 2 * call.columns, halide_type_float, 64) {
    for (Buffer<2>* sums : {&below, &above, &columns, &above_next}) {
      sums->dim(0, call.columns, 1).dim(1, 2, call.columns);
    }
    before.dim(0, call.windows, 1).dim(1, 3, call.windows);
    next.dim(0, call.columns, 1);
    const int near = near_columns(call.windows, call.wide);
    neighbours.dim(0, near, 1).dim(1, 2, near).dim(2, 2, 2 * near);
  }
};

}  // namespace

void sum_row(const Target& target, const WindowRow& call) noexcept {
  RowArguments a(call);
  Buffer<2> after(call.sums, halide_type_float, 64);
  after.dim(0, call.windows, 1).dim(1, 3, call.windows);
  functions_of(target).row(a.below, a.above, a.next, call.offset, a.before, call.first, call.wide, call.linear,
                           call.quadratic, call.constant, a.columns, a.neighbours, a.above_next, after);
}

void finish_row(const Target& target, const WindowRow& call, const WindowNorms& made) noexcept {
  RowArguments a(call);
  Buffer<2> norms(made.norms, halide_type_float);
  norms.dim(0, call.windows, 1).dim(1, 2, call.windows);
  functions_of(target).last_row(a.below, a.above, a.next, call.offset, a.before, call.first, call.wide, call.linear,
                                call.quadratic, call.constant, made.normed, made.of_total, made.least, a.columns,
                                a.neighbours, a.above_next, norms);
}

void make_small_norms(const Target& target, const SmallWindows& w, const SmallNorms& call) noexcept {
  Buffer<2> pixels(w.pixels, halide_type_float), norms(call.norms, halide_type_float);
  pixels.dim(0, w.columns + w.wide - 1, 1).dim(1, w.rows + w.high - 1, static_cast<int>(w.row_stride));
  norms.dim(0, w.columns, 1).dim(1, w.rows, static_cast<int>(call.norm_stride));
  functions_of(target).small_norms(pixels, w.high, w.wide, w.offset, call.linear, call.quadratic, call.constant,
                                   call.least, call.most, call.far, norms);
}

void add_small_channels(const Target& target, const SmallWindows& w, const NextChannel& second,
                        const SmallSums& call) noexcept {
  Buffer<3> pixels(w.pixels, halide_type_float);
  pixels.dim(0, std::max(w.columns + w.wide - 1, call.square_columns), 1)
      .dim(1, w.rows + w.high - 1, static_cast<int>(w.row_stride))
      .dim(2, 2, static_cast<int>(second.next));
  Buffer<2> squares_in(call.squares, halide_type_float, 64), squares(call.squares, halide_type_float, 64);
  for (Buffer<2>* plane : {&squares_in, &squares}) {
    plane->dim(0, call.square_columns, 1).dim(1, call.square_rows, call.pitch);
  }
  Buffer<2> sums_in(call.sums, halide_type_float, 64), sums(call.sums, halide_type_float, 64);
  for (Buffer<2>* plane : {&sums_in, &sums}) plane->dim(0, w.columns, 1).dim(1, w.rows, call.pitch);
  functions_of(target).small_channels(pixels, second.next != 0, w.high, w.wide, w.offset, second.offset, squares_in,
                                      sums_in, squares, sums);
}

void make_small_norms(const Target& target, const SmallSums& from, int high, int wide, int rows, int columns,
                      const SmallNorms& call) noexcept {
  Buffer<2> squares(from.squares, halide_type_float, 64), sums(from.sums, halide_type_float, 64);
  squares.dim(0, columns + wide - 1, 1).dim(1, rows + high - 1, from.pitch);
  sums.dim(0, columns, 1).dim(1, rows, from.pitch);
  Buffer<2> norms(call.norms, halide_type_float);
  norms.dim(0, columns, 1).dim(1, rows, static_cast<int>(call.norm_stride));
  functions_of(target).small_squares(squares, sums, high, wide, call.quadratic, call.least, norms);
}

namespace {

// What both functions of scores begin with.
struct ScoreArguments {
  Buffer<3> correlations;
  Buffer<2> norms, energies;
  Buffer<1> add, scale;

  explicit ScoreArguments(const Correlations& c) noexcept
      : correlations(c.data, halide_type_float), norms(c.norms, halide_type_float),
        energies(c.energies != nullptr ? c.energies : c.norms, halide_type_float), add(c.add, halide_type_float),
        scale(c.scale, halide_type_float) {
    correlations.dim(0, c.columns, 1)
        .dim(1, c.rows, static_cast<int>(c.row_stride))
        .dim(2, c.kernels, static_cast<int>(c.kernel_stride));
    for (Buffer<2>* map : {&norms, &energies}) {
      map->dim(0, c.columns, 1).dim(1, c.rows, static_cast<int>(c.map_stride));
    }
    for (Buffer<1>* numbers : {&add, &scale}) numbers->dim(0, c.kernels, 1);
  }
};

}  // namespace

void make_scores(const Target& target, const Correlations& from, const ScoresCall& to) noexcept {
  ScoreArguments in(from);
  Buffer<3> scores(to.data, halide_type_float);
  scores.dim(0, from.columns, 1)
      .dim(1, from.rows, static_cast<int>(to.row_stride))
      .dim(2, from.kernels, static_cast<int>(to.kernel_stride));
  functions_of(target).scores(in.correlations, in.norms, in.energies, in.add, in.scale, from.energies != nullptr,
                              to.lowest, to.highest, to.without, scores);
}

int best_scores_columns(const Target& target) noexcept { return 2 * target.lanes; }

namespace {

void find_best(const Target& target, const Correlations& from, bool flat, float error, RowBest* best) noexcept {
  ScoreArguments in(from);
  Buffer<3> made(best, halide_type_float);
  made.dim(0, 2, 1).dim(1, from.rows, 2).dim(2, from.kernels, 2 * from.rows);
  functions_of(target).best(in.correlations, in.norms, in.energies, in.add, in.scale, from.energies != nullptr, flat,
                            error, made);
}

}  // namespace

void best_scores(const Target& target, const Correlations& from, RowBest* best) noexcept {
  find_best(target, from, false, 0, best);
}

void best_flat_scores(const Target& target, const Correlations& from, float error, RowBest* best) noexcept {
  find_best(target, from, true, error, best);
}

void largest_correlations(const Target& target, const Correlations& from, RowBest* largest) noexcept {
  Buffer<3> correlations(from.data, halide_type_int), made(largest, halide_type_int);
  correlations.dim(0, from.columns, 1)
      .dim(1, from.rows, static_cast<int>(from.row_stride))
      .dim(2, from.kernels, static_cast<int>(from.kernel_stride));
  made.dim(0, 2, 1).dim(1, from.rows, 2).dim(2, from.kernels, 2 * from.rows);
  functions_of(target).largest(correlations, made);
}

}  // namespace corrbank::detail
