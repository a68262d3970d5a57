// The two orders of the tiled FFT (fft.h).
#include <algorithm>
#include <atomic>
#include <new>

#include "costs.h"
#include "fft.h"
#include "scatter.h"
#include "threads.h"

namespace corrbank::detail {
namespace {

// The tiles of a block. Lanes and places behind the last tile repeat it.
struct Tiles {
  Tile* tiles;
  RedoFlag* redo;
  std::int64_t count;  // that exist
  std::int64_t places;
};

// Some rows of a tile, of elements.
struct Rows {
  int first, end;
};

struct Run {
  const Call& call;
  const FftPlan& plan;
  const float* bank;
  Tiles block{};  // many: that threads share
  std::atomic<std::int64_t> next{0};
  const Blocks& blocks = costs(*call.bank.target).blocks;

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

Tiles tiles_in(const Run& run, std::int64_t first_place, std::int64_t places, void* memory) noexcept {
  const std::int64_t each = run.plan.over_tiles() ? run.plan.lanes() : 1;
  auto* tiles = static_cast<Tile*>(memory);
  return {tiles, reinterpret_cast<RedoFlag*>(tiles + places * each),
          std::min(run.plan.tiles() - first_place * each, places * each), places};
}

Tiles place_tiles(const Run& run, std::int64_t first_place, std::int64_t places, void* memory) noexcept {
  const FftPlan& plan = run.plan;
  const std::int64_t each = plan.over_tiles() ? plan.lanes() : 1, first = first_place * each;
  const Tiles made = tiles_in(run, first_place, places, memory);
  for (std::int64_t i = 0; i < places * each; ++i) {
    const std::int64_t tile = std::min(first + i, plan.tiles() - 1);
    made.tiles[i] = tile_at(run.call.geometry, plan.tile_rows, plan.tile_columns, plan.grid_columns, tile);
    new (made.redo + i) RedoFlag(false);
  }
  return made;
}

Rows all_rows(const Run& run) noexcept { return {0, run.plan.rows->size}; }

// Those that lie in the image, of a tile that may be higher.
Rows in_image(const Run& run, Rows rows) noexcept {
  const auto height = static_cast<int>(std::min<std::int64_t>(run.plan.rows->size, run.call.geometry.image_height()));
  return {std::min(rows.first, height), std::min(rows.end, height)};
}

// What transforms read comes from memory, in orders in which the processor sees no pattern. Reading a word of each line
// first, one after the other, is faster: of 128 channels of 200x200, the columns of slabs take 2.3 ms rather than 5.3, the
// rows of the image 3.7 rather than 4.3 (2026-11-25, AMD EPYC "Zen 4").
void fetch(const float* first, const float* end) noexcept {
  for (const volatile float* word = first; word < end; word += workspace_line / sizeof(float)) static_cast<void>(*word);
}

// Few lines are better on their way to L2, where more of them can be at once than to L1, while the transform before is made: of
// 64 channels of 256x256 and one kernel of 3x3, 3.9 ms rather than 6.0; of 224x224 and 64 kernels, 14.1 rather than 16.0. More of
// them than can be on their way, 48x32 elements of 8 lanes, took longer.
void fetch_ahead(const float* first, const float* end) noexcept {
  for (; first < end; first += workspace_line / sizeof(float)) __builtin_prefetch(first, 0, 2);
  __asm__ volatile("");  // GCC drops calls of functions that do nothing else
}

// Where the lanes of transform `index` of a block begin in the image: of channel c and lane group g (tiles), or of tile t and
// channel group (kernels).
struct Lanes {
  std::int32_t offsets[most_fft_lanes] = {};
  float shifts[most_fft_lanes] = {};

