#include "scatter.h"

#include <algorithm>
#include <cstring>

#include "costs.h"
#include "seen.h"

namespace corrbank::detail {
namespace {

// What is written in one go: `columns` values of each of `rows` rows, of some kernels.
struct Piece {
  const float* from;
  std::ptrdiff_t from_stride, from_kernel;  // from one row, and from one kernel, to the next
  float* to;
  std::ptrdiff_t to_stride, to_kernel;
  int rows, kernels;
  std::ptrdiff_t columns;
  const float* corrections;
};
using Write = Seen (*)(const Piece& piece, Seen seen);

// What was seen goes by value: behind a reference it would be stored with each vector, as the floats could overlap it.
Seen add(const float* from, float* to, std::ptrdiff_t count, float correction, Seen seen) noexcept {
  std::ptrdiff_t i = 0;
#if defined(__SSE2__)
  for (; i + 4 <= count; i += 4) {
    const __m128 values = _mm_loadu_ps(from + i);
    seen.look(values);
    _mm_storeu_ps(to + i, _mm_add_ps(values, _mm_set1_ps(correction)));
  }
#endif
  for (; i < count; ++i) {
    seen.look(from[i]);
    to[i] = from[i] + correction;
  }
  return seen;
}

using WriteRow = Seen (*)(const float* from, float* to, std::ptrdiff_t count, float correction, Seen seen);
template <WriteRow write>
Seen write_rows(const Piece& piece, Seen seen) noexcept {
  const Piece p = piece;  // copies, which no store of floats can change
  for (int k = 0; k < p.kernels; ++k) {
    const float* from = p.from + k * p.from_kernel;
    float* to = p.to + k * p.to_kernel;
    for (int row = 0; row < p.rows; ++row, from += p.from_stride, to += p.to_stride) {
      seen = write(from, to, p.columns, p.corrections[k], seen);
    }
  }
  return seen;
}

// The few columns of a Winograd tile: no loop is set up for them.
template <int columns>
Seen add_few(const float* from, float* to, std::ptrdiff_t /*count*/, float correction, Seen seen) noexcept {
#if defined(__SSE2__)
  const __m128 offset = _mm_set1_ps(correction);
  for (int i = 0; i + 4 <= columns; i += 4) {
    const __m128 values = _mm_loadu_ps(from + i);
    seen.look(values);
    _mm_storeu_ps(to + i, _mm_add_ps(values, offset));
  }
  if (columns % 4 == 2) {
    const __m128 values = _mm_loadl_pi(_mm_setzero_ps(), reinterpret_cast<const __m64*>(from + columns - 2));
    seen.look(values);
    _mm_storel_pi(reinterpret_cast<__m64*>(to + columns - 2), _mm_add_ps(values, offset));
  }
#else
  float values[columns];
  for (int i = 0; i < columns; ++i) {
    seen.look(from[i]);
    values[i] = from[i] + correction;
  }
  std::memcpy(to, values, sizeof values);
#endif
  return seen;
}

#if defined(__SSE2__)
Seen stream_row(const float* from, float* to, std::ptrdiff_t count, float correction, Seen seen) noexcept {
  const auto [head, end] = WholeLines(to, count);
  seen = add(from, to, head, correction, seen);
  const __m128 offset = _mm_set1_ps(correction);
  for (std::ptrdiff_t i = head; i < end; i += line) {
    for (std::ptrdiff_t j = i; j < i + line; j += 4) {
      const __m128 values = _mm_loadu_ps(from + j);
      seen.look(values);
      _mm_stream_ps(to + j, _mm_add_ps(values, offset));
    }
  }
  return add(from + end, to + end, count - end, correction, seen);
}
#endif

Write write_function(std::ptrdiff_t columns, [[maybe_unused]] bool stream) noexcept {
  switch (columns) {
    case 2: return write_rows<add_few<2>>;
    case 4: return write_rows<add_few<4>>;
    case 6: return write_rows<add_few<6>>;
    case 8: return write_rows<add_few<8>>;
    default: break;
  }
#if defined(__SSE2__)
  if (stream) return write_rows<stream_row>;
#endif
  return write_rows<add>;
}

// Kernels that are written side by side, where they share cache lines of the panel; else one after the other.
constexpr int side_by_side = 8;

}  // namespace

int end_of_run(const Panel& panel, const Tile* tiles, int first, int count) noexcept {
  int end = first + 1;
  if (panel.tile_stride != panel.columns) return end;
  while (end < count && tiles[end].y == tiles[end - 1].y && tiles[end].x == tiles[end - 1].x + panel.columns &&
         tiles[end].skip_x == 0 && tiles[end].skip_y == tiles[first].skip_y) {
    ++end;
  }
  return end;
}

bool scatter(const Destination& to, const Panel& panel, const Tile* tiles, int count) noexcept {
  Seen seen;
  const Write whole = write_function(panel.columns, to.stream);
  const int group_kernels = panel.kernel_stride < line ? side_by_side : 1;
  for (int group = 0; group < panel.kernels; group += group_kernels) {
    for (int first = 0, end = 0; first < count; first = end) {
      end = end_of_run(panel, tiles, first, count);
      const Tile& tile = tiles[first];
      const Piece piece{
          panel.data + group * panel.kernel_stride + first * panel.tile_stride + tile.skip_y * panel.row_stride +
              tile.skip_x,
          panel.row_stride,
          panel.kernel_stride,
          to.data + group * to.kernel_stride + (tile.y + tile.skip_y) * to.row_stride + tile.x + tile.skip_x,
          static_cast<std::ptrdiff_t>(to.row_stride),
          static_cast<std::ptrdiff_t>(to.kernel_stride),
          panel.rows - tile.skip_y,
          std::min(panel.kernels - group, group_kernels),
          std::ptrdiff_t{end - first} * panel.columns - tile.skip_x,
          to.corrections + group};
      const Write write = piece.columns == panel.columns ? whole : write_function(piece.columns, to.stream);
      seen = write(piece, seen);
    }
  }
#if defined(__SSE2__)
  if (to.stream) _mm_sfence();  // stores past the caches are ordered before the call's end
#endif
  return seen.not_finite();
}

bool scatter(const Call& call, std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept {
  if (call.sink != nullptr) return call.sink->take(first_kernel, panel, tiles, count);
  return scatter({call.responses + first_kernel * call.response_kernel_stride, call.response_kernel_stride,
                  call.geometry.response_row_stride, call.corrections + first_kernel, call.stream},
                 panel, tiles, count);
}

bool streams(const Target& target, std::int64_t kernels, std::int64_t height, std::int64_t width) noexcept {
  const double bytes = static_cast<double>(kernels) * static_cast<double>(height * width) * sizeof(float);
  return bytes > costs(target).blocks.streamed_bytes;
}

bool any_not_finite(const float* values, std::size_t count) noexcept {
  Seen seen;
  std::size_t i = 0;
#if defined(__SSE2__)
  for (; i + 4 <= count; i += 4) seen.look(_mm_loadu_ps(values + i));
#endif
  for (; i < count; ++i) seen.look(values[i]);
  return seen.not_finite();
}

void redo_tiles(const Call& call, const Tile* tiles, const RedoFlag* redo, std::int64_t count, int rows,
                int columns) noexcept {
  for (std::int64_t t = 0; t < count; ++t) {
    if (!redo[t].load(std::memory_order_relaxed)) continue;
    const Tile& tile = tiles[t];
    if (call.sink != nullptr) {
      call.sink->refuse(tile, rows, columns);
      continue;
    }
    const std::int64_t y = std::int64_t{tile.y} + tile.skip_y, x = std::int64_t{tile.x} + tile.skip_x;
    run_direct_part(call, y, x, rows - tile.skip_y, columns - tile.skip_x);
  }
}

}  // namespace corrbank::detail
