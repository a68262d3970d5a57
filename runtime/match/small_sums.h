// Sums over small windows in f32, a line at a time: where windows deviate from their means by about as much as from zero, as most of
// feature maps do. Of 128 channels of 200x200 and 3x3 windows in f64 they took a quarter of find() (2026-11-28, AMD EPYC "Zen 4").
// Included once lanes_*.h has said for which processor.
#pragma once

#include <algorithm>

#include "match/f32_norms.h"
#include "match/f32_stages.h"

namespace corrbank::detail::CORRBANK_LANES {
// Of `high` rows, in the order in which they lie in memory.
CORRBANK_FOR_LANES inline Vector sum_down(const float* near, int pitch, int high) noexcept {
  Vector sum = load(near);
  for (int i = 1; i < high; ++i) sum += load(near + std::ptrdiff_t{i} * pitch);
  return sum;
}

CORRBANK_FOR_LANES inline Vector sum_across(const float* row, int wide) noexcept {
  Vector sum = load(row);
  for (int j = 1; j < wide; ++j) sum += load(row + j);
  return sum;
}

CORRBANK_FOR_LANES inline void add_square(Vector value, float* to) noexcept {
  store(to, multiply_add(value, value, load(to)));
}

// Adds the squares of a channel's pixels and of their sums over windows. Pixels of the channel that is `ahead` are fetched meanwhile:
// most of the time was waits for them.
static CORRBANK_FOR_LANES void add_channel(const PixelBlock& block, std::int64_t c, std::ptrdiff_t ahead, int high,
                                           int wide, const F32Sums& m) noexcept {
  const int width = block.columns + wide - 1;
  const Vector less = all(block.less[c]);
  const float* pixels = block.data + c * block.channel_stride;
  for (int y = 0; y < block.rows + high - 1; ++y, pixels += block.row_stride) {
    float* squares = m.squares + std::ptrdiff_t{y} * m.pitch;
    for (int x = 0; x < width; x += lanes) {
      _mm_prefetch(pixels + ahead + x, _MM_HINT_T1);
      const Vector value = load_first_less(width - x, pixels + x, less);
      store(m.row + x, value);
      add_square(value, squares + x);
    }
    float* near = m.near + std::ptrdiff_t{y % high} * m.pitch;
    for (int x = 0; x < block.columns; x += lanes) store(near + x, sum_across(m.row + x, wide));
    if (y < high - 1) continue;
    float* sums = m.sums + std::ptrdiff_t{y - high + 1} * m.pitch;
    for (int x = 0; x < block.columns; x += lanes) add_square(sum_down(m.near + x, m.pitch, high), sums + x);
  }
}

static CORRBANK_FOR_LANES float finish(const PixelBlock& block, int high, int wide, const F32Sums& m,
                                       const SmallNorms& made) noexcept {
  const Vector quadratic = all(static_cast<float>(made.quadratic));
  Vector largest = all(0.0f);
  bool exact = true;
  for (int y = 0; y < block.rows; ++y) {
    const float* squares = m.squares + std::ptrdiff_t{y} * m.pitch;
    const float* sums = m.sums + std::ptrdiff_t{y} * m.pitch;
    for (int x = 0; x < block.columns; x += lanes) {
      Vector energy = sum_across(squares + x, wide);
      for (int i = 1; i < high; ++i) {
        energy += sum_across(squares + std::ptrdiff_t{i} * m.pitch + x, wide);
      }
      const Vector norm = multiply_add(quadratic, load(sums + x), energy);
      exact = store_norms(norm, energy, block.columns - x, made.norms + y * made.norm_stride + x, largest) && exact;
    }
  }
  return exact ? largest_of(largest) : not_in_f32;
}

// Of one channel, columns that are summed at a time: four vectors, as an addition takes four cycles.
constexpr int vectors = 4, strip = vectors * lanes;

// Sums of neighbours, and of their squares, of `columns` of a strip; what windows behind them have is of no meaning.
struct StripSums {
  float plain[strip], squares[strip];
};
template <bool whole>
CORRBANK_FOR_LANES inline void sum_strip(const float* pixels, int columns, int wide, float less,
                                         StripSums& to) noexcept {
  const Vector offset = all(less);
  Vector plain[vectors], squares[vectors];
  for (int n = 0; n < vectors; ++n) plain[n] = squares[n] = all(0.0f);
  for (int j = 0; j < wide; ++j) {
    for (int n = 0; n < vectors; ++n) {
      const int x = n * lanes;
      Vector value;
      if constexpr (whole) {
        value = load(pixels + x + j);
      } else {
        value = x < columns ? load_first(columns - x, pixels + x + j) : offset;
      }
      value -= offset;
      plain[n] += value, squares[n] = multiply_add(value, value, squares[n]);
    }
  }
  for (int n = 0; n < vectors; ++n) {
    store(to.plain + n * lanes, plain[n]), store(to.squares + n * lanes, squares[n]);
  }
}

// Norms of `columns` windows by the sums of their rows.
CORRBANK_FOR_LANES inline bool finish_strip(const StripSums* near, int high, int columns, float quadratic, float* norms,
                                            Vector& largest) noexcept {
  bool exact = true;
  for (int x = 0; x < columns; x += lanes) {
    Vector sum = load(near->plain + x), energy = load(near->squares + x);
    for (int i = 1; i < high; ++i) {
      sum += load(near[i].plain + x);
      energy += load(near[i].squares + x);
    }
    const Vector norm = multiply_add(all(quadratic) * sum, sum, energy);
    exact = store_norms(norm, energy, columns - x, norms + x, largest) && exact;
  }
  return exact;
}

static CORRBANK_FOR_LANES float small_norms_of_one(const PixelBlock& block, int high, int wide,
                                                   const SmallNorms& made) noexcept {
  StripSums near[small_side];
  Vector largest = all(0.0f);
  for (int x = 0; x < block.columns; x += strip) {
    const int columns = block.columns - x < strip ? block.columns - x : strip;
    const float* pixels = block.data + x;
    for (int y = 0; y < block.rows + high - 1; ++y, pixels += block.row_stride) {
      if (columns == strip) {
        sum_strip<true>(pixels, columns, wide, *block.less, near[y % high]);
      } else {
        sum_strip<false>(pixels, columns, wide, *block.less, near[y % high]);
      }
      if (y < high - 1) continue;
      float* norms = made.norms + (y - high + 1) * made.norm_stride + x;
      if (!finish_strip(near, high, columns, static_cast<float>(made.quadratic), norms, largest)) return not_in_f32;
    }
  }
  return largest_of(largest);
}

static float small_norms(const PixelBlock& block, std::int64_t channels, int high, int wide, const F32Sums& m,
                         const SmallNorms& made) noexcept {
  std::fill_n(m.squares, (std::ptrdiff_t{block.rows} + high - 1) * m.pitch, 0.0f);
  std::fill_n(m.sums, std::ptrdiff_t{block.rows} * m.pitch, 0.0f);
  std::fill_n(m.row, m.pitch, 0.0f);  // behind the last pixels
  for (std::int64_t c = 0; c < channels; ++c) {
    add_channel(block, c, c + 2 < channels ? 2 * block.channel_stride : 0, high, wide, m);
  }
  return finish(block, high, wide, m, made);
}

}  // namespace corrbank::detail::CORRBANK_LANES
