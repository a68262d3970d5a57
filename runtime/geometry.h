// The extents of a call, as plans and kernels see them.
#pragma once

#include <cstdint>

#include "bank.h"

namespace corrbank::detail {

constexpr std::int64_t quotient_up(std::int64_t a, std::int64_t b) noexcept { return (a + b - 1) / b; }

constexpr std::int64_t round_up(std::int64_t n, std::int64_t multiple) noexcept {
  return quotient_up(n, multiple) * multiple;
}

// Where part `index` of `parts` nearly equal ones of `whole` begins.
constexpr std::int64_t part(std::int64_t whole, std::int64_t index, std::int64_t parts) noexcept {
  return whole * index / parts;
}

// The extents of one call, after rows that lie back to back were joined (geometry()).
struct Geometry {
  std::int64_t channels, kernel_height, kernel_width;
  std::int64_t height, width;  // of the responses
  std::int64_t channel_stride, row_stride;
  std::int64_t response_row_stride;

  [[nodiscard]] std::int64_t image_height() const noexcept { return height + kernel_height - 1; }
  [[nodiscard]] std::int64_t image_width() const noexcept { return width + kernel_width - 1; }
  // Of all elements, without the gaps between them.
  [[nodiscard]] double image_bytes() const noexcept {
    return static_cast<double>(channels * image_height() * image_width()) * sizeof(float);
  }
  [[nodiscard]] double response_bytes(std::int64_t kernels) const noexcept {
    return static_cast<double>(kernels * height * width) * sizeof(float);
  }
};

// `response_row_stride`: 0 for compact responses. A 1x1 kernel on an image and responses without gaps between rows is
// one long row: no vector ends early.
Geometry geometry(const ImageView& image, const PackedBank& bank, std::int64_t response_row_stride) noexcept;

}  // namespace corrbank::detail