  Lanes(const Run& run, const Tiles& block, std::int64_t index) noexcept {
    const FftPlan& plan = run.plan;
    const int lanes = plan.lanes();
    for (int l = 0; l < lanes; ++l) {
      const bool over_tiles = plan.over_tiles();
      const std::int64_t c = over_tiles
                                 ? index / block.places
                                 : std::min(index % run.channel_groups() * lanes + l, run.call.geometry.channels - 1);
      const Tile& tile = block.tiles[over_tiles ? index % block.places * lanes + l : index / run.channel_groups()];
      const Geometry& g = run.call.geometry;
      offsets[l] = static_cast<std::int32_t>(c * g.channel_stride + tile.y * g.row_stride + tile.x);
      shifts[l] = -run.call.means[c];
    }
  }
};

// visit(first, end) for the image under rows of a transform; lines of a lane may continue those of the lane before.
template <typename Visit>
void each_row(const Run& run, const Lanes& lanes, Rows rows, const Visit& visit) noexcept {
  const std::int64_t stride = run.call.geometry.row_stride;
  const auto columns =
      static_cast<std::int32_t>(std::min<std::int64_t>(run.plan.columns->size, run.call.geometry.image_width()));
  const float* row = run.call.image + rows.first * stride;
  for (int y = rows.first; y < rows.end; ++y, row += stride) {
    for (int l = 0; l < run.plan.lanes(); ++l) {
      std::int32_t first = lanes.offsets[l];
      if (l > 0 && first >= lanes.offsets[l - 1]) first = std::max(first, lanes.offsets[l - 1] + columns);
      visit(row + first, row + lanes.offsets[l] + columns);
    }
  }
}

// Whether lines are better fetched while the transform before is made.
bool few_lines(const Run& run) noexcept {
  const FftPlan& plan = run.plan;
  const auto floats = static_cast<double>(plan.rows->size * plan.columns->size * plan.lanes());
  return floats * sizeof(float) <= run.blocks.fft_lines_ahead * workspace_line;
}

// For transform `later`, if it is below `count`: one that the same thread may do next.
void fetch_later(const Run& run, const Tiles& block, std::int64_t later, std::int64_t count) noexcept {
  if (later >= count || !few_lines(run)) return;
  each_row(run, Lanes(run, block, later), in_image(run, all_rows(run)), fetch_ahead);
}

// Rows of an image that is narrower than a tile: the lanes' one after the other, each with its mean behind it.
void copy_rows(const Run& run, Lanes& lanes, Rows rows, float* copy) noexcept {
  const Geometry& g = run.call.geometry;
  float* to = copy;
  for (int l = 0; l < run.plan.lanes(); ++l) {
    const float* row = run.call.image + lanes.offsets[l] + rows.first * g.row_stride;
    lanes.offsets[l] = static_cast<std::int32_t>(to - copy);
    for (int y = rows.first; y < rows.end; ++y, row += g.row_stride, to += run.plan.columns->size) {
      std::copy_n(row, g.image_width(), to);
      std::fill(to + g.image_width(), to + run.plan.columns->size, -lanes.shifts[l]);
    }
  }
}

// Rows of transform `index`. `copy` is the thread's.
void transform_rows(const Run& run, const Tiles& block, std::int64_t index, Rows rows, float* copy,
                    const Spectra& out) noexcept {
  const FftPlan& plan = run.plan;
  const Rows exist = in_image(run, rows);
  Lanes lanes(run, block, index);
  const float* image = run.call.image + exist.first * run.call.geometry.row_stride;
  std::int64_t stride = run.call.geometry.row_stride;
  if (!few_lines(run)) each_row(run, lanes, exist, fetch);
  if (plan.copied) {
    copy_rows(run, lanes, exist, copy);
    image = copy, stride = plan.columns->size;
  }
  const Spectra part{out.data + rows.first * out.y_stride, out.y_stride, out.x_stride};
  rows_forward(*plan.columns, plan.lanes(), image, lanes.offsets, lanes.shifts, stride, exist.end - exist.first, part);
  for (int x = 0; x < plan.bins(); ++x) {
    std::fill(out.data + x * out.x_stride + exist.end * out.y_stride,
              out.data + x * out.x_stride + rows.end * out.y_stride, 0.0f);
  }
}

// Rows [first, end) of tiles, as tiles of their own.
int rows_of_tiles(const Tile* tiles, int count, int first, int end, Tile* parts) noexcept {
  int left = 0;  // rows that are not all skipped
  for (int t = 0; t < count; ++t) {
    parts[t] = tiles[t];
    parts[t].y += first;
    parts[t].skip_y = std::clamp(tiles[t].skip_y - first, 0, end - first);
    left = std::max(left, end - first - parts[t].skip_y);
  }
  return left;
}

// Responses of L tiles of kernel k, or of L kernels of a tile, from their bins: [x] `x_stride` floats apart.
void finish(const Run& run, const Tiles& block, const Spectra& bins, std::int64_t place, std::int64_t k,
            float* panel) noexcept {
  const FftPlan& plan = run.plan;
  const int lanes = plan.lanes(), rows = static_cast<int>(plan.tile_rows);
  const int columns = static_cast<int>(plan.tile_columns), stored = std::max(columns, lanes);
  std::int32_t offsets[most_fft_lanes] = {};
  for (int l = 0; l < lanes; ++l) offsets[l] = l * stored;
  Panel made{panel, stored, std::ptrdiff_t{lanes} * stored, rows, columns};
  int exist = static_cast<int>(std::min<std::int64_t>(lanes, block.count - place * lanes));  // tiles
  const Tile* tiles = block.tiles + place * lanes;
  if (!plan.over_tiles()) {
    exist = place < block.count ? 1 : 0;
    tiles = block.tiles + place;
    made.kernels = static_cast<int>(std::min<std::int64_t>(lanes, run.call.bank.count - k));
    made.kernel_stride = stored;
  }
  if (exist <= 0) return;
  // A part at a time leaves L2 for the caller's memory, or as scores: a panel of L tiles can be as large as L2.
  const auto finished = static_cast<int>(run.blocks.fft_finished_bytes / sizeof(float));
  const int at_once = std::max(1, finished / (lanes * stored));
  for (int first = 0; first < rows; first += at_once) {
    made.rows = std::min(at_once, rows - first);
    Tile parts[most_fft_lanes];
    if (rows_of_tiles(tiles, exist, first, first + made.rows, parts) == 0) continue;
    const Spectra part{bins.data + first * bins.y_stride, bins.y_stride, bins.x_stride};
    rows_inverse(*plan.columns, lanes, part, panel, offsets, made.row_stride, made.rows, stored);
    if (!scatter(run.call, k, made, parts, exist)) continue;
    for (int l = 0; l < lanes; ++l) {
      for (int y = 0; y < made.rows; ++y) {
        if (!any_not_finite(panel + y * made.row_stride + l * stored, static_cast<std::size_t>(columns))) continue;
        block.redo[plan.over_tiles() ? place * lanes + l : place].store(true, std::memory_order_relaxed);
        break;
      }
    }
  }
}

void redo_tiles(const Run& run, const Tiles& block) noexcept {
  redo_tiles(run.call, block.tiles, block.redo, block.count, static_cast<int>(run.plan.tile_rows),
             static_cast<int>(run.plan.tile_columns));
}

// Products of column x of bins: call.w is its bank.
void multiply_column(const FftPlan& plan, int x, FftProducts& call) noexcept {
  const int lanes = plan.lanes(), rows = plan.rows->size;
  call.bins = plan.multiplied(x);
  multiply(*plan.product, call);
  for (int y = call.bins; y < rows; ++y) {
    const float* from = call.y + (rows - y) * call.y_bin;
    float* to = call.y + y * call.y_bin;
    for (std::ptrdiff_t element = std::ptrdiff_t{call.positions} * call.kernels; element > 0; --element) {
      for (int l = 0; l < lanes; ++l, ++from, ++to) *to = *from;
      for (int l = 0; l < lanes; ++l, ++from, ++to) *to = -*from;
    }
  }
}

// Many channels.

constexpr int runs_per_thread = 8;

struct Many {
  std::int64_t in, out;            // transforms of a column of bins: of the image and of the responses
  std::ptrdiff_t transform, slab;  // floats
  float* slabs;
};

Many many_of(const Run& run) noexcept {
  const FftPlan& plan = run.plan;
  const std::int64_t places = run.block.places;
  Many m{};
  m.in = places * (plan.over_tiles() ? run.call.geometry.channels : run.channel_groups());
  m.out = places * plan.kernels;
  m.transform = std::ptrdiff_t{plan.rows->size} * plan.element();
  m.slab = static_cast<std::ptrdiff_t>(plan.layout.slab);
  m.slabs = run.once() + plan.layout.places;
  return m;
}

// visit(i) for i of [0, count) as the thread gets them: some that follow each other. Threads that took one in
// turn would write beside each other.
template <typename Visit>
void each_run(Run& run, std::int64_t count, const Visit& visit) noexcept {
  const std::int64_t runs = std::min<std::int64_t>(count, std::int64_t{runs_per_thread} * run.plan.tasks);
  for (std::int64_t r = run.next.fetch_add(1); r < runs; r = run.next.fetch_add(1)) {
    const std::int64_t end = part(count, r + 1, runs);
    for (std::int64_t i = part(count, r, runs); i < end; ++i) visit(i);
  }
}

void rows_of_block(void* argument, int thread) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const Many m = many_of(run);
  float* copy = run.copy(thread);
  each_run(run, m.in, [&](std::int64_t i) {
    fetch_later(run, run.block, i + 1, m.in);
    transform_rows(run, run.block, i, all_rows(run), copy, {m.slabs + i * m.transform, run.plan.element(), m.slab});
  });
}

void columns_of_block(void* argument, int thread) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const FftPlan& plan = run.plan;
  const Many m = many_of(run);
  const int lanes = plan.lanes(), element = plan.element();
  float* spectra = run.thread(thread);
  float* products = spectra + plan.layout.spectra;
  FftProducts call{};
  call.x = spectra, call.y = products;
  call.x_bin = (m.in + 1) * element, call.y_bin = (m.out + 1) * element;
  call.w_bin = static_cast<std::ptrdiff_t>(plan.block_floats * plan.kernel_blocks());
  call.channels = static_cast<int>(run.call.geometry.channels);
  call.positions = static_cast<int>(run.block.places), call.kernels = static_cast<int>(plan.kernels);
  const auto slab_floats = static_cast<std::ptrdiff_t>(run.blocks.fft_slab_bytes / sizeof(float));
  const std::int64_t fetched = std::max<std::int64_t>(1, slab_floats / m.transform);
  for (std::int64_t next = run.next.fetch_add(1); next < plan.bins(); next = run.next.fetch_add(1)) {
    const int x = static_cast<int>(next);
    const Spectra slab{m.slabs + x * m.slab, element, m.transform};
    for (std::int64_t first = 0, count; first < m.in; first += count) {
      count = std::min(fetched, m.in - first);
      const Spectra part{slab.data + first * m.transform, element, m.transform};
      fetch(part.data, part.data + count * m.transform);
      columns_forward(*plan.rows, lanes, part, {spectra + first * element, call.x_bin, element},
                      static_cast<int>(count));
    }
    call.w = run.bank + plan.multiplied_before(x) * call.w_bin;
    multiply_column(plan, x, call);
    // In place of what was read: nobody needs it any more.
    columns_inverse(*plan.rows, lanes, {products, call.y_bin, element}, slab, static_cast<int>(m.out));
  }
}

void finish_block(void* argument, int thread) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const FftPlan& plan = run.plan;
  const Many m = many_of(run);
  float* panel = run.thread(thread) + plan.layout.spectra + plan.layout.products;
  each_run(run, m.out, [&](std::int64_t i) {
    // [kernel][place], or [place][group of kernels]
    const std::int64_t place = plan.over_tiles() ? i % run.block.places : i / plan.kernels;
    const std::int64_t k = plan.over_tiles() ? i / run.block.places : i % plan.kernels * plan.lanes();
    if (k < run.call.bank.count) {
      finish(run, run.block, {m.slabs + i * m.transform, plan.element(), m.slab}, place, k, panel);
    }
  });
}

