// The direct algorithm: every product, summed in registers. Its plan chooses kernel rows for the kernels of a bank, and how
// the work is cut.
#pragma once

#include <cstdint>
#include <mutex>

#include "bank.h"
#include "geometry.h"
#include "kernels.h"

namespace corrbank::detail {

struct Call;
struct Tile;

// Kernels [first, first + count) of the bank run on one kernel row, in tiles side by side.
struct Segment {
  const Kernel* kernel;
  std::int64_t first, count;

  [[nodiscard]] std::int64_t tiles() const noexcept { return quotient_up(count, kernel->tile_kernels()); }
};

// Taps that one pass over a tile takes at most, if the channels can be divided so: with 64 kernels 512 KiB of the bank.
constexpr int tap_block = 2048;

// Taps that scores sum at a time (run_direct_tile()). Where neighbouring products are alike, as on smooth parts of photographs,
// each one's rounding errs to the same side: scores of 16x16 templates were off by 1.8e-5, of 63x63 by 5.5e-5
// (bench/match_accuracy.py).
constexpr int short_sum_taps = 64;

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
  double nanoseconds = 0;       // predicted_cycles, on the machine that the costs were measured on

  [[nodiscard]] int tasks() const noexcept { return bands * kernel_groups; }
  [[nodiscard]] std::int64_t kernel_tiles() const noexcept;
  [[nodiscard]] int tile_kernels() const noexcept;  // the most of a tile
};

DirectPlan plan_direct(const Geometry& geometry, const PackedBank& bank, int threads) noexcept;

// The same for one segment alone, whose row suits the geometry and whose kernels are whole tiles within blocks; else a plan
// of no segments.
DirectPlan plan_direct_row(const Segment& segment, const Geometry& geometry, const PackedBank& bank,
                           int threads) noexcept;

// The tap tables of a call, filled by whoever needs them first: other algorithms only where they redo a tile.
class TapMemory {
 public:
  TapMemory(std::int32_t* inner, std::int32_t* outer) noexcept : inner_(inner), outer_(outer) {}

  void fill(const Geometry& geometry, const TapTables& taps) noexcept;
  [[nodiscard]] const std::int32_t* inner() const noexcept { return inner_; }
  [[nodiscard]] const std::int32_t* outer() const noexcept { return outer_; }

 private:
  std::int32_t *inner_, *outer_;
  bool filled_ = false;
  std::mutex filling_;
};

void run_direct(const Call& call) noexcept;

// Computes all responses of a call, which are `tile`, on this thread, and hands them to its sink: those of as many kernels as
// run together, in call.responses or where the sink wants them, then the next. Kernels that run together: tile_kernels() at most.
// call.workspace has room for the responses of so many where taps are more than short_sum_taps.
void run_direct_tile(const Call& call, const Tile& tile) noexcept;

// Computes the responses of rows [y, y + rows) and columns [x, x + columns) alone, of all kernels, on this thread.
void run_direct_part(const Call& call, std::int64_t y, std::int64_t x, std::int64_t rows,
                     std::int64_t columns) noexcept;

}  // namespace corrbank::detail
