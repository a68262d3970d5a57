// Chooses what runs: kernel rows for the kernels of a bank, and how the work is cut.
#pragma once

#include <cstdint>

#include "bank.h"
#include "kernels.h"

namespace corrbank::detail {

constexpr std::int64_t quotient_up(std::int64_t a, std::int64_t b) noexcept { return (a + b - 1) / b; }

// The extents of one call, after rows that lie back to back were joined (geometry()).
struct Geometry {
  std::int64_t channels, kernel_height, kernel_width;
  std::int64_t height, width;  // of the responses
  std::int64_t channel_stride, row_stride;
  std::int64_t response_row_stride;
};

// `response_row_stride`: 0 for compact responses. A 1x1 kernel on an image and responses without gaps between rows is
// one long row: no vector ends early.
Geometry geometry(const ImageView& image, const PackedBank& bank, std::int64_t response_row_stride) noexcept;

// Kernels [first, first + count) of the bank run on one kernel row, in tiles side by side.
struct Segment {
  const Kernel* kernel;
  std::int64_t first, count;

  [[nodiscard]] std::int64_t tiles() const noexcept { return quotient_up(count, kernel->tile_kernels()); }
};

// Taps that one pass over a tile takes at most, if the channels can be divided so: with 64 kernels 512 KiB of the bank.
constexpr int tap_block = 2048;

// Taps are offsets inner[i] + outer[o], i fastest.
struct TapTables {
  std::int64_t inner, outer;  // entries
  [[nodiscard]] std::size_t bytes() const noexcept {
    return static_cast<std::size_t>(inner + outer) * sizeof(std::int32_t);
  }
};

struct DirectPlan {
  static constexpr int max_segments = 8;
  Segment segments[max_segments];
  int segment_count = 0;
  TapTables taps{};
  int bands = 1;          // of rows, or of the columns of a single row: independent
  int kernel_groups = 1;  // of kernel tiles: independent
  std::int64_t chunk_pixels =
      0;  // responses of a band that all kernels visit before the next: what keeps the image in cache
  double predicted_cycles = 0;  // one core
  double ideal_cycles = 0;      // at the FMA peak

  [[nodiscard]] int tasks() const noexcept { return bands * kernel_groups; }
  [[nodiscard]] std::int64_t kernel_tiles() const noexcept;
};

DirectPlan plan_direct(const Geometry& geometry, const PackedBank& bank, int threads) noexcept;

}  // namespace corrbank::detail
