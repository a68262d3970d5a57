// Tiles of the FFT, from the image to responses: what both orders are made of, that for many channels (fft_many.cpp) and that for
// few (fft_few.cpp).
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "costs.h"
#include "fft.h"
#include "scatter.h"

namespace corrbank::detail {

// The tiles of a block. Lanes and places behind the last tile repeat it.
struct FftTiles {
  Tile* tiles;
  RedoFlag* redo;
  std::int64_t count;  // that exist
  std::int64_t places;
};

// Some rows of a tile, of elements.
struct RowRange {
  int first, end;
};

struct FftRun {
  const Call& call;
  const FftPlan& plan;
  const float* bank;
  FftTiles block{};  // many: that threads share
  std::atomic<std::int64_t> next{0};
  const Blocks& blocks = costs(*call.bank.target).blocks;
  const bool image_is_near = call.bytes() < blocks.fft_near_bytes;

  [[nodiscard]] float* once() const noexcept { return reinterpret_cast<float*>(call.workspace); }
  [[nodiscard]] float* thread(int index) const noexcept {
    return once() + plan.layout.once + static_cast<std::size_t>(index) * plan.layout.per_thread;
  }
  [[nodiscard]] float* copy(int index) const noexcept {
    return thread(index) + plan.layout.per_thread - plan.layout.copy;
  }
  [[nodiscard]] std::int64_t channel_groups() const noexcept {
    return quotient_up(call.geometry.channels, plan.lanes());
  }
};

// Where a block's tiles lie in `memory`, and the tiles put there.
FftTiles tiles_in(const FftRun& run, std::int64_t first_place, std::int64_t places, void* memory) noexcept;
FftTiles place_tiles(const FftRun& run, std::int64_t first_place, std::int64_t places, void* memory) noexcept;

inline RowRange all_rows(const FftRun& run) noexcept { return {0, run.plan.rows->size}; }

// What transforms read comes from memory, in orders in which the processor sees no pattern. Reading a word of each line
// first, one after the other, is faster: of 128 channels of 200x200, the columns of slabs take 2.3 ms rather than 5.3, the
// rows of the image 3.7 rather than 4.3 (2026-11-25, AMD EPYC "Zen 4").
inline void fetch(const float* first, const float* end) noexcept {
  for (const volatile float* word = first; word < end; word += workspace_line / sizeof(float)) static_cast<void>(*word);
}

// For transform `later`, if it is below `count`: one that the same thread may do next.
void fetch_later(const FftRun& run, const FftTiles& block, std::int64_t later, std::int64_t count) noexcept;

// Rows of transform `index`. `copy` is the thread's.
void transform_rows(const FftRun& run, const FftTiles& block, std::int64_t index, RowRange rows, float* copy,
                    const Spectra& out) noexcept;
// Products of column x of bins: call.w is its bank.
void multiply_column(const FftPlan& plan, int x, FftProducts& call) noexcept;
// Responses of L tiles of kernel k, or of L kernels of a tile, from their bins: [x] `x_stride` floats apart.
void finish_tiles(const FftRun& run, const FftTiles& block, const Spectra& bins, std::int64_t place, std::int64_t k,
                  float* panel) noexcept;
void redo_tiles(const FftRun& run, const FftTiles& block) noexcept;

void run_fft_many(FftRun& run) noexcept;
void run_fft_few(FftRun& run) noexcept;

}  // namespace corrbank::detail