void run_many(Run& run) noexcept {
  const FftPlan& plan = run.plan;
  for (std::int64_t first = 0; first < plan.places(); first += plan.block) {
    const std::int64_t left = plan.whole_places() - first;
    run.block = place_tiles(run, first, std::min(plan.block, left), run.once());
    for (const Task task : {&rows_of_block, &columns_of_block, &finish_block}) {
      run.next = 0;
      run_tasks(run.call.options, plan.tasks, task, &run);
    }
    redo_tiles(run, run.block);
  }
}

// Few channels.

// What a thread works on: L tiles.
struct Few {
  float *slabs, *spectra, *products, *panel, *copy;
  std::ptrdiff_t transform, slab, column;  // floats: a transform, a column of bins of the slabs, and of the spectra
};

Few few_of(const Run& run, int thread) noexcept {
  const FftPlan& plan = run.plan;
  Few f{};
  f.slabs = run.thread(thread) + plan.layout.places;
  f.spectra = f.slabs + plan.layout.slabs;
  f.products = f.spectra + plan.layout.spectra;
  f.panel = f.products + plan.layout.products;
  f.copy = run.copy(thread);
  f.transform = std::ptrdiff_t{plan.rows->size} * plan.element();
  f.slab = static_cast<std::ptrdiff_t>(plan.layout.slab);
  f.column = static_cast<std::ptrdiff_t>(run.call.geometry.channels) * f.transform;
  return f;
}

