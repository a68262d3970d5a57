// Memory of a GPU for the tests, by the driver that corrbank itself finds: the machine's, or the stand-in.
#pragma once

#include <dlfcn.h>

#include <corrbank/corrbank.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace corrbank_test {

// Calls an entry point of the driver; any error ends the test with an exception.
template <typename... Arguments>
int driver_result(const char* name, Arguments... arguments) {
  static void* const library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  void* const symbol = library != nullptr ? dlsym(library, name) : nullptr;
  if (symbol == nullptr) throw std::runtime_error(std::string("no ") + name);
  return reinterpret_cast<int (*)(Arguments...)>(symbol)(arguments...);
}

template <typename... Arguments>
void call_driver(const char* name, Arguments... arguments) {
  if (const int result = driver_result(name, arguments...)) {
    throw std::runtime_error(std::string(name) + " answered " + std::to_string(result));
  }
}

// Makes the GPU's primary context the thread's own, as users of CUDA's runtime library have it.
inline void enter_gpu(int ordinal = 0) {
  call_driver("cuInit", 0U);
  void* context = nullptr;
  call_driver("cuDevicePrimaryCtxRetain", &context, ordinal);
  call_driver("cuCtxSetCurrent", context);
}

// Elements in a GPU's memory, `phase` elements behind the start of an allocation of their own, so that a stand-in driver
// sees what lies outside.
class GpuFloats {
 public:
  explicit GpuFloats(std::size_t count, std::size_t phase = 0, int ordinal = 0) : count_(count) {
    enter_gpu(ordinal);
    call_driver("cuMemAlloc_v2", &allocation_, (phase + count) * sizeof(float));
    address_ = allocation_ + phase * sizeof(float);
  }
  explicit GpuFloats(const std::vector<float>& values, int ordinal = 0) : GpuFloats(values.size(), 0, ordinal) {
    copy_from(values.data());
  }
  GpuFloats(const GpuFloats&) = delete;
  GpuFloats& operator=(const GpuFloats&) = delete;
  ~GpuFloats() { driver_result("cuMemFree_v2", allocation_); }

  [[nodiscard]] float* data() const { return reinterpret_cast<float*>(static_cast<std::uintptr_t>(address_)); }
  void copy_from(const float* values) {
    call_driver("cuMemcpyHtoD_v2", address_, static_cast<const void*>(values), count_ * sizeof(float));
  }
  // Waits for all work of the GPU.
  void copy_to(float* values) const {
    call_driver("cuCtxSynchronize");
    call_driver("cuMemcpyDtoH_v2", static_cast<void*>(values), address_, count_ * sizeof(float));
  }
  [[nodiscard]] std::vector<float> values() const {
    std::vector<float> copy(count_);
    copy_to(copy.data());
    return copy;
  }

 private:
  std::size_t count_;
  std::uint64_t allocation_ = 0, address_ = 0;
};

// Elements from a view's first to its last.
inline std::size_t elements_of(std::int64_t width, std::initializer_list<std::pair<std::int64_t, std::int64_t>> outer) {
  std::int64_t span = width;
  for (const auto& [extent, stride] : outer) span += extent > 1 ? (extent - 1) * stride : 0;
  return static_cast<std::size_t>(span);
}
inline std::size_t elements_of(const corrbank::ImageView& v) {
  return elements_of(v.width, {{v.channels, v.channel_stride}, {v.height, v.row_stride}});
}
inline std::size_t elements_of(const corrbank::KernelsView& v) {
  return elements_of(v.width, {{v.count, v.kernel_stride}, {v.channels, v.channel_stride}, {v.height, v.row_stride}});
}
inline std::size_t elements_of(const corrbank::ResponsesView& v) {
  return elements_of(v.width, {{v.count, v.kernel_stride}, {v.height, v.row_stride}});
}

// A view's elements, gaps included, copied to a GPU, and the view of them there. They lie as far from 16 bytes' alignment
// there as here.
template <typename View>
struct OnGpu {
  explicit OnGpu(const View& host, int ordinal = 0)
      : memory(elements_of(host), reinterpret_cast<std::uintptr_t>(host.data) % 16 / sizeof(float), ordinal),
        view(host) {
    memory.copy_from(static_cast<const float*>(host.data));
    view.data = memory.data();
    view.device = corrbank::cuda_device(ordinal);
  }
  GpuFloats memory;
  View view;
};

// corrbank::correlate() of views in the host's memory, wherever the bank is: for a GPU they are copied there, and the
// responses, gaps included, back.
inline corrbank::Status correlate_anywhere(const corrbank::ImageView& image, const corrbank::Bank& bank,
                                           const corrbank::ResponsesView& responses, const corrbank::Options& options) {
  if (bank.device().type == corrbank::DeviceType::cpu) return corrbank::correlate(image, bank, responses, options);
  const OnGpu<corrbank::ImageView> there(image);
  const OnGpu<corrbank::ResponsesView> out(responses);
  if (corrbank::Status status = corrbank::correlate(there.view, bank, out.view, options)) return status;
  out.memory.copy_to(static_cast<float*>(responses.data));
  return {};
}

inline corrbank::Status correlate_anywhere(const corrbank::ImageView& image, const corrbank::KernelsView& kernels,
                                           const corrbank::ResponsesView& responses, const corrbank::Options& options) {
  corrbank::Bank bank;
  if (corrbank::Status status = corrbank::Bank::create(kernels, options, bank)) return status;
  return correlate_anywhere(image, bank, responses, options);
}

}  // namespace corrbank_test
