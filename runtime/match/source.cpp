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

}  // namespace corrbank::detail