void rows_of_image(const Run& run, const Tiles& tiles, const Few& f, Rows rows, float* copy) noexcept {
  const std::int64_t channels = run.call.geometry.channels;
  for (std::int64_t c = 0; c < channels; ++c) {
    fetch_later(run, tiles, c + 1, channels);
    transform_rows(run, tiles, c, rows, copy, {f.slabs + c * f.transform, run.plan.element(), f.slab});
  }
}

// Columns [first, end) of bins.
void columns_of_image(const Run& run, const Few& f, int first, int end) noexcept {
  const FftPlan& plan = run.plan;
  const int element = plan.element(), channels = static_cast<int>(run.call.geometry.channels);
  for (int x = first; x < end; ++x) {
    columns_forward(*plan.rows, plan.lanes(), {f.slabs + x * f.slab, element, f.transform},
                    {f.spectra + x * f.column, std::ptrdiff_t{channels} * element, element}, channels);
  }
}

// A block of kernels from the spectra of the image: of one channel a kernel, else as many as products take.
void finish_kernels(const Run& run, const Tiles& tiles, float* image, const Few& f, std::int64_t block) noexcept {
  const FftPlan& plan = run.plan;
  const int element = plan.element(), kernels = plan.product_kernels();
  const std::int64_t k = block * kernels;
  const float* bank = run.bank + block * plan.block_floats * plan.all_multiplied();
  if (plan.fused) {
    const Spectra out{f.slabs, element, f.slab};
    product_columns(*plan.rows, plan.lanes(), {image, element, f.column}, bank, out, plan.bins());
    finish(run, tiles, out, 0, k, f.panel);
    return;
  }
  const int exist = static_cast<int>(std::min<std::int64_t>(kernels, run.call.bank.count - k));
  FftProducts call{};
  call.y = f.products, call.w = bank;
  call.channels = static_cast<int>(run.call.geometry.channels);
  call.positions = 1, call.kernels = kernels;
  call.x_bin = std::ptrdiff_t{call.channels} * element, call.y_bin = std::ptrdiff_t{kernels} * element;
  call.w_bin = static_cast<std::ptrdiff_t>(plan.block_floats);
  for (int x = 0; x < plan.bins(); ++x, call.w += call.w_bin * call.bins) {
    call.x = image + x * f.column;
    multiply_column(plan, x, call);
    columns_inverse(*plan.rows, plan.lanes(), {f.products, call.y_bin, element},
                    {f.slabs + x * f.slab, element, f.transform}, exist);
  }
  for (int i = 0; i < exist; ++i) {
    finish(run, tiles, {f.slabs + i * f.transform, element, f.slab}, 0, k + i, f.panel);
  }
}

