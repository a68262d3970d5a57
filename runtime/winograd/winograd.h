// Winograd's short correlations: F(m, r) makes m responses of r taps by m + r - 1 multiplications a side.
//
// The responses are cut into tiles, the tiles into blocks. Of a block, the transforms V of its tiles stay in the cache while
// each panel of kernels multiplies them, is transformed back and moved to the responses.
#pragma once

#include <cstddef>
#include <cstdint>

#include "call.h"
#include "forms.h"
#include "winograd_kernels.h"

namespace corrbank::detail {

// Tiles on a regular grid; those of the last row and column are shifted inwards.
struct WinogradGrid {
  std::int64_t rows, columns;
  [[nodiscard]] std::int64_t tiles() const noexcept { return rows * columns; }
};

// Tiles at the end of a grid: those of rows [row, height) and columns [column, width) of the responses.
struct WinogradRest {
  std::int64_t tiles, row, column;
};

// How a workspace is divided, in bytes; each part begins at a multiple of 64.
struct WinogradLayout {
  int lanes;                        // of V that a block has: channels * tiles, in whole vectors
  int ahead;                        // lanes: how far the image is prefetched
  int pitch;                        // floats of V from a place to the next
  std::size_t shifts;               // once: [lanes]
  std::size_t places;               // a block: where its tiles are and which are to be redone
  std::size_t offsets, tiles;       // a block: the tables of its lanes, and V
  std::size_t products, responses;  // a thread: M of one panel, responses of a part of it

  [[nodiscard]] std::size_t block() const noexcept { return places + offsets + tiles; }
  [[nodiscard]] std::size_t thread() const noexcept { return products + responses; }
};

// Is made as WinogradPlan{}, as FftPlan is.
struct WinogradPlan {
  std::size_t workspace_bytes;  // of Call::workspace
  FormKey form;                 // of the bank
  std::size_t form_bytes;
  int tasks;           // that run at once
  double nanoseconds;  // predicted, one thread
  char text[128];      // the choice in words, such as "F(6x6, 3x3), 16 tiles by 25 kernels"

  const WinogradTransform* transform;
  const WinogradProduct* product;
  WinogradGrid grid;
  // They would leave a tile of sums almost empty: the direct algorithm does them, or, for a sink, a block of their own.
  WinogradRest rest;
  WinogradLayout layout;
  std::int64_t blocks, panels;
  int block_tiles;
  int channels_at_once;  // that a sum of products runs over
  int finished_at_once;  // kernels of a panel, or tiles where lanes run over kernels
  // Each thread has blocks of its own, whose transforms stay in its L2, but for the last ones, fewer than threads: these are
  // shared.
  std::int64_t shared_blocks;
  int slots;  // for blocks in the workspace
};

// Chooses a variant. Null and `plan`; else why none can do it (a sentence that can follow "winograd: "). With a reason that
// is the workspace's limit, plan.workspace_bytes is what would be enough, else 0.
const char* plan_winograd(const Geometry& geometry, const PackedBank& bank, const Limits& limits,
                          WinogradPlan& plan) noexcept;

// The same for one pair of the target's rows.
const char* plan_winograd_rows(const WinogradTransform& transform, const WinogradProduct& product,
                               const Geometry& geometry, const PackedBank& bank, const Limits& limits,
                               WinogradPlan& plan) noexcept;

// Whether a block writes so little of each row of responses, having many channels and thus few tiles, that its lines are better
// fetched ahead than stored past the caches.
inline bool fetches_responses(const Geometry& geometry) noexcept { return geometry.channels > 32; }

// Makes the form of the bank that the plan needs, if it is not there. False: no memory.
bool prepare_winograd(const PackedBank& bank, const WinogradPlan& plan) noexcept;

// That form: [panel][row][column of a tile][channel][kernel].
const float* winograd_bank(const PackedBank& bank, const WinogradPlan& plan) noexcept;

// The rest, of a call without a sink. `memory` has room for its pixels and the tables of the taps: a tile of sums' transforms do.
void run_rest(const Call& call, const WinogradRest& rest, float* memory) noexcept;

// Runs it, prepared.
void run_winograd(const Call& call, const WinogradPlan& plan) noexcept;

}  // namespace corrbank::detail
