// Halide's buffer descriptor, filled on the stack. For the two files that call kernels, and no others.
#pragma once

#include <HalideRuntime.h>

#include <cstdint>

namespace corrbank::detail {

// A halide_buffer_t with room for its dimensions, of elements of 32 bits if nothing else is said.
template <int dimensions>
class Buffer {
 public:
  Buffer(const void* data, halide_type_code_t code, int bits = 32) noexcept : Buffer(code, bits) {
    buffer_.host = const_cast<uint8_t*>(static_cast<const uint8_t*>(data));
  }
  // Memory of a device, by its address there.
  static Buffer on_device(std::uint64_t address, halide_type_code_t code) noexcept {
    Buffer made(code, 32);
    made.buffer_.device = address;
    return made;
  }
  Buffer& dim(int d, int extent, int stride) noexcept {
    set(dims_[d], extent, stride);
    return *this;
  }
  operator halide_buffer_t*() noexcept {
    buffer_.dim = dims_;  // here, since a buffer may have been copied
    return &buffer_;
  }

 private:
  Buffer(halide_type_code_t code, int bits) noexcept {
    buffer_.type = halide_type_t(code, static_cast<uint8_t>(bits), 1);
    buffer_.dimensions = dimensions;
  }
#if defined(__GNUC__)
  __attribute__((noinline))  // some hundred of it would be a KB
#endif
  static void set(halide_dimension_t& dim, int extent, int stride) noexcept {
    dim = halide_dimension_t(0, extent, stride);
  }
  halide_buffer_t buffer_{};
  halide_dimension_t dims_[dimensions];
};

}  // namespace corrbank::detail
