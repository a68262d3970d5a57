#include "match/source.h"

namespace corrbank::detail {
namespace {

template <typename From, typename To>
void subtract(const From* from, std::int64_t count, double offset, To* to) noexcept {
  const To off = static_cast<To>(offset);
  for (std::int64_t i = 0; i < count; ++i) to[i] = static_cast<To>(from[i]) - off;
}

template <typename To>
void read_row(const Source& s, std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count, To* to) noexcept {
  const std::int64_t first = c * s.channel_stride + y * s.row_stride + x;
  switch (s.dtype) {
    case DType::u8: return subtract(static_cast<const std::uint8_t*>(s.data) + first, count, s.offsets[c], to);
    case DType::u16: return subtract(static_cast<const std::uint16_t*>(s.data) + first, count, s.offsets[c], to);
    default: return subtract(static_cast<const float*>(s.data) + first, count, s.offsets[c], to);
  }
}

}  // namespace

void Source::read(std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count, double* to) const noexcept {
  read_row(*this, c, y, x, count, to);
}

void Source::read(std::int64_t c, std::int64_t y, std::int64_t x, std::int64_t count, float* to) const noexcept {
  read_row(*this, c, y, x, count, to);
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
