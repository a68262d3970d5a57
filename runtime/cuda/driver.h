// The part of CUDA's driver library that corrbank uses, found when the program runs: neither the toolkit nor the driver
// is needed to build or to start. Types and values are those of the driver's documentation.
#pragma once

#include <cstddef>
#include <cstdint>

#include "corrbank/status.hpp"

namespace corrbank::detail::cuda {

using Result = int;             // CUresult; 0 is success
using DeviceHandle = int;       // CUdevice
using Context = void*;          // CUcontext
using Stream = void*;           // CUstream
using Module = void*;           // CUmodule
using Function = void*;         // CUfunction
using Address = std::uint64_t;  // CUdeviceptr

inline Address address_of(const void* data) noexcept { return reinterpret_cast<std::uintptr_t>(data); }

constexpr Result out_of_memory_result = 2;

// CUdevice_attribute, CUpointer_attribute, CUfunction_attribute, CUjit_option.
constexpr int attribute_processors = 16;
constexpr int attribute_shared_bytes = 97;  // of a block that asks for it
constexpr int attribute_capability_major = 75;
constexpr int pointer_memory_type = 2;
constexpr int pointer_is_managed = 8;
constexpr int pointer_device_ordinal = 9;
constexpr unsigned memory_type_device = 2;
constexpr int function_dynamic_shared_bytes = 8;
constexpr int jit_max_registers = 0;
constexpr int shared_bytes_without_asking = 48 << 10;

// Name in the library, then type.
#define CORRBANK_CUDA_DRIVER(X)                                                                                \
  X(cuInit, (unsigned flags))                                                                                  \
  X(cuDeviceGetCount, (int* count))                                                                            \
  X(cuDeviceGet, (DeviceHandle * device, int ordinal))                                                         \
  X(cuDeviceGetAttribute, (int* value, int attribute, DeviceHandle device))                                    \
  X(cuDevicePrimaryCtxRetain, (Context * context, DeviceHandle device))                                        \
  X(cuCtxPushCurrent_v2, (Context context))                                                                    \
  X(cuCtxPopCurrent_v2, (Context * context))                                                                   \
  X(cuModuleLoadData, (Module * module, const void* image))                                                    \
  X(cuModuleLoadDataEx, (Module * module, const void* image, unsigned count, int* options, void** values))     \
  X(cuModuleUnload, (Module module))                                                                           \
  X(cuModuleGetFunction, (Function * function, Module module, const char* name))                               \
  X(cuFuncSetAttribute, (Function function, int attribute, int value))                                         \
  X(cuLaunchKernel,                                                                                            \
    (Function function, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, \
     unsigned block_z, unsigned shared_bytes, Stream stream, void** arguments, void** extra))                  \
  X(cuMemAlloc_v2, (Address * address, std::size_t bytes))                                                     \
  X(cuMemFree_v2, (Address address))                                                                           \
  X(cuMemcpyHtoDAsync_v2, (Address to, const void* from, std::size_t bytes, Stream stream))                    \
  X(cuMemcpyDtoHAsync_v2, (void* to, Address from, std::size_t bytes, Stream stream))                          \
  X(cuCtxSynchronize, ())                                                                                      \
  X(cuStreamSynchronize, (Stream stream))                                                                      \
  X(cuPointerGetAttribute, (void* value, int attribute, Address address))                                      \
  X(cuGetErrorName, (Result result, const char** name))

struct Driver {
#define CORRBANK_CUDA_POINTER(name, parameters) Result(*name) parameters = nullptr;
  CORRBANK_CUDA_DRIVER(CORRBANK_CUDA_POINTER)
#undef CORRBANK_CUDA_POINTER
  int devices = 0;  // at least 1
};

// Loads and starts the driver once in a process. Refuses (target_unavailable) where there is none, or no GPU.
Status find_driver(const Driver*& driver) noexcept;

// The Status of a driver call that failed: out_of_memory, or device_error with the driver's name for it.
Status failed(Result result, const char* call) noexcept;

}  // namespace corrbank::detail::cuda
