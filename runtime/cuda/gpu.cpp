#include "cuda/gpu.h"

#include <atomic>
#include <cstdio>
#include <new>

#include "cuda/cuda_kernels.h"

namespace corrbank::detail::cuda {
namespace {

constexpr int max_gpus = 64;
constexpr int oldest_capability = 7;  // .x: what the kernels' PTX is made for

}  // namespace

Status Gpu::find(int ordinal, Gpu*& gpu) noexcept {
  static std::mutex setting_up;
  static std::atomic<Gpu*> gpus[max_gpus];

  const Driver* driver = nullptr;
  if (Status status = find_driver(driver)) return status;
  if (ordinal < 0 || ordinal >= driver->devices || ordinal >= max_gpus) {
    char text[96];
    std::snprintf(text, sizeof text, "options.device or a view's device is GPU %d, but this machine has %d GPU%s",
                  ordinal, driver->devices, driver->devices == 1 ? "" : "s");
    return {StatusCode::bad_device, text};
  }
  gpu = gpus[ordinal].load(std::memory_order_acquire);
  if (gpu != nullptr) return {};

  const std::lock_guard<std::mutex> lock(setting_up);
  gpu = gpus[ordinal].load(std::memory_order_acquire);
  if (gpu != nullptr) return {};
  Gpu* made = new (std::nothrow) Gpu(*driver, ordinal);
  if (made == nullptr) return {StatusCode::out_of_memory, "no memory to set up a GPU"};
  if (Status status = made->set_up()) {
    delete made;
    return status;
  }
  gpus[ordinal].store(made, std::memory_order_release);
  gpu = made;
  return {};
}

Status Gpu::set_up() noexcept {
  DeviceHandle device = 0;
  if (Result result = driver_.cuDeviceGet(&device, ordinal_)) return failed(result, "cuDeviceGet");
  int capability = 0;
  for (const auto& [attribute, value] : {std::pair<int, int*>{attribute_processors, &processors_},
                                         {attribute_shared_bytes, &shared_bytes_},
                                         {attribute_capability_major, &capability}}) {
    if (Result result = driver_.cuDeviceGetAttribute(value, attribute, device)) {
      return failed(result, "cuDeviceGetAttribute");
    }
  }
  if (capability < oldest_capability) {
    char text[96];
    std::snprintf(text, sizeof text, "target cuda: GPU %d has compute capability %d.x, but %d.0 is needed", ordinal_,
                  capability, oldest_capability);
    return {StatusCode::target_unavailable, text};
  }
  functions_ = new (std::nothrow) Function[all_cuda_kernels().count]();
  if (functions_ == nullptr) return {StatusCode::out_of_memory, "no memory to set up a GPU"};
  if (Result result = driver_.cuDevicePrimaryCtxRetain(&context_, device)) {
    delete[] functions_;
    return failed(result, "cuDevicePrimaryCtxRetain");
  }
  return {};
}

// Machine code made for this GPU, if there is some that the driver takes; else the PTX, which it compiles.
Result Gpu::load(const CudaKernel& kernel, const char* ptx, Module& module) const noexcept {
  if (kernel.fatbin != nullptr && driver_.cuModuleLoadData(&module, kernel.fatbin) == 0) return 0;
  // All registers that a thread can have: with fewer, sums would be spilled to memory.
  int option = jit_max_registers;
  void* value = reinterpret_cast<void*>(std::uintptr_t{255});
  return driver_.cuModuleLoadDataEx(&module, ptx, 1, &option, &value);
}

Status Gpu::function(const CudaKernel& kernel, const char* ptx, const char* name, Function& function) noexcept {
  const std::lock_guard<std::mutex> lock(loading_);
  Function& known = functions_[&kernel - all_cuda_kernels().rows];
  if (known == nullptr) {
    Module module = nullptr;
    if (Result result = load(kernel, ptx, module)) return failed(result, "cuModuleLoadDataEx");
    if (Result result = driver_.cuModuleGetFunction(&known, module, name)) {
      driver_.cuModuleUnload(module);
      known = nullptr;
      return failed(result, "cuModuleGetFunction");
    }
  }
  function = known;
  return {};
}

Status Gpu::check_address(const void* data, const char* view) const noexcept {
  const Address address = address_of(data);
  unsigned type = 0, managed = 0;
  char text[160];
  if (driver_.cuPointerGetAttribute(&type, pointer_memory_type, address) != 0) {
    std::snprintf(text, sizeof text, "%s.data is %p, which is no memory of GPU %d", view, data, ordinal_);
    return {StatusCode::bad_device, text};
  }
  // Either side may use managed memory, and the host's that is mapped for GPUs.
  if (driver_.cuPointerGetAttribute(&managed, pointer_is_managed, address) == 0 && managed != 0) return {};
  if (type != memory_type_device) return {};
  int ordinal = -1;
  if (Result result = driver_.cuPointerGetAttribute(&ordinal, pointer_device_ordinal, address)) {
    return failed(result, "cuPointerGetAttribute");
  }
  if (ordinal == ordinal_) return {};
  std::snprintf(text, sizeof text, "%s.data is memory of GPU %d, not of GPU %d", view, ordinal, ordinal_);
  return {StatusCode::bad_device, text};
}

}  // namespace corrbank::detail::cuda
