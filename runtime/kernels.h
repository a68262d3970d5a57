// The kernel table: what generators/tuned lists, as data. The only way the runtime knows a kernel.
#pragma once

#include <cstdint>

#include "corrbank/view.hpp"

namespace corrbank::detail {

// Kernels of a bank are packed in blocks of this many (bank.cpp); a pixels tile spans whole vectors of a block.
constexpr int block_kernels = 16;

// Vectors of columns in a strip at most (generators/direct/strips_algorithm.h).
constexpr int strip_vectors = 16;

enum class Walk { rows, pixels, strips };

// One call of a kernel: tiles [first_tile, end_tile) of a band of rows, for the kernels of one tile. Pointers are
// those of the band's first row and of the first kernel.
struct KernelCall {
  const float* image;
  const float* bank;               // [outer tap][inner tap][kernel]
  float* responses;                // pixels walk: a panel, for unpack()
  const std::int32_t* inner_taps;  // rows and pixels walk: offsets of taps
  const std::int32_t* outer_taps;
  int inner_tap_count, outer_tap_count;
  int channels, plane_taps;  // strips walk: the taps themselves
  int tap_stride;            // elements from one tap's kernels to the next tap's
  int vector_stride;         // pixels walk: elements from one vector of kernels to the next
  int width, rows;           // extents of the responses in this band
  int image_channel_stride, image_row_stride, response_row_stride;
  int response_kernel_stride;
  int first_tile, end_tile;
};

struct Target {
  const char* name;
  DeviceType device;
  // Of the CPU's targets:
  int lanes;         // of an f32 vector
  void (*unpack)();  // cast back by unpack()
};

// What a kernel of walk rows was made for alone; 0: for any.
struct ConstantGeometry {
  int width, inner_taps, outer_taps;
};

struct Kernel {
  const Target* target;
  Walk walk;
  int positions;    // of a tile: vectors of columns (rows), pixels (pixels), rows of responses (strips)
  int vectors;      // of a tile: kernels (rows, strips) or vectors of kernels (pixels)
  int kernel_size;  // strips: the taps of a side it was made for
  ConstantGeometry constants;
  const char* name;
  void (*function)();  // cast back by run_kernel()

  [[nodiscard]] int tile_kernels() const noexcept { return walk == Walk::pixels ? vectors * target->lanes : vectors; }
  // Tiles that cover `rows` x `width` responses of a kernel, as the kernels themselves count them.
  [[nodiscard]] std::int64_t image_tiles(std::int64_t rows, std::int64_t width) const noexcept;
};

template <typename T>
struct Table {
  const T* rows;
  int count;
  const T* begin() const noexcept { return rows; }
  const T* end() const noexcept { return rows + count; }
};

// All targets built in, best first, and all kernels, in the order of generators/targets.cmake and generators/tuned.
Table<Target> all_targets() noexcept;
Table<Kernel> all_kernels() noexcept;

// Pixels a panel holds: with 64 kernels 16 KiB, on the stack of a task.
constexpr int panel_pixels = 64;
constexpr int panel_kernels = 64;  // the widest pixels tile

// Moves `pixels` neighbouring pixels of a panel [vector of 16 kernels][panel_pixels][16], for its first `kernels` kernels,
// to the responses: kernel k's first pixel goes to responses[k * kernel_stride].
void unpack(const Target& target, const float* panel, int pixels, int kernels, float* responses,
            int kernel_stride) noexcept;

// Runs one call. Cannot fail: kernels allocate nothing and trust their arguments.
void run_kernel(const Kernel& kernel, const KernelCall& call) noexcept;

}  // namespace corrbank::detail
