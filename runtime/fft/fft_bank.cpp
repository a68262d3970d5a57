// The spectra of a bank: its kernels as tiles of an image, by the same passes, conjugated and scaled, in the order that the
// products read them.
#include <algorithm>
#include <memory>
#include <new>

#include "fft.h"

namespace corrbank::detail {
namespace {

struct Making {
  const PackedBank& bank;
  const FftPlan& plan;
};

// Where kernel k, channel c, bin (x, y) is: re at the first, im `im` behind where kernels are lanes; else re, im - re, re + im.
struct Place {
  std::ptrdiff_t k_inner, k_block, channel, bin, im;
  int block;  // kernels of a block

  explicit Place(const FftPlan& plan) noexcept {
    if (plan.fused) {
      block = 1;
      k_inner = 0, im = 1, channel = 0;
    } else if (plan.over_tiles()) {
      block = plan.product->kernels;
      k_inner = 3, im = 1, channel = 3 * block;
    } else {
      block = plan.product->kernels * plan.lanes();
      k_inner = 1, im = plan.lanes(), channel = 2 * block;
    }
    if (plan.many) {
      k_block = plan.block_floats, bin = k_block * plan.kernel_blocks();
    } else {
      bin = plan.block_floats, k_block = bin * plan.all_multiplied();
    }
  }
  [[nodiscard]] std::ptrdiff_t kernel(std::int64_t k, int lanes, bool over_tiles) const noexcept {
    const std::int64_t inner = k % block;
    return k / block * k_block + (over_tiles ? inner * k_inner : inner / lanes * 2 * lanes + inner % lanes);
  }
};

bool make_spectra(const void* context, void* memory) noexcept {
  const auto& [bank, plan] = *static_cast<const Making*>(context);
  const int lanes = plan.lanes(), element = plan.element(), bins = plan.bins();
  const int rows = plan.rows->size, columns = plan.columns->size;
  const auto height = static_cast<int>(bank.height), width = static_cast<int>(bank.width);
  const std::ptrdiff_t line = std::ptrdiff_t{height} * columns;
  const std::size_t floats = static_cast<std::size_t>(lanes * line + std::ptrdiff_t{2} * bins * rows * element);
  const std::unique_ptr<float[]> scratch(new (std::nothrow) float[floats]());
  if (scratch == nullptr) return false;
  float* const images = scratch.get();
  const Spectra by_rows{images + lanes * line, element, std::ptrdiff_t{rows} * element};
  const Spectra spectra{by_rows.data + std::ptrdiff_t{bins} * rows * element, by_rows.y_stride, by_rows.x_stride};
  std::int32_t offsets[most_fft_lanes] = {};
  const float no_shifts[most_fft_lanes] = {};
  for (int l = 0; l < lanes; ++l) offsets[l] = static_cast<std::int32_t>(l * line);

  auto* out = static_cast<float*>(memory);
  std::fill_n(out, plan.form_bytes / sizeof(float), 0.0f);
  const Place place(plan);
  const double forward = plan.columns->forward_scale();
  const auto scale =
      static_cast<float>(1 / (forward * forward * plan.columns->inverse_scale() * static_cast<double>(rows)));
  const std::int64_t all = bank.count * bank.channels;
  for (std::int64_t first = 0; first < all; first += lanes) {
    const int count = static_cast<int>(std::min<std::int64_t>(lanes, all - first));
    for (int l = 0; l < count; ++l) {
      const std::int64_t k = (first + l) / bank.channels, c = (first + l) % bank.channels;
      const int stride = bank.block_width(k);
      const float* tap = bank.kernel(k) + c * height * width * stride;
      for (int i = 0; i < height; ++i) {
        for (int j = 0; j < width; ++j, tap += stride) images[l * line + i * columns + j] = *tap;
      }
    }
    rows_forward(*plan.columns, lanes, images, offsets, no_shifts, columns, height, by_rows);
    columns_forward(*plan.rows, lanes, by_rows, spectra, bins);
    for (int l = 0; l < count; ++l) {
      const std::int64_t k = (first + l) / bank.channels, c = (first + l) % bank.channels;
      float* to = out + place.kernel(k, lanes, plan.over_tiles()) + c * place.channel;
      for (int x = 0; x < bins; ++x) {
        const float* from = spectra.data + x * spectra.x_stride + l;
        float* at = to + plan.multiplied_before(x) * place.bin;
        for (int y = 0; y < plan.multiplied(x); ++y, from += element, at += place.bin) {
          const float re = scale * from[0], im = -scale * from[lanes];
          at[0] = re;
          if (plan.over_tiles() && !plan.fused) {
            at[1] = im - re;
            at[2] = re + im;
          } else {
            at[place.im] = im;
          }
        }
      }
    }
  }
  return true;
}

const void* get(const PackedBank& bank, const FftPlan& plan) noexcept {
  const Making making{bank, plan};
  return bank.forms.get(plan.form, plan.form_bytes, make_spectra, &making);
}

}  // namespace

bool prepare_fft(const PackedBank& bank, const FftPlan& plan) noexcept { return get(bank, plan) != nullptr; }

const float* fft_bank(const PackedBank& bank, const FftPlan& plan) noexcept {
  return static_cast<const float*>(get(bank, plan));
}

}  // namespace corrbank::detail
