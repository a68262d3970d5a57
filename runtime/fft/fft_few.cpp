// The order for few channels (fft.h).
#include <algorithm>

#include "fft_tiles.h"
#include "threads.h"

namespace corrbank::detail {
namespace {

// What a thread works on: L tiles.
struct Few {
  float *slabs, *spectra, *products, *panel, *copy;
  std::ptrdiff_t transform, slab, column;  // floats: a transform, a column of bins of the slabs, and of the spectra
};

Few few_of(const FftRun& run, int thread) noexcept {
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

void rows_of_image(const FftRun& run, const FftTiles& tiles, const Few& f, RowRange rows, float* copy) noexcept {
  const std::int64_t channels = run.call.geometry.channels;
  for (std::int64_t c = 0; c < channels; ++c) {
    fetch_later(run, tiles, c + 1, channels);
    transform_rows(run, tiles, c, rows, copy, {f.slabs + c * f.transform, run.plan.element(), f.slab});
  }
}

// Columns [first, end) of bins.
void columns_of_image(const FftRun& run, const Few& f, int first, int end) noexcept {
  const FftPlan& plan = run.plan;
  const int element = plan.element(), channels = static_cast<int>(run.call.geometry.channels);
  for (int x = first; x < end; ++x) {
    columns_forward(*plan.rows, plan.lanes(), {f.slabs + x * f.slab, element, f.transform},
                    {f.spectra + x * f.column, std::ptrdiff_t{channels} * element, element}, channels);
  }
}

// A block of kernels from the spectra of the image: of one channel a kernel, else as many as products take.
void finish_kernels(const FftRun& run, const FftTiles& tiles, float* image, const Few& f, std::int64_t block) noexcept {
  const FftPlan& plan = run.plan;
  const int element = plan.element(), kernels = plan.product_kernels();
  const std::int64_t k = block * kernels;
  const float* bank = run.bank + block * plan.block_floats * plan.all_multiplied();
  if (plan.fused) {
    const Spectra out{f.slabs, element, f.slab};
    product_columns(*plan.rows, plan.lanes(), {image, element, f.column}, bank, out, plan.bins());
    finish_tiles(run, tiles, out, 0, k, f.panel);
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
    finish_tiles(run, tiles, {f.slabs + i * f.transform, element, f.slab}, 0, k + i, f.panel);
  }
}

// Each thread with places of its own.
void run_places(void* argument, int thread) noexcept {
  FftRun& run = *static_cast<FftRun*>(argument);
  const FftPlan& plan = run.plan;
  const Few f = few_of(run, thread);
  const std::int64_t own = plan.places() - plan.shared_places;
  for (std::int64_t place = run.next.fetch_add(1); place < own; place = run.next.fetch_add(1)) {
    const FftTiles tiles = place_tiles(run, place, 1, run.thread(thread));
    rows_of_image(run, tiles, f, all_rows(run), f.copy);
    columns_of_image(run, f, 0, plan.bins());
    for (std::int64_t block = 0; block < plan.kernel_blocks(); ++block) {
      finish_kernels(run, tiles, f.spectra, f, block);
    }
    redo_tiles(run, tiles);
  }
}

// Places that threads share: the spectra of each are in the memory of a thread.
FftTiles shared_tiles(const FftRun& run, int slot) noexcept {
  return tiles_in(run, run.plan.places() - run.plan.shared_places + slot, 1, run.thread(slot));
}

// visit(slot, piece) for all pieces of all shared places, as the thread gets them.
template <typename Visit>
void each_piece(FftRun& run, std::int64_t pieces, const Visit& visit) noexcept {
  const std::int64_t count = run.plan.shared_places * pieces;
  for (std::int64_t i = run.next.fetch_add(1); i < count; i = run.next.fetch_add(1)) {
    visit(static_cast<int>(i / pieces), i % pieces);
  }
}

void rows_of_shared(void* argument, int thread) noexcept {
  FftRun& run = *static_cast<FftRun*>(argument);
  const int tasks = run.plan.tasks, rows = run.plan.rows->size;
  each_piece(run, tasks, [&](int slot, std::int64_t piece) {
    const RowRange some{static_cast<int>(part(rows, piece, tasks)), static_cast<int>(part(rows, piece + 1, tasks))};
    rows_of_image(run, shared_tiles(run, slot), few_of(run, slot), some, run.copy(thread));
  });
}

void columns_of_shared(void* argument, int /*thread*/) noexcept {
  FftRun& run = *static_cast<FftRun*>(argument);
  const int tasks = run.plan.tasks, bins = run.plan.bins();
  each_piece(run, tasks, [&](int slot, std::int64_t piece) {
    columns_of_image(run, few_of(run, slot), static_cast<int>(part(bins, piece, tasks)),
                     static_cast<int>(part(bins, piece + 1, tasks)));
  });
}

void finish_shared(void* argument, int thread) noexcept {
  FftRun& run = *static_cast<FftRun*>(argument);
  const Few f = few_of(run, thread);
  each_piece(run, run.plan.kernel_blocks(), [&](int slot, std::int64_t block) {
    finish_kernels(run, shared_tiles(run, slot), few_of(run, slot).spectra, f, block);
  });
}

}  // namespace

void run_fft_few(FftRun& run) noexcept {
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

}  // namespace corrbank::detail
