// Chooses tiles, lanes and order for the FFT by predicted cost, within a workspace.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "costs.h"
#include "fft.h"
#include "scatter.h"  // Tile

namespace corrbank::detail {
namespace {

constexpr std::size_t default_workspace = std::size_t{32} << 20;
// Above this, a form may be as large as many times the kernels themselves.
constexpr double large_form = 128 << 20, most_times_the_kernels = 16;
constexpr std::int64_t few_channels = 8;
// Nanoseconds (2026-11-28, AMD EPYC "Zen 4"):
constexpr double kernel_call = 45, row_written = 3.3;
constexpr double shared_overhead = 10e3;  // threads that wait for each other three times

std::size_t line_floats(std::size_t bytes) noexcept { return whole_lines(bytes) / sizeof(float); }

// Divides the workspace for plan.block and plan.tasks.
void lay_out(FftPlan& plan, const Geometry& g) noexcept {
  FftLayout& l = plan.layout;
  const auto rows = static_cast<std::size_t>(plan.rows->size), bins = static_cast<std::size_t>(plan.bins());
  const auto lanes = static_cast<std::size_t>(plan.lanes()), element = 2 * lanes;
  const auto block = static_cast<std::size_t>(plan.block);
  const auto kernels = static_cast<std::size_t>(plan.many ? plan.kernels : plan.product_kernels());
  const std::size_t in = block * static_cast<std::size_t>(plan.image_transforms(g.channels));
  const std::size_t out = block * kernels;
  l.places = line_floats(block * (plan.over_tiles() ? lanes : 1) * (sizeof(Tile) + sizeof(RedoFlag)));
  // An element more than is needed keeps what is written side by side out of the same sets of the caches.
  l.slab = (std::max(in, out) * rows + 1) * element;
  l.slabs = bins * l.slab;
  l.spectra = plan.many ? (in + 1) * rows * element : bins * in * rows * element;
  l.products = (out + 1) * rows * element;
  l.panel = line_floats(static_cast<std::size_t>(plan.tile_rows) * lanes *
                        std::max(static_cast<std::size_t>(plan.tile_columns), lanes) * sizeof(float));
  const std::size_t own = l.places + l.slabs;
  l.copy = plan.copied ? lanes * rows * static_cast<std::size_t>(plan.columns->size) : 0;
  l.per_thread = l.spectra + l.products + l.panel + l.copy + (plan.many ? 0 : own);
  l.once = plan.many ? own : 0;
  plan.workspace_bytes = (l.once + static_cast<std::size_t>(plan.tasks) * l.per_thread) * sizeof(float);
}

// The part of so many bytes that a cache does not hold: none up to `from`, all of them from `to` on.
double missed(double bytes, double from, double to) noexcept {
  return std::clamp((bytes - from) / (to - from), 0.0, 1.0);
}

// What small calls are made of: calls of passes and products, and rows of tiles that are written.
double beside_the_work(const FftPlan& plan, const Geometry& g, std::int64_t kernels) noexcept {
  const auto places = static_cast<double>(plan.places()), bins = static_cast<double>(plan.bins());
  const auto count = static_cast<double>(kernels), blocks = static_cast<double>(plan.kernel_blocks());
  double calls = 0;
  if (plan.fused) {
    calls = places * (1 + bins + 2 * count);
  } else if (!plan.many) {
    calls = places * (bins * (1 + 2 * blocks) + count);
  } else {
    calls = places * static_cast<double>(plan.image_transforms(g.channels) + plan.kernels) +
            static_cast<double>(quotient_up(plan.places(), plan.block)) * 3 * bins;
  }
  // Of kernels in lanes, eight are written side by side.
  const std::int64_t runs = plan.over_tiles() ? quotient_up(plan.grid_columns, plan.lanes()) : 0;
  const auto rows = static_cast<double>(plan.grid_rows * plan.tile_rows * runs) * count;
  return calls * kernel_call + rows * row_written;
}

// What is transformed, by as many rows or columns as there are lanes.
struct Transforms {
  double places, bins, image_rows;  // of them rows of a tile that lie in the image
  double in, out;                   // tiles of the image, and of responses

