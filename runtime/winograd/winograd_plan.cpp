#include <algorithm>
#include <cstdio>
#include <cstring>

#include "costs.h"
#include "scatter.h"  // Tile
#include "winograd.h"

namespace corrbank::detail {
namespace {

constexpr std::size_t thread_bytes = 3 << 19;  // a thread's share of the workspace at most (options.hpp)
constexpr int max_block_tiles = 512;
constexpr std::int64_t max_channels = thread_bytes / sizeof(float);  // above it none fits, and numbers could overflow
constexpr double last_level_ramp = 8 << 20;  // from where on the last level of caches misses to where it holds nothing
// Most of F(6x6, 3x3)'s error is what long sums lose, so they are parted: with sums of 128 products it is 1.4e-5 of the largest
// response for 128 channels and 1.0e-5 to 1.3e-5 for 160 to 1024 (random data, 2026-11-25), and the bound is 2e-5; one sum of
// 256 products errs by 1.9e-5.
constexpr std::int64_t max_channels_at_once = 128;
// Of a few channels each matters more than their mean: F(6x6, 3x3) of 1 errs by 9e-6 of the norms of kernel and window, of 8
// by 2.8e-6, and that bound is 4e-6. F(4x4, 3x3) errs by a sixth of it.
constexpr std::int64_t min_channels_6x6 = 8;

constexpr char no_transform[] = "";  // plan_winograd() puts it into words
constexpr char too_small[] = "the responses are smaller than a tile";
constexpr char too_inexact[] = "its error would be over the bound";
constexpr char over_limit[] = "its workspace is over the limit";
constexpr char too_many_channels[] = "too many channels for its workspace";

constexpr char too_many_kernels[] = "too many kernels for the address space";

struct Candidate {
  const WinogradTransform& transform;
  const WinogradProduct& product;
  WinogradGrid grid;
  std::int64_t tiles;  // the first ones of the grid
  std::int64_t panels;
  const Blocks& blocks;
};

std::int64_t channels_at_once(std::int64_t channels) noexcept {
  return quotient_up(channels, quotient_up(channels, max_channels_at_once));
}

// Of one kernel of a block, or one tile where lanes run over kernels.
std::size_t finished_bytes_each(const Candidate& c, int tiles) noexcept {
  const int f = c.product.lanes_over == LanesOver::tiles ? tiles : c.product.panel_kernels();
  return static_cast<std::size_t>(f * c.transform.rows * c.transform.columns) * sizeof(float);
}

int finished_at_once(const Candidate& c, int tiles) noexcept {
  const int most = c.product.lanes_over == LanesOver::tiles ? c.product.panel_kernels() : tiles;
  const auto finished = static_cast<std::size_t>(c.blocks.winograd_finished_bytes);
  return std::clamp(static_cast<int>(finished / finished_bytes_each(c, tiles)), 1, most);
}

WinogradLayout layout_of(const Candidate& c, std::int64_t channels, int tiles) noexcept {
  WinogradLayout l{};
  l.lanes = static_cast<int>(round_up(channels * tiles, c.product.lanes));
  const auto ahead = static_cast<std::int64_t>(c.blocks.winograd_channels_ahead);
  l.ahead = static_cast<int>(std::min(ahead, channels)) * tiles;
  // Places apart by a multiple of 4 KiB would share a few lines of L1.
  l.pitch = static_cast<int>(whole_lines(static_cast<std::size_t>(l.lanes) * sizeof(float)) / sizeof(float) +
                             workspace_line / sizeof(float));
  const auto lanes = static_cast<std::size_t>(l.lanes), count = static_cast<std::size_t>(tiles);
  const auto sums = static_cast<std::size_t>(products_pitch(std::int64_t{tiles} * c.product.panel_kernels()));
  l.shifts = whole_lines(lanes * sizeof(float));
  l.places = whole_lines(count * (sizeof(Tile) + 1));
  l.offsets = whole_lines((lanes + static_cast<std::size_t>(l.ahead)) * sizeof(std::int32_t));
  l.tiles =
      whole_lines(static_cast<std::size_t>(l.pitch) * static_cast<std::size_t>(c.transform.places()) * sizeof(float));
  l.products = whole_lines(sums * static_cast<std::size_t>(c.transform.places()) * sizeof(float));
  l.responses = whole_lines(static_cast<std::size_t>(finished_at_once(c, tiles)) * finished_bytes_each(c, tiles));
  return l;
}

// One thread's.
std::size_t least_bytes(const WinogradLayout& l) noexcept { return l.shifts + l.thread() + l.block(); }

// Tiles of a block: as many as the caches like, and not more than there are; 0: not even the fewest fit.
int block_tiles(const Candidate& c, std::int64_t channels, std::size_t limit, std::size_t& fewest) noexcept {
  const int unit = c.product.tile_unit();
  fewest = least_bytes(layout_of(c, channels, unit));
  if (fewest > limit) return 0;
  const std::int64_t all = quotient_up(c.tiles, unit);
  const auto enough = static_cast<std::size_t>(c.blocks.winograd_tiles_bytes);
  std::int64_t units = 1;
  while (units < all && (units + 1) * unit <= max_block_tiles) {
    const WinogradLayout next = layout_of(c, channels, static_cast<int>(units + 1) * unit);
    if (next.tiles > enough || least_bytes(next) > limit) break;
    ++units;
  }
  // As many blocks, but of the same size.
  const std::int64_t blocks = quotient_up(all, units);
  return static_cast<int>(quotient_up(all, blocks)) * unit;
}

double input_cost(const WinogradCosts& costs, const WinogradTransform& t) noexcept {
  if (t.kernel_rows == 1) return costs.input_1x8;
  if (t.kernel_columns == 1) return costs.input_8x8_rows;
  return t.tile_rows() == 8 ? costs.input_8x8 : (t.tile_rows() == 6 ? costs.input_6x6 : costs.input_4x4);
}

double cost(const Candidate& c, const Geometry& g, std::int64_t kernels, int tiles,
            const WinogradCosts& costs) noexcept {
  const WinogradProduct& p = c.product;
  const auto blocks = static_cast<double>(quotient_up(c.tiles, tiles));
  const auto panels = static_cast<double>(c.panels), channels = static_cast<double>(g.channels);
  const double places = c.transform.places(), block = tiles;
  const double input = places * channels * block / p.lanes * input_cost(costs, c.transform);
  const double sums = block / p.tile_unit() * places;  // tiles of sums of a panel
  const double vectors = p.positions * p.kernels;
  const auto parts = static_cast<double>(quotient_up(g.channels, max_channels_at_once));
  const double multiplied =
      sums * (channels * (vectors * costs.product.of(p.number) + costs.step) + parts * vectors * costs.sum);
  const double image = g.image_bytes(), responses = g.response_bytes(kernels);
  // Each block reads a panel from behind L2, and few tiles are multiplied sooner than that; what the last level of caches
  // does not hold is waited for besides.
  const double panel = static_cast<double>(std::int64_t{c.transform.bank_rows()} * c.transform.bank_columns()) *
                       channels * p.panel_kernels() * sizeof(float);
  const double bank = panels * panel, over = bank + image + responses - costs.last_level_bytes;
  const double far = bank < costs.last_level_bytes / 2 ? 0 : std::clamp(over / last_level_ramp, 0.0, 1.0);
  const double read = bank < costs.l2_bytes ? 0 : panel * costs.bank_byte;
  const double products = std::max(multiplied, read) + far * panel * costs.uncached_byte / 2;
  const double size = c.transform.rows * c.transform.columns;
  const double output = size * block * p.panel_kernels() / p.lanes * costs.output + costs.panel;
  const auto rows = static_cast<double>(kernels) * static_cast<double>(c.tiles) * c.transform.rows;
  const double scatter = p.lanes_over == LanesOver::tiles ? costs.scatter_tiles : costs.scatter_kernels;
  const double memory = std::max(0.0, image + responses - costs.cached_bytes) * costs.uncached_byte;
  return costs.scale * (costs.call + blocks * (input + panels * (products + output)) + rows * scatter + memory);
}

bool within_bounds(const WinogradTransform& t, std::int64_t channels) noexcept {
  return t.rows < 6 || t.columns != 6 || channels >= min_channels_6x6;
}

void describe(WinogradPlan& plan) noexcept {
  const WinogradTransform& t = *plan.transform;
  const bool over_tiles = plan.product->lanes_over == LanesOver::tiles;
  const int length = std::snprintf(plan.text, sizeof plan.text,
                                   "F(%dx%d, %dx%d), blocks of %d tiles, %d kernels at a time in lanes of %s", t.rows,
                                   t.columns, t.kernel_rows, t.kernel_columns, plan.block_tiles,
                                   plan.product->panel_kernels(), over_tiles ? "tiles" : "kernels");
  if (plan.rest.tiles > 0) {
    std::snprintf(plan.text + length, sizeof plan.text - static_cast<std::size_t>(length), ", %lld by direct",
                  static_cast<long long>(plan.rest.tiles));
  }
}

// Which parts of the work threads take, and what that needs.
void divide(WinogradPlan& plan, const Limits& limits) noexcept {
  const WinogradLayout& l = plan.layout;
  const std::size_t budget = std::min(limits.workspace, thread_bytes * static_cast<std::size_t>(limits.threads));
  const auto fit = static_cast<std::int64_t>((budget - l.shifts) / (l.thread() + l.block()));
  const std::int64_t tasks = std::min({std::int64_t{limits.threads}, fit, plan.blocks * plan.panels});
  plan.tasks = static_cast<int>(tasks);
  plan.shared_blocks = plan.blocks % tasks;
  plan.slots = static_cast<int>(std::min(tasks, plan.blocks));
  plan.workspace_bytes =
      l.shifts + static_cast<std::size_t>(plan.tasks) * l.thread() + static_cast<std::size_t>(plan.slots) * l.block();
}

// The rest of the tiles, where the direct algorithm does it in no more multiply-adds than a tile of sums takes; else none. Sizes of
// blocks and limits have no part in it: they change no response.
WinogradRest rest_of(const Candidate& c) noexcept {
  const WinogradTransform& t = c.transform;
  const std::int64_t all = c.grid.tiles(), unit = c.product.tile_unit(), tiles = all % unit;
  if (tiles == 0 || tiles == all || tiles > c.grid.columns ||
      tiles * t.rows * t.columns * t.kernel_rows * t.kernel_columns > unit * t.places()) {
    return {};
  }
  return {tiles, (c.grid.rows - 1) * t.rows, (c.grid.columns - tiles) * t.columns};
}

// Completes a plan of a candidate. Null, or why it is none.
const char* complete(const Candidate& c, const Geometry& g, const PackedBank& bank, const Limits& limits,
                     WinogradPlan& plan) noexcept {
  const WinogradTransform& t = c.transform;
  const WinogradProduct& p = c.product;
  std::size_t fewest = 0;
  plan.block_tiles = block_tiles(c, g.channels, std::min(limits.workspace, thread_bytes), fewest);
  if (plan.block_tiles == 0) {
    plan.workspace_bytes = fewest <= thread_bytes ? fewest : 0;
    return fewest <= thread_bytes ? over_limit : too_many_channels;
  }
  if (p.tiles != 0 && p.tiles != plan.block_tiles) return no_transform;
  plan.transform = &t;
  plan.product = &p;
  plan.grid = c.grid;
  plan.panels = c.panels;
  plan.layout = layout_of(c, g.channels, plan.block_tiles);
  plan.channels_at_once = static_cast<int>(channels_at_once(g.channels));
  plan.finished_at_once = finished_at_once(c, plan.block_tiles);
  plan.blocks = quotient_up(c.tiles, plan.block_tiles);
  const std::int64_t width = p.panel_kernels(), places = std::int64_t{t.bank_rows()} * t.bank_columns();
  const std::int64_t most = PTRDIFF_MAX / static_cast<std::int64_t>(sizeof(float)) / (places * g.channels);
  if (bank.count > most - width) return too_many_kernels;
  plan.form_bytes = static_cast<std::size_t>(plan.panels * width * places * g.channels) * sizeof(float);
  plan.form = {FormKey::winograd, {}};
  const int numbers[] = {t.rows, t.kernel_rows, t.columns, t.kernel_columns, static_cast<int>(width)};
  std::copy(std::begin(numbers), std::end(numbers), plan.form.numbers);
  const WinogradCosts& target_costs = costs(*bank.target).winograd;
  plan.nanoseconds = cost(c, g, bank.count, plan.block_tiles, target_costs) +
                     limits.preparation * static_cast<double>(plan.form_bytes) * target_costs.form_byte;
  if (plan.rest.tiles > 0) {
    Geometry rest = g;
    rest.height -= plan.rest.row, rest.width -= plan.rest.column;
    plan.nanoseconds += plan_direct(rest, bank, 1).nanoseconds;
  }
  divide(plan, limits);
  return nullptr;
}

}  // namespace

const char* plan_winograd_rows(const WinogradTransform& t, const WinogradProduct& p, const Geometry& g,
                               const PackedBank& bank, const Limits& limits, WinogradPlan& plan) noexcept {
  if (t.kernel_rows != g.kernel_height || t.kernel_columns != g.kernel_width) return no_transform;
  if (g.height < t.rows || g.width < t.columns) return too_small;
  if (!within_bounds(t, g.channels)) return too_inexact;
  if (g.channels > max_channels) return too_many_channels;
  const std::int64_t at_once = channels_at_once(g.channels);
  if (p.channels != 0 && (p.channels != at_once || g.channels % at_once != 0)) return no_transform;
  const WinogradGrid grid{quotient_up(g.height, t.rows), quotient_up(g.width, t.columns)};
  Candidate c{t, p, grid, grid.tiles(), quotient_up(bank.count, p.panel_kernels()), costs(*bank.target).blocks};
  plan.rest = rest_of(c);
  c.tiles -= plan.rest.tiles;
  return complete(c, g, bank, limits, plan);
}

const char* plan_winograd(const Geometry& g, const PackedBank& bank, const Limits& limits,
                          WinogradPlan& plan) noexcept {
  const char* reason = no_transform;  // the one of the pair that came furthest
  for (const WinogradTransform& t : all_winograd_transforms()) {
    if (std::strcmp(t.target, bank.target->name) != 0) continue;
    for (const WinogradProduct& p : all_winograd_products()) {
      if (std::strcmp(p.target, t.target) != 0) continue;
      WinogradPlan made{};
      const char* refused = plan_winograd_rows(t, p, g, bank, limits, made);
      if (refused == nullptr) {
        if (reason != nullptr || made.nanoseconds < plan.nanoseconds) plan = made;
        reason = nullptr;
      } else if (reason != nullptr && refused != no_transform) {
        const bool fewer = plan.workspace_bytes == 0 || made.workspace_bytes < plan.workspace_bytes;
        if (made.workspace_bytes > 0 && fewer) plan.workspace_bytes = made.workspace_bytes;
        if (plan.workspace_bytes == 0 || made.workspace_bytes > 0) reason = refused;
      }
    }
  }
  if (reason == nullptr) {
    describe(plan);
  } else if (reason == no_transform) {
    std::snprintf(plan.text, sizeof plan.text, "kernels of %lldx%lld have no transform",
                  static_cast<long long>(g.kernel_height), static_cast<long long>(g.kernel_width));
    return plan.text;
  }
  return reason;
}

}  // namespace corrbank::detail
