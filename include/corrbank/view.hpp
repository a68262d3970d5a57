// Views of the caller's memory: pointer, element type, extents, strides. They own nothing.
//
// Strides count elements, not bytes. Neighbouring columns are always adjacent (column stride 1); rows, channels and
// kernels lie as far apart as their strides say, so a region of interest or a frame with padded rows needs no copy.
// corrbank reads and writes the elements a view names and nothing between or behind them: 0 bytes of over-read.
// An extent of 1 leaves its stride without meaning.
//
// Limits: every extent is at least 1. The elements from a view's first to its last (its span) are at most 2^31 - 1 for
// an image and for a plane of the responses, and so is the responses' kernel_stride; the whole of the responses and of
// the kernels spans at most 2^60. 16 kernels hold at most 2^31 - 1 taps.
#pragma once

#include <cstdint>

namespace corrbank {

// What elements are. correlate() takes f32 alone; match() and find() take images and templates of f32, u8 and u16, and
// write f32, or i32 where the scores are integers.
enum class DType : int { f32 = 0, u8 = 1, u16 = 2, i32 = 3 };
constexpr int dtype_bytes(DType dtype) noexcept { return dtype == DType::u8 ? 1 : dtype == DType::u16 ? 2 : 4; }

// The element types that views of other than f32 deduce; none for any other type, a null pointer's included.
template <typename T>
struct narrow_dtype {};
template <>
struct narrow_dtype<std::uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct narrow_dtype<std::uint16_t> {
  static constexpr DType value = DType::u16;
};
template <typename T>
struct integer_dtype {};
template <>
struct integer_dtype<std::int32_t> {
  static constexpr DType value = DType::i32;
};

// Where the memory of a view lies: in the host's, or in that of the GPU of this ordinal, as CUDA counts them. Memory that
// CUDA lets both use (managed, or pinned and mapped) may be called either. All views of a call lie on its Bank's device.
enum class DeviceType : int { cpu = 0, cuda = 1 };
struct Device {
  DeviceType type = DeviceType::cpu;
  int index = 0;  // of a GPU

  friend constexpr bool operator==(Device a, Device b) noexcept {
    return a.type == b.type && (a.type == DeviceType::cpu || a.index == b.index);
  }
  friend constexpr bool operator!=(Device a, Device b) noexcept { return !(a == b); }
};
constexpr Device cuda_device(int index = 0) noexcept { return {DeviceType::cuda, index}; }

// image[c, y, x] at data + c * channel_stride + y * row_stride + x, read only. Strides >= 0; 0 repeats a row or channel.
struct ImageView {
  const void* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t channels = 0, height = 0, width = 0;
  std::int64_t channel_stride = 0, row_stride = 0;
  Device device{};

  ImageView() = default;
  // Compact [channels, height, width].
  ImageView(const float* data, std::int64_t channels, std::int64_t height, std::int64_t width) noexcept
      : data(data), channels(channels), height(height), width(width), channel_stride(0), row_stride(width) {
    channel_stride = compact_plane(height, width);
  }
  ImageView(const float* data, std::int64_t channels, std::int64_t height, std::int64_t width,
            std::int64_t channel_stride, std::int64_t row_stride) noexcept
      : data(data), channels(channels), height(height), width(width), channel_stride(channel_stride),
        row_stride(row_stride) {}
  // Compact, of u8 or u16.
  template <typename T, DType type = narrow_dtype<T>::value>
  ImageView(const T* data, std::int64_t channels, std::int64_t height, std::int64_t width) noexcept
      : ImageView(static_cast<const float*>(nullptr), channels, height, width) {
    this->data = data;
    dtype = type;
  }

  // The same extents and strides over other elements.
  [[nodiscard]] ImageView of(const void* elements, DType type) const noexcept {
    ImageView view = *this;
    view.data = elements;
    view.dtype = type;
    return view;
  }
  // The same view of memory on a device: ImageView(pointer, C, H, W).on(cuda_device()).
  [[nodiscard]] ImageView on(Device where) const noexcept {
    ImageView view = *this;
    view.device = where;
    return view;
  }

  // height * width without undefined overflow: extents too large to multiply are refused later, by name.
  static std::int64_t compact_plane(std::int64_t height, std::int64_t width) noexcept {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(height) * static_cast<std::uint64_t>(width));
  }
};

// kernels[k, c, i, j] at data + k * kernel_stride + c * channel_stride + i * row_stride + j, read only. Strides >= 0.
struct KernelsView {
  const void* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t count = 0, channels = 0, height = 0, width = 0;
  std::int64_t kernel_stride = 0, channel_stride = 0, row_stride = 0;
  Device device{};

  KernelsView() = default;
  // Compact [count, channels, height, width].
  KernelsView(const float* data, std::int64_t count, std::int64_t channels, std::int64_t height,
              std::int64_t width) noexcept
      : data(data), count(count), channels(channels), height(height), width(width), row_stride(width) {
    channel_stride = ImageView::compact_plane(height, width);
    kernel_stride = ImageView::compact_plane(channels, channel_stride);
  }
  KernelsView(const float* data, std::int64_t count, std::int64_t channels, std::int64_t height, std::int64_t width,
              std::int64_t kernel_stride, std::int64_t channel_stride, std::int64_t row_stride) noexcept
      : data(data), count(count), channels(channels), height(height), width(width), kernel_stride(kernel_stride),
        channel_stride(channel_stride), row_stride(row_stride) {}
  // Compact, of u8 or u16.
  template <typename T, DType type = narrow_dtype<T>::value>
  KernelsView(const T* data, std::int64_t count, std::int64_t channels, std::int64_t height,
              std::int64_t width) noexcept
      : KernelsView(static_cast<const float*>(nullptr), count, channels, height, width) {
    this->data = data;
    dtype = type;
  }

  [[nodiscard]] KernelsView of(const void* elements, DType type) const noexcept {
    KernelsView view = *this;
    view.data = elements;
    view.dtype = type;
    return view;
  }
  [[nodiscard]] KernelsView on(Device where) const noexcept {
    KernelsView view = *this;
    view.device = where;
    return view;
  }
};

// responses[k, y, x] at data + k * kernel_stride + y * row_stride + x, written. Elements must be apart: one of the two
// strides is at least the width, the other at least all that the first one's dimension spans. So planes may follow each
// other, or the rows of all kernels lie side by side.
struct ResponsesView {
  void* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t count = 0, height = 0, width = 0;
  std::int64_t kernel_stride = 0, row_stride = 0;
  Device device{};

  ResponsesView() = default;
  // Compact [count, height, width].
  ResponsesView(float* data, std::int64_t count, std::int64_t height, std::int64_t width) noexcept
      : data(data), count(count), height(height), width(width), row_stride(width) {
    kernel_stride = ImageView::compact_plane(height, width);
  }
  ResponsesView(float* data, std::int64_t count, std::int64_t height, std::int64_t width, std::int64_t kernel_stride,
                std::int64_t row_stride) noexcept
      : data(data), count(count), height(height), width(width), kernel_stride(kernel_stride), row_stride(row_stride) {}

  // Compact, of i32: scores that are integers (match.hpp).
  template <typename T, DType type = integer_dtype<T>::value>
  ResponsesView(T* data, std::int64_t count, std::int64_t height, std::int64_t width) noexcept
      : ResponsesView(static_cast<float*>(nullptr), count, height, width) {
    this->data = data;
    dtype = type;
  }

  [[nodiscard]] ResponsesView on(Device where) const noexcept {
    ResponsesView view = *this;
    view.device = where;
    return view;
  }
};

}  // namespace corrbank