// Each thread with places of its own.
void run_places(void* argument, int thread) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const FftPlan& plan = run.plan;
  const Few f = few_of(run, thread);
  const std::int64_t own = plan.places() - plan.shared_places;
  for (std::int64_t place = run.next.fetch_add(1); place < own; place = run.next.fetch_add(1)) {
    const Tiles tiles = place_tiles(run, place, 1, run.thread(thread));
    rows_of_image(run, tiles, f, all_rows(run), f.copy);
    columns_of_image(run, f, 0, plan.bins());
    for (std::int64_t block = 0; block < plan.kernel_blocks(); ++block) {
      finish_kernels(run, tiles, f.spectra, f, block);
    }
    redo_tiles(run, tiles);
  }
}

// Places that threads share: the spectra of each are in the memory of a thread.
Tiles shared_tiles(const Run& run, int slot) noexcept {
  return tiles_in(run, run.plan.places() - run.plan.shared_places + slot, 1, run.thread(slot));
}

// visit(slot, piece) for all pieces of all shared places, as the thread gets them.
template <typename Visit>
void each_piece(Run& run, std::int64_t pieces, const Visit& visit) noexcept {
  const std::int64_t count = run.plan.shared_places * pieces;
  for (std::int64_t i = run.next.fetch_add(1); i < count; i = run.next.fetch_add(1)) {
    visit(static_cast<int>(i / pieces), i % pieces);
  }
}

