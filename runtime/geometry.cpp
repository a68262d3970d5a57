#include "geometry.h"

namespace corrbank::detail {

Geometry geometry(const ImageView& image, const PackedBank& bank, std::int64_t response_row_stride) noexcept {
  Geometry g{};
  g.channels = bank.channels;
  g.kernel_height = bank.height;
  g.kernel_width = bank.width;
  g.height = image.height - bank.height + 1;
  g.width = image.width - bank.width + 1;
  g.channel_stride = image.channel_stride;
  g.row_stride = image.row_stride;
  g.response_row_stride = response_row_stride == 0 ? g.width : response_row_stride;
  if (bank.height == 1 && bank.width == 1 && g.row_stride == g.width && g.response_row_stride == g.width) {
    g.width *= g.height;
    g.height = 1;
  }
  return g;
}

}  // namespace corrbank::detail
