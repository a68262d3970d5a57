// Extents of a bank in a GPU's memory.
#pragma once

#include <cstdint>

namespace corrbank::detail::cuda {

constexpr int widest_tile = 16;  // kernels

// Kernels of a tap, those of the padding included: a multiple of 4, whatever the width of the tile at its end.
constexpr std::int64_t padded_kernels(std::int64_t count) noexcept { return (count + widest_tile - 1 + 3) / 4 * 4; }

}  // namespace corrbank::detail::cuda
