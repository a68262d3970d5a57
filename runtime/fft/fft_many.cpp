// The order for many channels (fft.h).
#include <algorithm>

#include "fft_tiles.h"
#include "threads.h"

namespace corrbank::detail {
namespace {

constexpr int runs_per_thread = 8;

struct Many {
  std::int64_t in, out;            // transforms of a column of bins: of the image and of the responses
  std::ptrdiff_t transform, slab;  // floats
  float* slabs;
};

Many many_of(const FftRun& run) noexcept {
  const FftPlan& plan = run.plan;
  const std::int64_t places = run.block.places;
  Many m{};
  m.in = places * plan.image_transforms(run.call.geometry.channels);
  m.out = places * plan.kernels;
  m.transform = std::ptrdiff_t{plan.rows->size} * plan.element();
  m.slab = static_cast<std::ptrdiff_t>(plan.layout.slab);
  m.slabs = run.once() + plan.layout.places;
  return m;
}

// visit(i) for i of [0, count) as the thread gets them: some that follow each other. Threads that took one in
// turn would write beside each other.
template <typename Visit>
void each_run(FftRun& run, std::int64_t count, const Visit& visit) noexcept {
  const std::int64_t runs = std::min<std::int64_t>(count, std::int64_t{runs_per_thread} * run.plan.tasks);
  for (std::int64_t r = run.next.fetch_add(1); r < runs; r = run.next.fetch_add(1)) {
    const std::int64_t end = part(count, r + 1, runs);
    for (std::int64_t i = part(count, r, runs); i < end; ++i) visit(i);
  }
}

void rows_of_block(void* argument, int thread) noexcept {
  FftRun& run = *static_cast<FftRun*>(argument);
  const Many m = many_of(run);
  float* copy = run.copy(thread);
  each_run(run, m.in, [&](std::int64_t i) {
    fetch_later(run, run.block, i + 1, m.in);
    transform_rows(run, run.block, i, all_rows(run), copy, {m.slabs + i * m.transform, run.plan.element(), m.slab});
  });
}

void columns_of_block(void* argument, int thread) noexcept {
  FftRun& run = *static_cast<FftRun*>(argument);
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
  FftRun& run = *static_cast<FftRun*>(argument);
  const FftPlan& plan = run.plan;
  const Many m = many_of(run);
  float* panel = run.thread(thread) + plan.layout.spectra + plan.layout.products;
  each_run(run, m.out, [&](std::int64_t i) {
    // [kernel][place], or [place][group of kernels]
    const std::int64_t place = plan.over_tiles() ? i % run.block.places : i / plan.kernels;
    const std::int64_t k = plan.over_tiles() ? i / run.block.places : i % plan.kernels * plan.lanes();
    if (k < run.call.bank.count) {
      finish_tiles(run, run.block, {m.slabs + i * m.transform, plan.element(), m.slab}, place, k, panel);
    }
  });
}

}  // namespace

void run_fft_many(FftRun& run) noexcept {
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

}  // namespace corrbank::detail
