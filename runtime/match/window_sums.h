// Norms of windows of any size in f32, a line at a time, where that is exact enough (f32_norms.h): by the sums of
// generators/match/windows_generators.cpp. Included once lanes_*.h has said for which processor.
#pragma once

#include "match/f32_norms.h"
#include "match/f32_stages.h"

namespace corrbank::detail::CORRBANK_LANES {
// Sums of as many values from each on as a vector has, in their place, and of `rest` values, which are fewer. By way of sums of 2, 4
// and so on, which stay in registers until the next vector's are there: loads of neighbours cross lines, and took three times as
// long.
static CORRBANK_FOR_LANES void sum_neighbours(float* values, float* rests, int count, int rest) noexcept {
  const Offset of_4 = offset_of(rest & 8), of_2 = offset_of(rest & 12), of_1 = offset_of(rest & 14);
  const Vector none = all(0.0f);
  // [i]: of the vector that is i before the last that was made.
  constexpr int steps = log2_lanes;
  Vector ones[steps + 1], twos[steps], fours[steps - 1], eights[2] = {none, none};
  for (Vector& values_of : ones) values_of = none;
  for (Vector& sums : twos) sums = none;
  for (Vector& sums : fours) sums = none;
  constexpr int behind = steps * lanes;
  for (int x = 0; x < count + behind; x += lanes) {
    for (int i = steps; i > 0; --i) ones[i] = ones[i - 1];
    for (int i = steps - 1; i > 0; --i) twos[i] = twos[i - 1];
    for (int i = steps - 2; i > 0; --i) fours[i] = fours[i - 1];
    eights[1] = eights[0];
    ones[0] = x < count ? load(values + x) : none;
    twos[0] = ones[1] + from_lane<1>(ones[1], ones[0]);
    fours[0] = twos[1] + from_lane<2>(twos[1], twos[0]);
    if constexpr (lanes == 16) eights[0] = fours[1] + from_lane<4>(fours[1], fours[0]);
    if (x < behind) continue;
    Vector sum = (rest & 8) != 0 ? eights[1] : none;
    if ((rest & 4) != 0) sum += from_lane(of_4, fours[steps - 2], fours[steps - 3]);
    if ((rest & 2) != 0) sum += from_lane(of_2, twos[steps - 1], twos[steps - 2]);
    if ((rest & 1) != 0) sum += from_lane(of_1, ones[steps], ones[steps - 1]);
    store(rests + x - behind, sum);
    const Vector* halves = lanes == 16 ? eights : fours;
    store(values + x - behind, halves[1] + from_lane<lanes / 2>(halves[1], halves[0]));
  }
}

// A window's sum by those.
CORRBANK_FOR_LANES inline Vector sum_window(const float* wholes, const float* rests, int wide) noexcept {
  Vector sum = load(rests + wide / lanes * lanes);
  for (int j = 0; j + lanes <= wide; j += lanes) sum += load(wholes + j);
  return sum;
}

// Running sums of a group of rows and of their squares, from its end.
static CORRBANK_FOR_LANES void sum_columns(const F32Windows& c, const float* group) noexcept {
  for (int x = 0; x < c.columns; x += 2 * lanes) {
    Vector sums[2] = {all(0.0f), all(0.0f)}, squares[2] = {sums[0], sums[0]};
    for (int i = c.high - 1; i >= 0; --i) {
      for (int n = 0; n < 2; ++n) {
        const Vector value = load(group + std::ptrdiff_t{i} * c.columns + x + n * lanes);
        sums[n] += value, squares[n] = multiply_add(value, value, squares[n]);
        float* to = c.below + std::ptrdiff_t{i} * 2 * c.columns + x + n * lanes;
        store(to, sums[n]), store(to + c.columns, squares[n]);
      }
    }
  }
}

// Sums of the columns of window row `i` of a group, and `above` for the next: with `row`.
static CORRBANK_FOR_LANES void sum_row(const F32Windows& c, int i, const float* row, float* plain,
                                       float* squares) noexcept {
  const float* below = c.below + std::ptrdiff_t{i} * 2 * c.columns;
  for (int x = 0; x < c.columns; x += lanes) {
    float *above = c.above + x, *above_squares = above + c.columns;
    const Vector sum = load(above), square = load(above_squares), next = load(row + x);
    store(plain + x, sum + load(below + x));
    store(squares + x, square + load(below + c.columns + x));
    store(above, sum + next);
    store(above_squares, multiply_add(next, next, square));
  }
}

// take(row, x, norm, energy) for each vector of windows, until one of a row is false.
template <typename Take>
CORRBANK_FOR_LANES inline bool each_vector(const F32Windows& c, const Take& take) noexcept {
  float *plain = c.memory, *squares = plain + c.columns;
  float *plain_rests = squares + c.columns, *square_rests = plain_rests + c.columns;
  const Vector quadratic = all(c.quadratic);
  for (int first = 0; first < c.rows; first += c.high) {
    const float* group = c.pixels + std::ptrdiff_t{first} * c.columns;
    sum_columns(c, group);
    for (int x = 0; x < 2 * c.columns; x += lanes) store(c.above + x, all(0.0f));
    for (int i = 0; i < c.high && first + i < c.rows; ++i) {
      sum_row(c, i, group + (std::ptrdiff_t{c.high} + i) * c.columns, plain, squares);
      sum_neighbours(plain, plain_rests, c.columns, c.wide % lanes);
      sum_neighbours(squares, square_rests, c.columns, c.wide % lanes);
      const float* before = c.sums + std::ptrdiff_t{first + i} * 2 * c.windows;
      bool more = true;
      for (int x = 0; x < c.windows; x += lanes) {
        const Vector sum = sum_window(plain + x, plain_rests + x, c.wide);
        Vector energy = sum_window(squares + x, square_rests + x, c.wide);
        Vector norm = multiply_add(quadratic * sum, sum, energy);
        if (!c.first) {
          norm += load(before + x);
          energy += load(before + c.windows + x);
        }
        more = take(first + i, x, norm, energy) && more;
      }
      if (!more) return false;
    }
  }
  return true;
}

struct Store {
  const F32Windows& c;
  CORRBANK_FOR_LANES bool operator()(int row, int x, Vector norm, Vector energy) const noexcept {
    float* to = c.sums + std::ptrdiff_t{row} * 2 * c.windows + x;
    store(to, norm), store(to + c.windows, energy);
    // Other channels are most likely no better.
    return less(norm * all(most_energy), energy) == 0;
  }
};

struct Finish {
  float* norms;
  std::ptrdiff_t stride;
  int count;
  Vector& largest;
  CORRBANK_FOR_LANES bool operator()(int row, int x, Vector norm, Vector energy) const noexcept {
    return x >= count || store_norms(norm, energy, count - x, norms + row * stride + x, largest);
  }
};

static CORRBANK_FOR_LANES bool add_windows(const F32Windows& channel) noexcept {
  return each_vector(channel, Store{channel});
}

static CORRBANK_FOR_LANES float finish_windows(const F32Windows& channel, float* norms, std::ptrdiff_t stride,
                                               int count) noexcept {
  Vector largest = all(0.0f);
  const bool exact = each_vector(channel, Finish{norms, stride, count, largest});
  return exact ? largest_of(largest) : not_in_f32;
}

}  // namespace corrbank::detail::CORRBANK_LANES
