#include "match/small_windows.h"

#include <algorithm>
#include <cmath>

#include "geometry.h"
#include "match/f32_stages.h"
#include "match/match_kernels.h"
#include "match/method.h"

namespace corrbank::detail {
namespace {

// The part of a block's columns behind its last whole tile, and the pixels that its windows end in, copied side by side.
constexpr int end_columns = 2 * small_columns;  // of pixels, as squares are added
constexpr int end_pitch = end_columns + small_side;

struct Layout {
  int pitch;
  std::size_t squares, sums, end;  // doubles

  Layout(const PackedTemplates& t, int rows, int columns) noexcept {
    pitch = static_cast<int>(round_up(columns, small_columns)) + end_columns;
    const auto pixel_rows = static_cast<std::size_t>(rows + t.height - 1);
    squares = pixel_rows * static_cast<std::size_t>(pitch);
    sums = static_cast<std::size_t>(rows) * static_cast<std::size_t>(pitch);
    end = pixel_rows * end_pitch;  // of two channels
  }
};

// In f32, where the processor has it and it is exact enough, else not_in_f32; in memory for f64, which is twice that and more.
float make_norms_in_f32(const PackedTemplates& t, const PixelBlock& block, double* scratch,
                        const SmallNorms& made) noexcept {
  const F32Stages* stages = f32_stages(*t.target);
  if (stages == nullptr || t.channels > most_f32_channels || !is_centred(t.method)) return not_in_f32;
  const auto high = static_cast<int>(t.height), wide = static_cast<int>(t.width);
  if (t.channels == 1) return stages->small_norms_of_one(block, high, wide, made);
  const Layout l(t, block.rows, block.columns);
  auto* squares = reinterpret_cast<float*>(scratch);
  float *sums = squares + l.squares, *near = sums + l.sums;
  const F32Sums memory{squares, sums, near + t.height * l.pitch, near, l.pitch};
  return stages->small_norms(block, t.channels, high, wide, memory, made);
}

void make_norms_of_channels(const PackedTemplates& t, const PixelBlock& block, double* scratch,
                            SmallNorms made) noexcept {
  const Layout l(t, block.rows, block.columns);
  const auto high = static_cast<int>(t.height), wide = static_cast<int>(t.width);
  double *squares = scratch, *sums = squares + l.squares;
  auto* end = reinterpret_cast<float*>(sums + l.sums);
  std::fill_n(scratch, l.squares + l.sums, 0.0);
  const int whole = block.columns / small_columns * small_columns, left = block.columns - whole;
  const int pixel_rows = block.rows + high - 1, end_pixels = left + wide - 1;
  const std::ptrdiff_t end_plane = std::ptrdiff_t{pixel_rows} * end_pitch;
  std::fill_n(end, 2 * end_plane, 0.0f);
  for (std::int64_t c = 0; c < t.channels; c += 2) {
    const bool both = c + 1 < t.channels;
    const float* pixels = block.data + c * block.channel_stride;
    SmallWindows windows{pixels, block.row_stride, high, wide, block.rows, whole, block.less[c]};
    NextChannel second{both ? block.channel_stride : 0, both ? block.less[c + 1] : 0};
    add_small_channels(*t.target, windows, second, {squares, sums, l.pitch, pixel_rows, whole});
    for (int channel = 0; channel < (both ? 2 : 1); ++channel) {
      const float* from = pixels + channel * block.channel_stride + whole;
      float* to = end + channel * end_plane;
      for (int y = 0; y < pixel_rows; ++y, from += block.row_stride, to += end_pitch) {
        for (int x = 0; x < end_pixels; ++x) to[x] = from[x];
      }
    }
    windows.pixels = end, windows.row_stride = end_pitch;
    windows.columns = left > 0 ? small_columns : 0;
    if (both) second.next = end_plane;
    add_small_channels(
        *t.target, windows, second,
        {squares + whole, sums + whole, l.pitch, pixel_rows, static_cast<int>(round_up(end_pixels, small_columns))});
  }
  make_small_norms(*t.target, {squares, sums, l.pitch, 0, 0}, high, wide, block.rows, block.columns, made);
}

}  // namespace

bool has_small_windows(const PackedTemplates& t) noexcept {
  if (t.height > small_side || t.width > small_side || !is_normed(t.method) || is_distance(t.method)) return false;
  return t.channels == 1 || t.method == Method::ccoeff_normed;
}

std::size_t small_window_scratch(const PackedTemplates& t, int rows, int columns) noexcept {
  if (!has_small_windows(t) || t.channels == 1) return 0;
  const Layout l(t, rows, columns);
  return l.squares + l.sums + l.end;
}

float make_small_norms(const PackedTemplates& t, const PixelBlock& block, const double* offsets, const Flatness& flat,
                       double* scratch, float* norms, std::ptrdiff_t stride) noexcept {
  const auto area = static_cast<double>(t.height * t.width);
  SmallNorms made{0, 0, 0, constant_window_below, flat.most, flat.far, norms, stride};
  if (is_normed_by_energy(t.method)) {
    made.linear = 2 * offsets[0], made.constant = offsets[0] * offsets[0] * area;
  } else {
    made.quadratic = -1 / area;
  }
  float largest = 0;
  const std::int64_t parts = quotient_up(block.rows, small_rows(t.height));
  for (std::int64_t i = 0; i < parts; ++i) {
    const std::int64_t first = part(block.rows, i, parts);
    PixelBlock piece = block;
    piece.data += first * block.row_stride;
    piece.rows = static_cast<int>(part(block.rows, i + 1, parts) - first);
    made.norms = norms + first * stride;
    const float energy = make_norms_in_f32(t, piece, scratch, made);
    largest = std::max(largest, energy == not_in_f32 ? HUGE_VALF : energy);
    if (energy != not_in_f32) continue;
    if (t.channels > 1) {
      make_norms_of_channels(t, piece, scratch, made);
    } else {
      make_small_norms(*t.target,
                       {piece.data, block.row_stride, static_cast<int>(t.height), static_cast<int>(t.width), piece.rows,
                        piece.columns, block.less[0]},
                       made);
    }
  }
  return largest;
}

}  // namespace corrbank::detail
