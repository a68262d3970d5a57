// The tiles that whole tiles of sums leave over, by the direct algorithm.
#include <cstdint>

#include "scatter.h"
#include "winograd.h"

namespace corrbank::detail {

void run_rest(const Call& call, const WinogradRest& rest, float* memory) noexcept {
  const Geometry& whole = call.geometry;
  const std::int64_t pixel = rest.row * whole.row_stride + rest.column;
  const std::int64_t response = rest.row * whole.response_row_stride + rest.column;
  static_assert(sizeof(float) == sizeof(std::int32_t));
  auto* tables = reinterpret_cast<std::int32_t*>(memory);
  TapMemory taps(tables, tables + call.direct.taps.inner);
  Call part{
      whole, call.bank, call.options, call.direct, nullptr, call.responses + response, call.response_kernel_stride,
      taps};
  Geometry& g = part.geometry;
  g.height -= rest.row, g.width -= rest.column;
  g.row_stride = g.image_width(), g.channel_stride = g.image_height() * g.row_stride;
  // Less their channels' means, as the pixels of the other tiles: errors are of the same size.
  memory += call.direct.taps.inner + call.direct.taps.outer;
  part.image = memory;
  for (std::int64_t c = 0; c < g.channels; ++c) {
    const float* from = call.image + c * whole.channel_stride + pixel;
    for (std::int64_t y = g.image_height(); y > 0; --y, from += whole.row_stride) {
      for (std::int64_t x = 0; x < g.row_stride; ++x) *memory++ = from[x] - call.means[c];
    }
  }
  run_direct_part(part, 0, 0, g.height, g.width);
  bool redo = false;
  for (std::int64_t k = 0; k < call.bank.count; ++k) {
    float* row = part.responses + k * call.response_kernel_stride;
    for (std::int64_t y = g.height; y > 0; --y, row += whole.response_row_stride) {
      for (std::int64_t x = 0; x < g.width; ++x) row[x] += call.corrections[k];
      redo |= any_not_finite(row, static_cast<std::size_t>(g.width));
    }
  }
  if (redo) run_direct_part(call, rest.row, rest.column, g.height, g.width);
}

}  // namespace corrbank::detail
