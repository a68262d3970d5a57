#include "cuda/driver.h"

#include <dlfcn.h>

#include <cstdio>

namespace corrbank::detail::cuda {
namespace {

// What is found is kept for the life of the process, a failure too: the library is never closed, since other users of
// CUDA in the process may hold what they got from it.
struct LoadedDriver {
  Driver driver;
  Status status;

  LoadedDriver() noexcept : status(load()) {}

 private:
  Status load() noexcept {
    void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return {StatusCode::target_unavailable, "target cuda: there is no CUDA driver here (libcuda.so.1 was not found)"};
    }
#define CORRBANK_CUDA_LOOK_UP(name, parameters)                                            \
  driver.name = reinterpret_cast<decltype(driver.name)>(dlsym(library, #name));            \
  if (driver.name == nullptr) {                                                            \
    return {StatusCode::target_unavailable, "target cuda: the CUDA driver has no " #name}; \
  }
    CORRBANK_CUDA_DRIVER(CORRBANK_CUDA_LOOK_UP)
#undef CORRBANK_CUDA_LOOK_UP
    Result result = driver.cuInit(0);
    if (result == 0) result = driver.cuDeviceGetCount(&driver.devices);
    if (result == 0 && driver.devices > 0) return {};
    char text[96];
    std::snprintf(text, sizeof text, "target cuda: the CUDA driver finds no GPU (error %d)", result);
    return {StatusCode::target_unavailable, text};
  }
};

const LoadedDriver& loaded_driver() noexcept {
  static const LoadedDriver loaded;
  return loaded;
}

}  // namespace

Status find_driver(const Driver*& driver) noexcept {
  const LoadedDriver& loaded = loaded_driver();
  driver = &loaded.driver;
  return loaded.status;
}

Status failed(Result result, const char* call) noexcept {
  const char* name = nullptr;
  const Driver& driver = loaded_driver().driver;
  if (driver.cuGetErrorName(result, &name) != 0 || name == nullptr) name = "an unknown error";
  char text[160];
  std::snprintf(text, sizeof text, "the CUDA driver's %s answered %s (%d)", call, name, result);
  return {result == out_of_memory_result ? StatusCode::out_of_memory : StatusCode::device_error, text};
}

}  // namespace corrbank::detail::cuda
