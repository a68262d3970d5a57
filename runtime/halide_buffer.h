// Halide's buffer descriptor, filled on the stack. For the two files that call kernels, and no others.
#pragma once

#include <HalideRuntime.h>

#include <cstdint>

namespace corrbank::detail {

// Some hundred of each would be KBs.
#if defined(__GNUC__)
#define CORRBANK_ONCE __attribute__((noinline))
#else
#define CORRBANK_ONCE
#endif
CORRBANK_ONCE inline void set_buffer(halide_buffer_t& buffer, const void* host, std::uint64_t device,
                                     halide_type_code_t code, int bits, int dimensions) noexcept {
  buffer = {};
  buffer.host = const_cast<uint8_t*>(static_cast<const uint8_t*>(host));
  buffer.device = device;
  buffer.type = halide_type_t(code, static_cast<uint8_t>(bits), 1);
  buffer.dimensions = dimensions;
}
CORRBANK_ONCE inline void set_dimension(halide_dimension_t& dim, int extent, int stride) noexcept {
  dim = halide_dimension_t(0, extent, stride);
}
#undef CORRBANK_ONCE

// A halide_buffer_t with room for its dimensions, of elements of 32 bits if nothing else is said.
template <int dimensions>
class Buffer {
 public:
  Buffer(const void* data, halide_type_code_t code, int bits = 32) noexcept : Buffer(data, 0, code, bits) {}
  // Memory of a device, by its address there.
  static Buffer on_device(std::uint64_t address, halide_type_code_t code) noexcept {
    return Buffer(nullptr, address, code, 32);
  }
  Buffer& at(const void* data) noexcept {
    buffer_.host = const_cast<uint8_t*>(static_cast<const uint8_t*>(data));
    return *this;
  }
  Buffer& dim(int d, int extent, int stride) noexcept {
    set_dimension(dims_[d], extent, stride);
    return *this;
  }
  operator halide_buffer_t*() noexcept {
    buffer_.dim = dims_;  // here, since a buffer may have been copied
    return &buffer_;
  }

 private:
  Buffer(const void* host, std::uint64_t device, halide_type_code_t code, int bits) noexcept {
    set_buffer(buffer_, host, device, code, bits, dimensions);
  }
  halide_buffer_t buffer_;
  halide_dimension_t dims_[dimensions];
};

}  // namespace corrbank::detail