  Transforms(const FftPlan& plan, const Geometry& g, const PackedBank& bank) noexcept
      : places(static_cast<double>(plan.whole_places())), bins(plan.bins()),
        image_rows(static_cast<double>(std::min<std::int64_t>(plan.rows->size, g.image_height()))),
        in(places * static_cast<double>(plan.image_transforms(g.channels))),
        out(places * static_cast<double>(plan.many ? plan.kernels : bank.count)) {}
};

double predict_passes(const FftPlan& plan, const Transforms& t, const FftCosts& cost) noexcept {
  const int rows = plan.rows->size, columns = plan.columns->size;
  const double copied = plan.copied ? t.image_rows * columns : 0;
  return t.in * (t.image_rows * cost.rows_forward.of(columns) + t.bins * cost.columns_forward.of(rows)) +
         t.in * ((rows - t.image_rows) * t.bins + copied) * cost.filled +
         t.out * (t.bins * cost.columns_inverse.of(rows) +
                  static_cast<double>(plan.tile_rows) * cost.rows_inverse.of(columns));
}

double predict_products(const FftPlan& plan, const Transforms& t, const Geometry& g, const FftCosts& cost) noexcept {
  // With kernels in lanes, products go over whole lane groups of channels.
  const auto summed = static_cast<double>(plan.over_tiles() ? g.channels : round_up(g.channels, plan.lanes()));
  const double sums = static_cast<double>(plan.all_multiplied() * plan.kernels) * t.places;
  const double products = sums * summed * cost.product.of(plan.product->number);
  // The form is read once a block, for the most part beside the multiplications.
  const auto form = static_cast<double>(plan.form_bytes);
  const double blocks = plan.many ? static_cast<double>(quotient_up(plan.places(), plan.block)) : 1;
  const double read = form * blocks * cost.uncached_byte * missed(form, cost.cached_bytes, 2 * cost.cached_bytes);
  return std::max(products, read) + std::min(products, read) / 4 + (plan.fused ? 0 : sums * cost.product_sum);
}

// What waits for bytes that the caches do not hold.
double predict_memory(const FftPlan& plan, const Transforms& t, const Geometry& g, const PackedBank& bank,
                      const FftCosts& cost) noexcept {
  const double image = g.image_bytes(), responses = g.response_bytes(bank.count);
  // Tiles side by side are read along the rows of one plane, channels in lanes from as many planes at once.
  const double read = t.in * t.image_rows * plan.columns->size * plan.lanes() * sizeof(float);
  const double waited = plan.over_tiles() ? 1 : 4;
  const double beyond = (waited * read + responses) * cost.uncached_byte *
                        missed(image + responses, cost.cached_bytes, 2 * cost.cached_bytes);
  const double slabs = static_cast<double>(plan.layout.slabs) * sizeof(float);
  if (plan.many) {
    // There and back. What L3 holds is fetched ahead of the passes.
    const double moved = 2 * (t.in + t.out) * plan.rows->size * t.bins * plan.element() * sizeof(float);
    const double far = missed(slabs, 2 * cost.l2_bytes, 12 * cost.l2_bytes);
    return beyond + moved * far * cost.slab_byte;
  }
  const double far =
      missed(slabs + static_cast<double>(plan.layout.spectra) * sizeof(float), cost.l2_bytes, 5 * cost.l2_bytes);
  return beyond + 2 * slabs * t.out / plan.product_kernels() * far * cost.uncached_byte;
}

// Predicted nanoseconds of one thread.
double predict(const FftPlan& plan, const Geometry& g, const PackedBank& bank, const Limits& limits) noexcept {
  const FftCosts& cost = costs(*bank.target).fft;
  const Transforms transforms(plan, g, bank);
  const double ns = predict_passes(plan, transforms, cost) + predict_products(plan, transforms, g, cost) +
                    predict_memory(plan, transforms, g, bank, cost) +
                    static_cast<double>(bank.count * g.height * g.width) * cost.scatter +
                    static_cast<double>(plan.form_bytes) * cost.form_byte * limits.preparation + cost.call;
  return ns * cost.scale + beside_the_work(plan, g, bank.count);
}

// Which places threads of the order for few channels share: those that would leave some without one, if it pays.
void share_places(FftPlan& plan, double nanoseconds) noexcept {
  const std::int64_t rest = plan.places() % plan.tasks;
  const double idle = nanoseconds / static_cast<double>(plan.places()) * static_cast<double>(plan.tasks - rest);
  if (rest > 0 && idle / plan.tasks > shared_overhead) {
    plan.shared_places = rest;
  } else {
    plan.tasks = static_cast<int>(std::min<std::int64_t>(plan.tasks, plan.places()));
  }
}

// Completes a plan whose target, transforms, product and order are set. Null, or why it is none.
const char* complete(FftPlan& plan, const Geometry& g, const PackedBank& bank, const Limits& limits) noexcept {
  const std::int64_t lanes = plan.lanes();
  plan.tile_rows = std::min(plan.rows->size - g.kernel_height + 1, g.height);
  plan.tile_columns = std::min(plan.columns->size - g.kernel_width + 1, g.width);
  plan.grid_rows = quotient_up(g.height, plan.tile_rows);
  plan.grid_columns = quotient_up(g.width, plan.tile_columns);
  plan.copied = g.image_width() < plan.columns->size;
  const std::int64_t groups = plan.over_tiles() ? bank.count : quotient_up(bank.count, lanes);
  plan.kernels = round_up(groups, plan.product_kernels());
  if (plan.fused) {
    plan.block_floats = 2;
  } else if (plan.over_tiles()) {
    plan.block_floats = 3 * plan.product->kernels * g.channels;
  } else {
    plan.block_floats = 2 * plan.product->kernels * lanes * round_up(g.channels, lanes);
  }

  const double form = static_cast<double>(plan.block_floats) * static_cast<double>(plan.kernel_blocks()) *
                      static_cast<double>(plan.all_multiplied()) * 4;
  const double own = static_cast<double>(bank.count) * static_cast<double>(bank.taps()) * 4;
  if (form > std::max(large_form, most_times_the_kernels * own))
    return "the spectra of the kernels would take too much memory";
  plan.form_bytes = static_cast<std::size_t>(form);
  plan.form = {FormKey::fft,
               {static_cast<std::int16_t>(plan.rows->size), static_cast<std::int16_t>(plan.columns->size),
                static_cast<std::int16_t>(plan.product_kernels()), static_cast<std::int16_t>(plan.over_tiles()),
                static_cast<std::int16_t>(plan.many), static_cast<std::int16_t>(plan.fused)}};

  const bool limited = limits.workspace != SIZE_MAX;
  const std::size_t limit = limited ? limits.workspace : default_workspace;
  const std::int64_t places = plan.whole_places();
  const auto equal_blocks = [&](std::int64_t blocks) {
    return round_up(quotient_up(places, blocks), plan.product->positions);
  };
  // One block of the least size has to fit, and one thread; more of both as far as the limit allows.
  plan.block = plan.many ? plan.product->positions : 1;
  plan.tasks = 1;
  lay_out(plan, g);
  if (plan.workspace_bytes > limit) return "its workspace would be larger than the limit";
  const auto groups_at_once = static_cast<std::int64_t>(costs(*bank.target).blocks.fft_places);
  const std::int64_t most = plan.over_tiles() ? groups_at_once : groups_at_once * lanes;
  for (std::int64_t block = plan.block; plan.many; block += plan.product->positions) {
    FftPlan larger = plan;
    larger.block = std::min(block, places);
    lay_out(larger, g);
    if (larger.workspace_bytes > limit || block > most) break;
    plan = larger;
    if (block >= places) break;
  }
  if (plan.many) {
    // Blocks of equal size: the last would otherwise be small, and stream all spectra of the bank for it.
    plan.block = equal_blocks(quotient_up(places, plan.block));
  }
  const double nanoseconds = predict(plan, g, bank, limits);  // of one thread, whatever their number
  const std::int64_t pieces = plan.many ? plan.bins() : plan.places() * plan.kernel_blocks();
  // Smaller blocks where that lets more threads in, and pays for streaming the form more often. The block has no part in
  // what is computed, nor in the choice of this variant.
  double least = -1;
  FftPlan best = plan;
  for (std::int64_t blocks = plan.many ? quotient_up(places, plan.block) : 1, tried = 0; tried < 4; ++blocks, ++tried) {
    FftPlan made = plan;
    if (plan.many) made.block = equal_blocks(blocks);
    lay_out(made, g);
    const auto fit = static_cast<std::int64_t>((limit / sizeof(float) - made.layout.once) / made.layout.per_thread);
    made.tasks = static_cast<int>(std::min({std::int64_t{limits.threads}, pieces, fit}));
    if (!plan.many) share_places(made, nanoseconds);
    lay_out(made, g);
    const double time = predict(made, g, bank, limits) / made.tasks;
    if (least < 0 || time < least) best = made, least = time;
    if (!plan.many || made.tasks == limits.threads) break;
  }
  plan = best;
  plan.nanoseconds = nanoseconds;
  return nullptr;
}

bool of_target(const char* name, const PackedBank& bank) noexcept { return std::strcmp(name, bank.target->name) == 0; }

void describe(FftPlan& plan) noexcept {
  std::snprintf(plan.text, sizeof plan.text, "%dx%d tiles, %lld in all, %lld of them at a time, lanes over %s",
                plan.rows->size, plan.columns->size, static_cast<long long>(plan.tiles()),
                static_cast<long long>(plan.block * (plan.over_tiles() ? plan.lanes() : 1)),
                plan.over_tiles() ? "tiles" : "kernels");
}

}  // namespace

bool worth_planning(const FftRows& r, const Geometry& g) noexcept {
  const bool over_tiles = r.product.over == FftLanes::tiles;
  if (!r.many) return over_tiles && r.product.positions == 1 && g.channels <= few_channels;
  const bool small = r.rows.size * r.columns.size <= 64 * 64;  // larger ones: for large kernels only
  const bool large = g.kernel_height * g.kernel_width > 16 * 16;
  const bool block = r.product.kernels > 2 || !over_tiles;
  return block && (small || large) && (g.channels > 2 || !over_tiles);
}

const char* plan_fft_rows(const FftRows& r, const Geometry& g, const PackedBank& bank, const Limits& limits,
                          FftPlan& plan) noexcept {
  for (const FftTarget& target : all_fft_targets()) {
    if (of_target(target.name, bank)) plan.target = &target;
  }
  if (plan.target == nullptr) return "the target has no transforms";
  plan.rows = &r.rows, plan.columns = &r.columns, plan.product = &r.product, plan.many = r.many;
  plan.fused = !r.many && g.channels == 1;
  return complete(plan, g, bank, limits);
}

const char* plan_fft(const Geometry& g, const PackedBank& bank, const Limits& limits, FftPlan& plan) noexcept {
  const char* reason = "the target has no transforms";
  for (const FftSize& size : all_fft_sizes()) {
    if (of_target(size.target, bank)) reason = "kernels have more than 256 rows or columns";
  }
  std::size_t least = 0;
  plan.nanoseconds = -1;
  const auto consider = [&](const FftRows& rows) {
    if (!worth_planning(rows, g)) return;
    FftPlan made{};
    if (const char* refused = plan_fft_rows(rows, g, bank, limits, made)) {
      if (plan.nanoseconds < 0) reason = refused;
      if (made.workspace_bytes > 0 && (least == 0 || made.workspace_bytes < least)) least = made.workspace_bytes;
    } else if (plan.nanoseconds < 0 || made.nanoseconds < plan.nanoseconds) {
      plan = made;
    }
  };
  // A side that takes the whole image needs no larger one.
  const auto fits = [](const FftSize& size, std::int64_t kernel) { return size.size >= kernel; };
  const auto covers = [](const FftSize& size, std::int64_t image) { return size.size >= image; };
  for (const FftSize& rows : all_fft_sizes()) {
    if (!of_target(rows.target, bank) || !fits(rows, g.kernel_height)) continue;
    for (const FftSize& columns : all_fft_sizes()) {
      if (!of_target(columns.target, bank) || !fits(columns, g.kernel_width)) continue;
      for (const FftProduct& product : all_fft_products()) {
        if (!of_target(product.target, bank)) continue;
        consider({rows, columns, product, false});
        consider({rows, columns, product, true});
      }
      if (covers(columns, g.image_width())) break;
    }
    if (covers(rows, g.image_height())) break;
  }
  if (plan.nanoseconds < 0) {
    plan.nanoseconds = 0;
    plan.workspace_bytes = least;
    return reason;
  }
  describe(plan);
  return nullptr;
}

}  // namespace corrbank::detail