void rows_of_shared(void* argument, int thread) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const int tasks = run.plan.tasks, rows = run.plan.rows->size;
  each_piece(run, tasks, [&](int slot, std::int64_t piece) {
    const Rows some{static_cast<int>(part(rows, piece, tasks)), static_cast<int>(part(rows, piece + 1, tasks))};
    rows_of_image(run, shared_tiles(run, slot), few_of(run, slot), some, run.copy(thread));
  });
}

void columns_of_shared(void* argument, int /*thread*/) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const int tasks = run.plan.tasks, bins = run.plan.bins();
  each_piece(run, tasks, [&](int slot, std::int64_t piece) {
    columns_of_image(run, few_of(run, slot), static_cast<int>(part(bins, piece, tasks)),
                     static_cast<int>(part(bins, piece + 1, tasks)));
  });
}

void finish_shared(void* argument, int thread) noexcept {
  Run& run = *static_cast<Run*>(argument);
  const Few f = few_of(run, thread);
  each_piece(run, run.plan.kernel_blocks(), [&](int slot, std::int64_t block) {
    finish_kernels(run, shared_tiles(run, slot), few_of(run, slot).spectra, f, block);
  });
}

void run_few(Run& run) noexcept {
  const FftPlan& plan = run.plan;
  const int shared = static_cast<int>(plan.shared_places);
  if (shared < plan.places()) run_tasks(run.call.options, plan.tasks, run_places, &run);
  if (shared == 0) return;
  for (int slot = 0; slot < shared; ++slot) {
    place_tiles(run, plan.places() - shared + slot, 1, run.thread(slot));
  }
  for (const Task task : {&rows_of_shared, &columns_of_shared, &finish_shared}) {
    run.next = 0;
    run_tasks(run.call.options, plan.tasks, task, &run);
  }
  for (int slot = 0; slot < shared; ++slot) redo_tiles(run, shared_tiles(run, slot));
}

}  // namespace

void run_fft(const Call& call, const FftPlan& plan) noexcept {
  Run run{call, plan, fft_bank(call.bank, plan)};
  if (plan.many) {
    run_many(run);
  } else {
    run_few(run);
  }
}

}  // namespace corrbank::detail
