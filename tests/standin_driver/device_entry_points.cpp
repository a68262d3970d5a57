// cuInit, devices, contexts, and what errors are called.
#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "device_memory.h"
#include "driver.h"
#include "settings.h"

using namespace standin;

namespace {

constexpr int driver_version = 12080;

// Shared memory that a block of a device of this capability may ask for.
int largest_shared_bytes() {
  const Capability device = capability();
  const int version = 10 * device.major + device.minor;
  if (version >= 90 && version < 120) return 232448;
  if (version == 80 || version == 87) return 166912;
  if (version >= 80) return 101376;
  return version == 75 ? 65536 : version >= 70 ? 98304 : 49152;
}

bool is_device(CUdevice device) { return device >= 0 && device < device_count(); }

struct ErrorName {
  CUresult code;
  const char *name, *text;
};
constexpr ErrorName error_names[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_INVALID_VALUE, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {CUDA_ERROR_OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {CUDA_ERROR_NOT_INITIALIZED, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {CUDA_ERROR_DEINITIALIZED, "CUDA_ERROR_DEINITIALIZED", "driver shutting down"},
    {CUDA_ERROR_NO_DEVICE, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {CUDA_ERROR_INVALID_DEVICE, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {CUDA_ERROR_INVALID_IMAGE, "CUDA_ERROR_INVALID_IMAGE", "device kernel image is invalid"},
    {CUDA_ERROR_INVALID_CONTEXT, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {CUDA_ERROR_NO_BINARY_FOR_GPU, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available for execution"},
    {CUDA_ERROR_INVALID_PTX, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {CUDA_ERROR_INVALID_HANDLE, "CUDA_ERROR_INVALID_HANDLE", "invalid resource handle"},
    {CUDA_ERROR_NOT_FOUND, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {CUDA_ERROR_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    {CUDA_ERROR_ILLEGAL_ADDRESS, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {CUDA_ERROR_CONTEXT_IS_DESTROYED, "CUDA_ERROR_CONTEXT_IS_DESTROYED", "context is destroyed"},
    {CUDA_ERROR_MISALIGNED_ADDRESS, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {CUDA_ERROR_LAUNCH_FAILED, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
};

const ErrorName* find_error(CUresult code) {
  const auto* found = std::find_if(std::begin(error_names), std::end(error_names),
                                   [=](const ErrorName& error) { return error.code == code; });
  return found == std::end(error_names) ? nullptr : found;
}

}  // namespace

bool standin::device_attribute(int number, int& value) {
  switch (number) {
    case 1: value = 1024; return true;  // threads of a block
    case 2:
    case 3: value = 1024; return true;  // its extents
    case 4: value = 64; return true;
    case 5: value = 2147483647; return true;  // extents of the grid
    case 6:
    case 7: value = 65535; return true;
    case 8: value = 49152; return true;  // shared memory of a block
    case 9: value = 65536; return true;  // constant memory
    case 10: value = warp_size; return true;
    case 12: value = 65536; return true;    // registers of a block
    case 13: value = 1755000; return true;  // clock, kHz
    case 16: value = 132; return true;      // multiprocessors
    case 31: value = 1; return true;        // concurrent kernels
    case 33:
    case 34:
    case 50: value = 0; return true;         // place on the PCI bus
    case 36: value = 2619000; return true;   // memory clock, kHz
    case 37: value = 5120; return true;      // memory bus, bits
    case 38: value = 52428800; return true;  // second-level cache
    case 39: value = 2048; return true;      // threads of a multiprocessor
    case 40: value = 3; return true;         // copy engines
    case 41: value = 1; return true;         // unified addressing
    case 75: value = capability().major; return true;
    case 76: value = capability().minor; return true;
    case 81: value = largest_shared_bytes() + 1024; return true;  // shared memory of a multiprocessor
    case 82: value = 65536; return true;                          // registers of a multiprocessor
    case 83: value = 0; return true;                              // managed memory
    case 97: value = largest_shared_bytes(); return true;
    case 106: value = 32; return true;  // blocks of a multiprocessor
    case 115: value = 0; return true;   // memory pools
    default: return false;
  }
}

STANDIN_EXPORT CUresult cuInit(unsigned flags) {
  Driver& driver = Driver::instance();
  const std::lock_guard lock(driver.mutex);
  const int injected = injected_failure("cuInit");
  if (injected != 0) return injected;
  if (flags != 0) return CUDA_ERROR_INVALID_VALUE;
  driver.initialised = device_count() > 0;
  return driver.initialised ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}

STANDIN_EXPORT CUresult cuDriverGetVersion(int* version) {
  const int injected = injected_failure("cuDriverGetVersion");
  if (injected != 0) return injected;
  *version = driver_version;
  return CUDA_SUCCESS;
}

STANDIN_EXPORT CUresult cuDeviceGetCount(int* count) {
  return call("cuDeviceGetCount", [=](Driver&) {
    *count = device_count();
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  return call("cuDeviceGet", [=](Driver&) {
    if (!is_device(ordinal)) return CUDA_ERROR_INVALID_DEVICE;
    *device = ordinal;
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuDeviceGetName(char* name, int bytes, CUdevice device) {
  return call("cuDeviceGetName", [=](Driver&) {
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    std::snprintf(name, static_cast<std::size_t>(bytes), "stand-in for a CUDA device");
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuDeviceGetAttribute(int* value, int number, CUdevice device) {
  return call("cuDeviceGetAttribute", [=](Driver&) {
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    return device_attribute(number, *value) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

STANDIN_EXPORT CUresult cuDeviceTotalMem_v2(std::size_t* bytes, CUdevice device) {
  return call("cuDeviceTotalMem_v2", [=](Driver&) {
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    *bytes = memory_bytes();
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuDevicePrimaryCtxRetain(Context** context, CUdevice device) {
  return call("cuDevicePrimaryCtxRetain", [=](Driver& driver) {
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    *context = driver.context_of(device);
    ++(*context)->references;
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuDevicePrimaryCtxRelease_v2(CUdevice device) {
  return call("cuDevicePrimaryCtxRelease_v2", [=](Driver& driver) {
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    Context& context = *driver.context_of(device);
    if (context.references == 0) return CUDA_ERROR_INVALID_CONTEXT;
    if (--context.references == 0) driver.destroy(context);
    return CUDA_SUCCESS;
  });
}
STANDIN_EXPORT CUresult cuDevicePrimaryCtxRelease(CUdevice device) { return cuDevicePrimaryCtxRelease_v2(device); }

STANDIN_EXPORT CUresult cuDevicePrimaryCtxReset_v2(CUdevice device) {
  return call("cuDevicePrimaryCtxReset_v2", [=](Driver& driver) {
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    driver.destroy(*driver.context_of(device));
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuDevicePrimaryCtxGetState(CUdevice device, unsigned* flags, int* active) {
  return call("cuDevicePrimaryCtxGetState", [=](Driver& driver) {
    if (!is_device(device)) return CUDA_ERROR_INVALID_DEVICE;
    *flags = 0;
    *active = driver.context_of(device)->references > 0 ? 1 : 0;
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuCtxGetCurrent(Context** context) {
  return call("cuCtxGetCurrent", [=](Driver&) {
    *context = context_stack().empty() ? nullptr : context_stack().back();
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuCtxSetCurrent(Context* context) {
  return call("cuCtxSetCurrent", [=](Driver& driver) {
    if (context != nullptr && driver.find_context(context) == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    auto& stack = context_stack();
    if (!stack.empty()) stack.pop_back();
    if (context != nullptr) stack.push_back(context);
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuCtxPushCurrent_v2(Context* context) {
  return call("cuCtxPushCurrent_v2", [=](Driver& driver) {
    if (driver.find_context(context) == nullptr) return CUDA_ERROR_INVALID_CONTEXT;
    context_stack().push_back(context);
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuCtxPopCurrent_v2(Context** context) {
  return call("cuCtxPopCurrent_v2", [=](Driver&) {
    auto& stack = context_stack();
    if (stack.empty()) return CUDA_ERROR_INVALID_CONTEXT;
    if (context != nullptr) *context = stack.back();
    stack.pop_back();
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuCtxGetDevice(CUdevice* device) {
  return call_in_context("cuCtxGetDevice", [=](Driver&, Context& context) {
    *device = context.device;
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuCtxSynchronize() {
  return call_in_context("cuCtxSynchronize", [](Driver& driver, Context& context) {
    driver.finish_all(context);
    return context.error;
  });
}

STANDIN_EXPORT CUresult cuGetErrorName(CUresult code, const char** name) {
  const ErrorName* error = find_error(code);
  *name = error == nullptr ? nullptr : error->name;
  return error == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

STANDIN_EXPORT CUresult cuGetErrorString(CUresult code, const char** text) {
  const ErrorName* error = find_error(code);
  *text = error == nullptr ? nullptr : error->text;
  return error == nullptr ? CUDA_ERROR_INVALID_VALUE : CUDA_SUCCESS;
}

// The newest version of an entry point of this library, whatever version is asked for.
STANDIN_EXPORT CUresult cuGetProcAddress_v2(const char* name, void** function, int, std::uint64_t, int* status) {
  Dl_info self;
  *function = nullptr;
  if (dladdr(reinterpret_cast<void*>(&cuInit), &self) == 0) return CUDA_ERROR_NOT_FOUND;
  void* library = dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
  if (library == nullptr) return CUDA_ERROR_NOT_FOUND;
  *function = dlsym(library, (std::string(name) + "_v2").c_str());
  if (*function == nullptr) *function = dlsym(library, name);
  dlclose(library);
  if (status != nullptr) *status = *function == nullptr ? 1 : 0;
  return *function == nullptr ? CUDA_ERROR_NOT_FOUND : CUDA_SUCCESS;
}
