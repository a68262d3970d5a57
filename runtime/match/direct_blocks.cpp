#include "match/direct_blocks.h"

#include <algorithm>

#include "call.h"

namespace corrbank::detail {
namespace {

// What a block has in L2, beside norms and the bank: pixels, and correlations from the sums to the scores.
constexpr std::int64_t most_pixel_bytes = 256 << 10, most_panel_bytes = 256 << 10;
constexpr std::int64_t most_rows = 64, least_rows = 4, most_columns = 512, least_columns = 64;

}  // namespace

std::size_t DirectBlocks::panel() const noexcept {
  return whole_lines(static_cast<std::size_t>(geometry.channels * geometry.channel_stride) * sizeof(float));
}

std::size_t DirectBlocks::panel_bytes() const noexcept {
  const auto windows = static_cast<std::size_t>(geometry.height * geometry.response_row_stride);
  return whole_lines(windows * static_cast<std::size_t>(plan.tile_kernels()) * sizeof(float));
}

std::size_t DirectBlocks::part() const noexcept { return panel() + panel_bytes(); }

std::size_t DirectBlocks::bytes() const noexcept {
  return part() + (plan.taps.inner * plan.taps.outer > short_sum_taps ? panel_bytes() : 0);
}

DirectBlocks plan_direct_blocks(const Geometry& whole, const PackedBank& bank) noexcept {
  DirectBlocks b;
  Geometry& g = b.geometry;
  g = whole;
  const std::int64_t columns = std::max(least_columns, most_columns / std::max<std::int64_t>(1, whole.channels / 8));
  b.across = quotient_up(whole.width, columns);
  g.width = quotient_up(whole.width, b.across);
  g.row_stride = g.image_width(), g.response_row_stride = g.width;
  const auto set_rows = [&](std::int64_t rows) {
    b.down = quotient_up(whole.height, rows);
    g.height = quotient_up(whole.height, b.down);
    g.channel_stride = g.image_height() * g.row_stride;
    Geometry smallest = g;
    smallest.height = whole.height / b.down, smallest.width = whole.width / b.across;
    b.plan = plan_direct(smallest, bank, 1);
  };
  set_rows(std::min(whole.height, most_rows));
  const std::int64_t of_pixels = most_pixel_bytes / (4 * whole.channels * g.row_stride) - whole.kernel_height + 1;
  const std::int64_t of_panel = most_panel_bytes / (4 * g.width * b.plan.tile_kernels());
  set_rows(std::min(whole.height, std::clamp(std::min(of_pixels, of_panel), least_rows, most_rows)));
  return b;
}

}  // namespace corrbank::detail
