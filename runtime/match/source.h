// The image of a match as its stages read it: any element type, less an offset for each channel.
#pragma once

#include <cstdint>

#include "corrbank/view.hpp"

namespace corrbank::detail {

struct Source {
  const void* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t channels = 0, height = 0, width = 0, channel_stride = 0, row_stride = 0;
  const double* offsets = nullptr;  // by channel; exact in f32

  // Elements [x, x + count) of a row, less the offset. In f32 they are rounded once.
  void read(std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count, double* to) const noexcept;
  void read(std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count, float* to) const noexcept;
  // Likewise rows [y, y + rows), to rows `stride` apart, less another offset, which is exact in f32. Later ones are fetched meanwhile.
  void read_rows_less(double offset, std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t rows,
                      std::int64_t count, float* to, std::ptrdiff_t stride) const noexcept;
  // All channels of a window, [channel][row][column].
  void read_window(std::int64_t y, std::int64_t x, std::int64_t rows, std::int64_t columns, double* to) const noexcept;
  // Elements that will be read soon.
  void fetch(std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count) const noexcept;
};

}  // namespace corrbank::detail
