// What the stages of Winograd's method cost on each target: data, measured.
#pragma once

#include "winograd_kernels.h"

namespace corrbank::detail {

// Nanoseconds of one core.
struct WinogradCosts {
  const char* target;
  // A vector of V, by the size of the tiles.
  double input_8x8, input_8x8_rows, input_6x6, input_4x4, input_1x8;
  double product;  // a vector multiply-add
  double step;     // of a tile of sums to its next channel, beside the multiply-adds
  double sum;      // a vector of a tile of sums: set to zero, stored
  double output;   // a vector of responses from the products
  // A row of a tile on its way to the responses, where lanes run over tiles and over kernels.
  double scatter_tiles, scatter_kernels;

  [[nodiscard]] double input(const WinogradTransform& transform) const noexcept;
};

// Calling the kernels for a panel of a block, and for a call as a whole.
constexpr double winograd_panel_ns = 200, winograd_call_ns = 3000;

// Of image and responses beyond what the caches hold.
constexpr double winograd_cached_bytes = 4 << 20, winograd_byte_ns = 0.07;

const WinogradCosts& winograd_costs(const char* target) noexcept;

}  // namespace corrbank::detail
