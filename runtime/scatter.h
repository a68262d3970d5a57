// From the panels that winograd and fft fill to the responses.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "call.h"

namespace corrbank::detail {

// A tile's place among the responses of a kernel. Tiles of the last row and column are shifted inwards, over others: their
// first `skip_y` rows and `skip_x` columns are somebody else's.
struct Tile {
  std::int32_t y, x;
  std::int32_t skip_y, skip_x;
};

// Tile `index` of the responses of an axis, of tiles `size` long (size <= extent): {first response, those to skip}.
struct TileSide {
  std::int32_t first, skip;
};
inline TileSide tile_side(std::int64_t extent, std::int64_t size, std::int64_t index) noexcept {
  const std::int64_t wanted = index * size, last = extent - size;
  const std::int64_t first = wanted < last ? wanted : last;
  return {static_cast<std::int32_t>(first), static_cast<std::int32_t>(wanted - first)};
}

// Tile `index` of a grid of tiles of rows x columns responses, `grid_columns` side by side.
inline Tile tile_at(const Geometry& g, std::int64_t rows, std::int64_t columns, std::int64_t grid_columns,
                    std::int64_t index) noexcept {
  const TileSide y = tile_side(g.height, rows, index / grid_columns);
  const TileSide x = tile_side(g.width, columns, index % grid_columns);
  return {y.first, x.first, y.skip, x.skip};
}

// Finished tiles of `kernels` kernels: row `row` of tile t of the k-th of them, rows x columns responses, begins at
// data + k * kernel_stride + t * tile_stride + row * row_stride.
struct Panel {
  float* data;
  std::ptrdiff_t tile_stride, row_stride;
  int rows, columns;
  int kernels = 1;
  std::ptrdiff_t kernel_stride = 0;
  bool spreads = true;  // what is not finite in the image reaches other responses than its own: of winograd and fft
};

// The end of the tiles, from `first` on, that can be taken as one: neighbours in the panel's rows and among the responses.
int end_of_run(const Panel& panel, const Tile* tiles, int first, int count) noexcept;

// Who takes finished tiles in place of the responses. Threads call it at once, each with tiles or kernels of its own.
class Sink {
 public:
  // Where the direct algorithm is to compute a tile of some kernels: `panel` has their numbers and a place to change.
  virtual void place(std::int64_t first_kernel, const Tile& tile, Panel& panel) noexcept = 0;
  // Tiles as scatter() gets them; may write to the panel. What they skip belongs to others. Whether a value was not finite.
  virtual bool take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept = 0;
  // The responses of a tile of rows x columns, but for what it skips, were not finite for some kernel.
  virtual void refuse(const Tile& tile, int rows, int columns) noexcept = 0;

 protected:
  ~Sink() = default;
};

// Where the kernels of a panel go.
struct Destination {
  float* data;  // first response of the first kernel
  std::int64_t kernel_stride, row_stride;
  const float* corrections;  // by kernel: added
  bool stream;               // whole cache lines go past the caches: the processor need not read them first
};

// Writes `count` tiles of the panel's kernels, each but for what it skips. Whether a value of the panel that was written is an
// infinity or NaN. Tiles that are neighbours in the panel's rows (tile_stride == columns) and among the responses are written
// as one row.
bool scatter(const Destination& to, const Panel& panel, const Tile* tiles, int count) noexcept;

// The same for kernels from `first_kernel` on to the call's responses, or to its sink.
bool scatter(const Call& call, std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept;

// Whether so many responses are too large for the caches to keep them until the caller reads them.
bool streams(const Target& target, std::int64_t kernels, std::int64_t height, std::int64_t width) noexcept;

// Whether a value is an infinity or NaN.
bool any_not_finite(const float* values, std::size_t count) noexcept;

// Whether a tile came out not finite. Threads that finish different kernels of it may say so at once.
using RedoFlag = std::atomic<bool>;

// Computes the responses of flagged tiles of rows x columns, but for what they skip, again: of all kernels, by the direct
// algorithm. What is not finite in the image, or overflowed in a transform, then reaches no response but its own. A sink is
// told instead.
void redo_tiles(const Call& call, const Tile* tiles, const RedoFlag* redo, std::int64_t count, int rows,
                int columns) noexcept;

}  // namespace corrbank::detail
