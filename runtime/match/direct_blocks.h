// How the direct algorithm goes through an image that is matched: in blocks that the caches keep from the pixels without their
// offsets to the scores.
#pragma once

#include <cstddef>
#include <cstdint>

#include "direct/direct.h"

namespace corrbank::detail {

struct DirectBlocks {
  std::int64_t down = 0, across = 0;  // blocks, whose extents differ by one at most
  Geometry geometry{};                // of the largest; strides are those of all
  DirectPlan plan;                    // of all

  // Of a thread's scratch: where, behind the pixels, the correlations of the kernels that run together lie, where parts of
  // their sums, and the size.
  [[nodiscard]] std::size_t panel() const noexcept;
  [[nodiscard]] std::size_t part() const noexcept;
  [[nodiscard]] std::size_t bytes() const noexcept;

 private:
  [[nodiscard]] std::size_t panel_bytes() const noexcept;
};

// For an image and bank as the geometry has them.
DirectBlocks plan_direct_blocks(const Geometry& geometry, const PackedBank& bank) noexcept;

}  // namespace corrbank::detail
