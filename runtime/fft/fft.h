// Tiled FFT (overlap-save): responses as products of spectra, channel sums taken per frequency.
//
// The image is cut into tiles of rows x columns elements, of which (rows - kh + 1) x (columns - kw + 1) responses come out
// right. L transforms run at once, one a lane: L tiles of a channel, or, where tiles are few, L channels of a tile and then
// L kernels. Two orders keep what is in use in the caches:
//   many channels: a block of tiles at a time, in three steps that all threads share: rows of all channels; then for each
//     column of bins its transforms, products with all kernels, and transforms back; then rows of all kernels.
//   few channels: a thread does all of L tiles, a few kernels at a time. Places that would leave threads idle, as the fifth of
//     two threads, are shared: their rows, their columns, then their kernels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "call.h"
#include "forms.h"
#include "passes.h"
#include "products.h"

namespace corrbank::detail {

// How a workspace is divided, in floats; each part begins at a multiple of 64 bytes.
struct FftLayout {
  std::size_t places;    // a block or thread: its tiles, flags and lane tables
  std::size_t slab;      // of a column of bins: [transform][element]
  std::size_t slabs;     // many channels: once, few: a thread; [column of bins][transform][element]
  std::size_t spectra;   // a thread: of a column of bins, or of all columns
  std::size_t products;  // a thread: of a column of bins
  std::size_t panel;     // a thread: responses of L tiles or kernels
  std::size_t copy;      // a thread: what lanes read of an image that is narrower than a tile
  std::size_t per_thread, once;
};

// Is made as FftPlan{}, all zero: initial values of its members would be half a KB of code.
struct FftPlan {
  std::size_t workspace_bytes;  // of Call::workspace
  FormKey form;                 // of the bank
  std::size_t form_bytes;
  int tasks;           // that run at once
  double nanoseconds;  // predicted, one thread
  char text[96];       // the choice in words

  const FftTarget* target;
  const FftSize *rows, *columns;  // of the transforms along y and along x
  const FftProduct* product;
  bool many;    // the order
  bool fused;   // of one channel: products are made while they are transformed back, a kernel at a time
  bool copied;  // the image is narrower than a tile
  FftLayout layout;
  std::int64_t tile_rows, tile_columns;  // responses of a tile
  std::int64_t grid_rows, grid_columns;  // tiles
  std::int64_t block;                    // many: places (lane groups of tiles, or tiles) in a block; few: 1
  std::int64_t shared_places;            // few: the last ones, which threads work on together
  std::int64_t block_floats;             // of the form: a block of product_kernels() at one bin
  std::int64_t kernels;                  // kernels, or lane groups of them, in whole product tiles

  [[nodiscard]] bool over_tiles() const noexcept { return product->over == FftLanes::tiles; }
  // Kernels, or lane groups of them, that products take at once.
  [[nodiscard]] int product_kernels() const noexcept { return fused ? 1 : product->kernels; }
  [[nodiscard]] int lanes() const noexcept { return target->lanes; }
  [[nodiscard]] std::int64_t tiles() const noexcept { return grid_rows * grid_columns; }
  [[nodiscard]] std::int64_t kernel_blocks() const noexcept { return kernels / product_kernels(); }
  // Lane groups of tiles, or tiles: what blocks are made of.
  [[nodiscard]] std::int64_t places() const noexcept { return over_tiles() ? quotient_up(tiles(), lanes()) : tiles(); }
  // As many as products take: those behind the last repeat it.
  [[nodiscard]] std::int64_t whole_places() const noexcept { return round_up(places(), product->positions); }
  // Of a place of the image: of each channel, or of each lane group of them.
  [[nodiscard]] std::int64_t image_transforms(std::int64_t channels) const noexcept {
    return over_tiles() ? channels : quotient_up(channels, lanes());
  }
  [[nodiscard]] int element() const noexcept { return 2 * lanes(); }  // floats
  [[nodiscard]] int bins() const noexcept { return columns->bins(); }
  // Bins of column x that are multiplied: the first and the last are of reals, and their other bins conjugates of these.
  [[nodiscard]] int multiplied(int x) const noexcept {
    return fused || (x > 0 && x + 1 < bins()) ? rows->size : rows->size / 2 + 1;
  }
  // Those of the columns before x.
  [[nodiscard]] std::int64_t multiplied_before(int x) const noexcept {
    return x == 0 ? 0 : std::int64_t{x - 1} * rows->size + multiplied(0);
  }
  [[nodiscard]] std::int64_t all_multiplied() const noexcept {
    return multiplied_before(bins() - 1) + multiplied(bins() - 1);
  }
};

// Chooses a variant. Null and `plan`; else why none can do it (a sentence that can follow "fft: "). With a reason that
// is the workspace's limit, plan.workspace_bytes is what would be enough, else 0.
const char* plan_fft(const Geometry& geometry, const PackedBank& bank, const Limits& limits, FftPlan& plan) noexcept;

// The same for one choice of the target's rows, in the order for many or for few channels.
struct FftRows {
  const FftSize &rows, &columns;
  const FftProduct& product;
  bool many;
};
const char* plan_fft_rows(const FftRows& rows, const Geometry& geometry, const PackedBank& bank, const Limits& limits,
                          FftPlan& plan) noexcept;

// Whether a choice can be the best for a geometry.
bool worth_planning(const FftRows& rows, const Geometry& geometry) noexcept;

// Makes the form of the bank that the plan needs, if it is not there. False: no memory.
bool prepare_fft(const PackedBank& bank, const FftPlan& plan) noexcept;

// That form, of the bins that are multiplied: many channels [x][y][block]..., few [block][x][y]...; then as FftProducts
// has it; fused [kernel][x][y][2].
const float* fft_bank(const PackedBank& bank, const FftPlan& plan) noexcept;

// Runs it, prepared.
void run_fft(const Call& call, const FftPlan& plan) noexcept;

}  // namespace corrbank::detail
