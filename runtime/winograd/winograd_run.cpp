// A block after the other: transform its tiles, and for each panel of kernels multiply, transform back, scatter.
#include <algorithm>
#include <atomic>
#include <new>

#include "costs.h"
#include "fetch_ahead.h"
#include "scatter.h"
#include "threads.h"
#include "winograd.h"

namespace corrbank::detail {
namespace {

// A block's part of the workspace. Tiles behind the last of the image repeat it.
struct Block {
  std::int64_t first;  // of the grid's tiles
  Tile* tiles;
  RedoFlag* redo;
  std::int32_t* offsets;
  float* transformed;
  int count;  // tiles
};

struct Run {
  const Call& call;
  const WinogradPlan& plan;
  const float* bank;
  std::atomic<std::int64_t> next{0};  // piece of work

  [[nodiscard]] std::int64_t first_shared() const noexcept { return plan.blocks - plan.shared_blocks; }
  // Of pieces that threads take alone: the blocks before the shared ones, and the tiles that are left.
  [[nodiscard]] std::int64_t own() const noexcept { return first_shared() + (plan.rest.tiles > 0 ? 1 : 0); }
  [[nodiscard]] float* shifts() const noexcept { return reinterpret_cast<float*>(call.workspace); }
  [[nodiscard]] float* products(int thread) const noexcept {
    return reinterpret_cast<float*>(call.workspace + plan.layout.shifts +
                                    static_cast<std::size_t>(thread) * plan.layout.thread());
  }
  [[nodiscard]] Block block(std::int64_t index, int slot) const noexcept;
};

Block Run::block(std::int64_t index, int slot) const noexcept {
  const WinogradLayout& l = plan.layout;
  char* at = call.workspace + l.shifts + static_cast<std::size_t>(plan.tasks) * l.thread() +
             static_cast<std::size_t>(slot) * l.block();
  const std::int64_t rest = plan.grid.tiles() - plan.rest.tiles;
  const std::int64_t first = std::min(index * plan.block_tiles, rest);
  const std::int64_t left = first < rest ? rest - first : plan.rest.tiles;
  auto* tiles = reinterpret_cast<Tile*>(at);
  return {first,
          tiles,
          reinterpret_cast<RedoFlag*>(tiles + plan.block_tiles),
          reinterpret_cast<std::int32_t*>(at + l.places),
          reinterpret_cast<float*>(at + l.places + l.offsets),
          static_cast<int>(std::min<std::int64_t>(left, plan.block_tiles))};
}

void fill_shifts(const Run& run) noexcept {
  const int tiles = run.plan.block_tiles;
  float* shifts = run.shifts();
  for (std::int64_t c = 0; c < run.call.geometry.channels; ++c, shifts += tiles) {
    std::fill_n(shifts, tiles, -run.call.means[c]);
  }
  std::fill(shifts, run.shifts() + run.plan.layout.lanes, 0.0f);
}

// Where the tiles of a block are, and where each of its lanes begins in the image.
void place_tiles(const Run& run, const Block& block) noexcept {
  const Geometry& g = run.call.geometry;
  const WinogradTransform& t = *run.plan.transform;
  const int tiles = run.plan.block_tiles;
  for (int i = 0; i < tiles; ++i) {
    const std::int64_t tile = block.first + std::min(i, block.count - 1);
    block.tiles[i] = tile_at(g, t.rows, t.columns, run.plan.grid.columns, tile);
    new (block.redo + i) RedoFlag(false);
    block.offsets[i] = static_cast<std::int32_t>(block.tiles[i].y * g.row_stride + block.tiles[i].x);
  }
  std::int32_t* offsets = block.offsets;
  for (std::int64_t c = 1; c < g.channels; ++c, offsets += tiles) {
    const auto step = static_cast<std::int32_t>(g.channel_stride);
    for (int i = 0; i < tiles; ++i) offsets[tiles + i] = offsets[i] + step;
  }
  const std::int32_t last = offsets[tiles - 1];
  std::fill(offsets + tiles, block.offsets + run.plan.layout.lanes + run.plan.layout.ahead, last);
}

// Lanes [first, end) of a block.
void transform_lanes(const Run& run, const Block& block, int first, int end) noexcept {
  const WinogradLayout& l = run.plan.layout;
  transform_input(*run.plan.transform,
                  {run.call.image, run.call.geometry.row_stride, block.offsets + first, run.shifts() + first,
                   end - first, l.ahead, block.transformed + first, l.pitch});
}

// Finished responses: [s][row][f][column] of the kernels and tiles that f and s, or s and f, stand for.
struct Finished {
  const float* responses;
  int first, count;  // of s
};

void flag_tiles(const WinogradPlan& plan, const Block& block, const Finished& made) noexcept {
  const WinogradTransform& t = *plan.transform;
  const bool over_tiles = plan.product->lanes_over == LanesOver::tiles;
  const float* responses = made.responses;
  for (int s = made.first; s < made.first + made.count; ++s) {
    for (int row = 0; row < t.rows; ++row) {
      for (int f = 0; f < (over_tiles ? plan.block_tiles : plan.product->panel_kernels());
           ++f, responses += t.columns) {
        const int tile = over_tiles ? f : s;
        if (any_not_finite(responses, static_cast<std::size_t>(t.columns))) {
          block.redo[tile].store(true, std::memory_order_relaxed);
        }
      }
    }
  }
}

// A few kernels or tiles at a time: their responses are still in L1 when they are moved.
void finish_panel(const Run& run, const Block& block, std::int64_t panel, int thread, FetchAhead& ahead) noexcept {
  const WinogradPlan& plan = run.plan;
  const WinogradTransform& t = *plan.transform;
  const WinogradProduct& p = *plan.product;
  const int kernels = p.panel_kernels(), tiles = plan.block_tiles;
  const std::int64_t channels = run.call.geometry.channels, first = panel * kernels;
  float* products = run.products(thread);
  float* responses = products + plan.layout.products / sizeof(float);
  const WinogradSums sums{run.bank + panel * t.bank_rows() * t.bank_columns() * channels * kernels,
                          block.transformed,
                          plan.layout.pitch,
                          static_cast<int>(channels),
                          plan.channels_at_once,
                          tiles,
                          products};
  struct Step {
    FetchAhead& ahead;
    std::int64_t panel;
  } step{ahead, panel};
  const auto fetch = [](void* context, int row) {
    const auto& next = *static_cast<const Step*>(context);
    next.ahead.step(next.panel, row);
  };
  multiply(t, p, sums, {fetch, &step});
  const int exist = static_cast<int>(std::min<std::int64_t>(kernels, run.call.bank.count - first));
  const bool over_tiles = p.lanes_over == LanesOver::tiles;
  const int f = over_tiles ? tiles : kernels, end = over_tiles ? exist : block.count;
  const std::ptrdiff_t row = std::ptrdiff_t{f} * t.columns, size = row * t.rows;
  for (int s = 0; s < end; s += plan.finished_at_once) {
    const int count = std::min(plan.finished_at_once, end - s);
    transform_output(t, p, products, tiles, s, count, responses);
    bool redo;
    if (over_tiles) {
      redo = scatter(run.call, first + s, {responses, t.columns, row, t.rows, t.columns, count, size}, block.tiles,
                     block.count);
    } else {
      redo =
          scatter(run.call, first, {responses, size, row, t.rows, t.columns, exist, t.columns}, block.tiles + s, count);
    }
    if (redo) flag_tiles(plan, block, {responses, s, count});
  }
}

void redo_tiles(const Run& run, const Block& block) noexcept {
  const WinogradTransform& t = *run.plan.transform;
  redo_tiles(run.call, block.tiles, block.redo, block.count, t.rows, t.columns);
}

// Each thread with pieces of its own.
void run_own(void* argument, int thread) noexcept {
  Run& run = *static_cast<Run*>(argument);
  // Where there are fewer slots than threads, no block is any thread's own, and only one has the rest.
  const int slot = run.plan.slots == run.plan.tasks ? thread : 0;
  for (std::int64_t i = run.next.fetch_add(1); i < run.own(); i = run.next.fetch_add(1)) {
    const std::int64_t b = i < run.first_shared() ? i : run.plan.blocks;
    const Block block = run.block(b, slot);
    if (b == run.plan.blocks && run.call.sink == nullptr) {
      run_rest(run.call, run.plan.rest, block.transformed);
      continue;
    }
    place_tiles(run, block);
    transform_lanes(run, block, 0, run.plan.layout.lanes);
    FetchAhead ahead(run.call, run.plan, b, b + run.plan.tasks);
    for (std::int64_t panel = 0; panel < run.plan.panels; ++panel) finish_panel(run, block, panel, thread, ahead);
    redo_tiles(run, block);
  }
}

// All threads together on the blocks that are left: first their transforms, in pieces of some lanes, then their panels.

Block shared_block(const Run& run, std::int64_t slot) noexcept {
  return run.block(run.first_shared() + slot, static_cast<int>(slot));
}

void transform_shared(void* argument, int /*thread*/) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const int lanes = run.plan.product->lanes;
  const std::int64_t vectors = run.plan.layout.lanes / lanes;
  const double each = costs(*run.call.bank.target).blocks.winograd_pieces_per_thread;
  const std::int64_t pieces = std::min(vectors, static_cast<std::int64_t>(each * run.plan.tasks));
  const std::int64_t count = run.plan.shared_blocks * pieces;
  for (std::int64_t i = run.next.fetch_add(1); i < count; i = run.next.fetch_add(1)) {
    const std::int64_t piece = i % pieces;
    transform_lanes(run, shared_block(run, i / pieces), static_cast<int>(part(vectors, piece, pieces)) * lanes,
                    static_cast<int>(part(vectors, piece + 1, pieces)) * lanes);
  }
}

void multiply_shared(void* argument, int thread) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const std::int64_t panels = run.plan.panels, count = run.plan.shared_blocks * panels;
  for (std::int64_t i = run.next.fetch_add(1); i < count; i = run.next.fetch_add(1)) {
    const std::int64_t slot = i / panels;
    FetchAhead ahead(run.call, run.plan, run.first_shared() + slot, run.plan.blocks);
    finish_panel(run, shared_block(run, slot), i % panels, thread, ahead);
  }
}

void run_shared(Run& run) noexcept {
  for (std::int64_t slot = 0; slot < run.plan.shared_blocks; ++slot) {
    place_tiles(run, shared_block(run, slot));
  }
  for (const Task task : {&transform_shared, &multiply_shared}) {
    run.next = 0;
    run_tasks(run.call.options, run.plan.tasks, task, &run);
  }
  for (std::int64_t slot = 0; slot < run.plan.shared_blocks; ++slot) redo_tiles(run, shared_block(run, slot));
}

}  // namespace

void run_winograd(const Call& call, const WinogradPlan& plan) noexcept {
  Run run{call, plan, winograd_bank(call.bank, plan)};
  fill_shifts(run);
  if (run.own() > 0) run_tasks(call.options, plan.tasks, run_own, &run);
  if (plan.shared_blocks > 0) run_shared(run);
}

}  // namespace corrbank::detail
