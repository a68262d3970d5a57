#include "match/source.h"

#include <algorithm>

namespace corrbank::detail {
namespace {

template <typename From, typename To>
void subtract(const From* from, std::int64_t count, double offset, To* to) noexcept {
  const To off = static_cast<To>(offset);
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(from[i]) - off;
}

template <typename To>
void read_row(const Source& s, double offset, std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count,
              To* to) noexcept {
  const std::int64_t first = c * s.channel_stride + y * s.row_stride + x;
  switch (s.dtype) {
    case DType::u8: return subtract(static_cast<const std::uint8_t*>(s.data) + first, count, offset, to);
    case DType::u16: return subtract(static_cast<const std::uint16_t*>(s.data) + first, count, offset, to);
    default: return subtract(static_cast<const float*>(s.data) + first, count, offset, to);
  }
}

// Rows of a channel that comes later, for a processor that sees no pattern in where channels begin: scores of 3x3 windows of 128
// channels of 200x200 are made of little else than waits for pixels (2026-11-25, AMD EPYC "Zen 4").
template <typename T>
void fetch_rows([[maybe_unused]] const T* row, [[maybe_unused]] std::int64_t row_stride,
                [[maybe_unused]] std::int64_t rows, [[maybe_unused]] std::int64_t columns) noexcept {
#if defined(__GNUC__)
  for (std::int64_t i = 0; i < rows; ++i, row += row_stride) {
    __builtin_prefetch(row);
    __builtin_prefetch(row + columns - 1);
  }
#endif
}
constexpr std::int64_t fetched_channels = 32;

template <typename T>
void read_window(const Source& s, std::int64_t y, std::int64_t x, std::int64_t rows, std::int64_t columns,
                 double* to) noexcept {
  const T* const window = static_cast<const T*>(s.data) + y * s.row_stride + x;
  for (std::int64_t c = 0; c < s.channels; ++c) {
    const std::int64_t ahead = std::min(c + fetched_channels, s.channels - 1);
    fetch_rows(window + ahead * s.channel_stride, s.row_stride, rows, columns);
    const T* row = window + c * s.channel_stride;
    for (std::int64_t i = 0; i < rows; ++i, row += s.row_stride, to += columns) {
      subtract(row, columns, s.offsets[c], to);
    }
  }
}

}  // namespace

void Source::read_window(std::int64_t y, std::int64_t x, std::int64_t rows, std::int64_t columns,
                         double* to) const noexcept {
  switch (dtype) {
    case DType::u8: return detail::read_window<std::uint8_t>(*this, y, x, rows, columns, to);
    case DType::u16: return detail::read_window<std::uint16_t>(*this, y, x, rows, columns, to);
    default: return detail::read_window<float>(*this, y, x, rows, columns, to);
  }
}

void Source::read(std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count, double* to) const noexcept {
  read_row(*this, offsets[c], c, y, x, count, to);
}

void Source::read(std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count, float* to) const noexcept {
  read_row(*this, offsets[c], c, y, x, count, to);
}

void Source::read_rows_less(double offset, std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t rows,
                            std::int64_t count, float* to, std::ptrdiff_t stride) const noexcept {
  constexpr std::int64_t ahead = 4;
  for (std::int64_t i = 0; i < rows; ++i, to += stride) {
    if (i + ahead < rows) fetch(c, y + i + ahead, x, count);
    read_row(*this, offset, c, y + i, x, count, to);
  }
}

void Source::fetch([[maybe_unused]] std::int64_t c, [[maybe_unused]] std::int64_t y, [[maybe_unused]] std::int64_t x,
                   [[maybe_unused]] std::int64_t count) const noexcept {
#if defined(__GNUC__)
  const std::int64_t size = dtype == DType::u8 ? 1 : dtype == DType::u16 ? 2 : 4;
  const char* row = static_cast<const char*>(data) + (c * channel_stride + y * row_stride + x) * size;
  for (std::int64_t i = 0; i < count * size; i += 64) __builtin_prefetch(row + i);
  __builtin_prefetch(row + count * size - 1);
#endif
}

}  // namespace corrbank::detail
