#include "match/integer_windows.h"

#include <algorithm>

namespace corrbank::detail {
namespace {

template <bool squares>
std::uint32_t value(std::uint8_t pixel) noexcept {
  const std::uint32_t wide = pixel;
  return squares ? wide * wide : wide;
}

template <bool squares>
void add(const IntegerWindows& w, std::uint32_t* memory, std::int32_t* sums, std::ptrdiff_t pitch) noexcept {
  const int pixels = w.columns + w.width - 1, columns = w.columns, wide = w.width;
  std::uint32_t* const column = memory;           // sums of the columns of a row of windows
  std::uint32_t* const before = memory + pixels;  // of all columns before one
  std::fill_n(column, pixels, 0u);
  const auto enter = [&](int row) {
    const std::uint8_t* from = w.pixels + row * w.row_stride;
    for (int x = 0; x < pixels; ++x) column[x] += value<squares>(from[x]);
  };
  for (int row = 0; row < w.height - 1; ++row) enter(row);
  for (int y = 0; y < w.rows; ++y) {
    enter(y + w.height - 1);
    before[0] = 0;
    for (int x = 0; x < pixels; ++x) before[x + 1] = before[x] + column[x];
    std::int32_t* to = sums + y * pitch;
    for (int x = 0; x < columns; ++x) to[x] += static_cast<std::int32_t>(before[x + wide] - before[x]);
    const std::uint8_t* from = w.pixels + y * w.row_stride;
    for (int x = 0; x < pixels; ++x) column[x] -= value<squares>(from[x]);
  }
}

}  // namespace

void add_windows(const IntegerWindows& windows, bool squares, std::uint32_t* memory, std::int32_t* sums,
                 std::ptrdiff_t pitch) noexcept {
  if (squares) {
    add<true>(windows, memory, sums, pitch);
  } else {
    add<false>(windows, memory, sums, pitch);
  }
}

}  // namespace corrbank::detail
