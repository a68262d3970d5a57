#include "scatter.h"

#include <algorithm>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace corrbank::detail {
namespace {

constexpr double streamed_bytes = 12 << 20;

using Row = void (*)(const float* from, float* to, std::ptrdiff_t count, float correction);

void add(const float* from, float* to, std::ptrdiff_t count, float correction) noexcept {
  for (std::ptrdiff_t i = 0; i < count; ++i) to[i] = from[i] + correction;
}

// As add(), for the few columns of a Winograd tile: no loop is set up for them.
template <int columns>
void add_fixed(const float* from, float* to, std::ptrdiff_t /*count*/, float correction) noexcept {
  float row[columns];
  for (int i = 0; i < columns; ++i) row[i] = from[i] + correction;
  std::memcpy(to, row, sizeof row);
}

#if defined(__SSE2__)
// Lines that are begun or ended here only in part are stored as usual: half a line past the caches costs two transfers.
void add_stream(const float* from, float* to, std::ptrdiff_t count, float correction) noexcept {
  constexpr std::ptrdiff_t line = 16;
  const auto misplaced = static_cast<std::ptrdiff_t>(reinterpret_cast<std::uintptr_t>(to) / sizeof(float) % line);
  const std::ptrdiff_t head = std::min((line - misplaced) % line, count);
  add(from, to, head, correction);
  const std::ptrdiff_t end = head + (count - head) / line * line;
  const __m128 offset = _mm_set1_ps(correction);
  for (std::ptrdiff_t i = head; i < end; i += line) {
    for (std::ptrdiff_t j = i; j < i + line; j += 4) _mm_stream_ps(to + j, _mm_add_ps(_mm_loadu_ps(from + j), offset));
  }
  add(from + end, to + end, count - end, correction);
}
#endif

Row row_function(int columns, [[maybe_unused]] bool stream) noexcept {
  switch (columns) {
    case 2: return add_fixed<2>;
    case 4: return add_fixed<4>;
    case 6: return add_fixed<6>;
    case 8: return add_fixed<8>;
    default: break;
  }
#if defined(__SSE2__)
  if (stream) return add_stream;
#endif
  return add;
}

}  // namespace

void scatter(const Call& call, std::int64_t k, const Panel& panel, const Tile* tiles, int count) noexcept {
  const Geometry& g = call.geometry;
  float* const responses = call.responses + k * call.response_kernel_stride;
  const float correction = call.corrections[k];
  const Row whole = row_function(panel.columns, call.stream);
  const Row other = row_function(0, call.stream);
  for (int first = 0, end = 0; first < count; first = end) {
    const Tile& tile = tiles[first];
    for (end = first + 1; end < count; ++end) {
      const Tile& last = tiles[end - 1];
      const bool neighbours = panel.tile_stride == panel.columns && tiles[end].y == last.y &&
                              tiles[end].x == last.x + panel.columns && tiles[end].skip_x == 0 &&
                              tiles[end].skip_y == tile.skip_y;
      if (!neighbours) break;
    }
    const std::ptrdiff_t columns = std::ptrdiff_t{end - first} * panel.columns - tile.skip_x;
    const Row write = columns == panel.columns ? whole : other;
    const float* from = panel.data + first * panel.tile_stride + tile.skip_y * panel.row_stride + tile.skip_x;
    float* to = responses + (tile.y + tile.skip_y) * g.response_row_stride + tile.x + tile.skip_x;
    for (int row = tile.skip_y; row < panel.rows; ++row, from += panel.row_stride, to += g.response_row_stride) {
      write(from, to, columns, correction);
    }
  }
#if defined(__SSE2__)
  if (call.stream) _mm_sfence();  // stores past the caches are ordered before the call's end
#endif
}

bool streams(const Geometry& g, const PackedBank& bank) noexcept {
  return static_cast<double>(bank.count) * static_cast<double>(g.height * g.width) * sizeof(float) > streamed_bytes;
}

bool any_not_finite(const float* values, std::size_t count) noexcept {
  // An exponent of ones carries into the sign. Integers: arithmetic that assumes finite numbers must not decide this.
  std::uint32_t found = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, values + i, sizeof bits);
    found |= (bits & 0x7f800000u) + 0x00800000u;
  }
  return (found & 0x80000000u) != 0;
}

void redo_tile(const Call& call, const Tile& tile, int rows, int columns) noexcept {
  const std::int64_t y = std::int64_t{tile.y} + tile.skip_y, x = std::int64_t{tile.x} + tile.skip_x;
  run_direct_part(call, y, x, rows - tile.skip_y, columns - tile.skip_x);
}

}  // namespace corrbank::detail
