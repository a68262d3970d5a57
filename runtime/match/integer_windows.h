// Sums over windows of u8 pixels without masks. Integers, so that what leaves a window can be taken off again.
#pragma once

#include <cstddef>
#include <cstdint>

namespace corrbank::detail {

// Windows of height x width pixels in one channel.
struct IntegerWindows {
  const std::uint8_t* pixels;  // of the first window
  std::ptrdiff_t row_stride;
  int height, width;
  int rows, columns;  // of windows
};

// Numbers of 32 bits that add_windows() needs.
constexpr std::int64_t window_memory(std::int64_t columns, std::int64_t width) noexcept {
  return 2 * (columns + width);
}
// Adds each window's pixels, or their squares, to sums [row][pitch].
void add_windows(const IntegerWindows& windows, bool squares, std::uint32_t* memory, std::int32_t* sums,
                 std::ptrdiff_t pitch) noexcept;

}  // namespace corrbank::detail
