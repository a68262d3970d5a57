// Device memory, copies, fills, and questions about pointers.
#include <cstring>

#include "device_memory.h"
#include "driver.h"
#include "settings.h"

using namespace standin;

namespace {

DeviceMemory& memory() { return DeviceMemory::instance(); }

// Queues work that touches device memory, or refuses ranges that are none.
CUresult queue(Driver& driver, Context& context, const void* handle, bool wait, std::function<void()> work) {
  Stream* stream = driver.stream_of(context, handle);
  if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
  const CommandPointer command = driver.enqueue(*stream, [work = std::move(work)] {
    work();
    return CUDA_SUCCESS;
  });
  if (!wait) return CUDA_SUCCESS;
  driver.finish(command);
  return context.error;
}

// The host's memory is read when the copy is executed: as from pinned memory, callers must leave it alone until then.
CUresult copy_in(const char* name, CUdeviceptr to, const void* from, std::size_t bytes, const void* stream, bool wait) {
  return call_in_context(name, [=](Driver& driver, Context& context) -> CUresult {
    if (bytes == 0) return CUDA_SUCCESS;
    if (!memory().valid(to, bytes) || from == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return queue(driver, context, stream, wait, [=] { std::memcpy(memory().storage(to), from, bytes); });
  });
}

CUresult copy_out(const char* name, void* to, CUdeviceptr from, std::size_t bytes, const void* stream, bool wait) {
  return call_in_context(name, [=](Driver& driver, Context& context) -> CUresult {
    if (bytes == 0) return CUDA_SUCCESS;
    if (!memory().valid(from, bytes) || to == nullptr) return CUDA_ERROR_INVALID_VALUE;
    return queue(driver, context, stream, wait, [=] { std::memcpy(to, memory().storage(from), bytes); });
  });
}

// Between device memory, even the synchronous form does not wait.
CUresult copy_inside(const char* name, CUdeviceptr to, CUdeviceptr from, std::size_t bytes, const void* stream) {
  return call_in_context(name, [=](Driver& driver, Context& context) -> CUresult {
    if (bytes == 0) return CUDA_SUCCESS;
    if (!memory().valid(from, bytes) || !memory().valid(to, bytes)) return CUDA_ERROR_INVALID_VALUE;
    return queue(driver, context, stream, false,
                 [=] { std::memmove(memory().storage(to), memory().storage(from), bytes); });
  });
}

template <class T>
CUresult fill(const char* name, CUdeviceptr to, T value, std::size_t count, const void* stream) {
  return call_in_context(name, [=](Driver& driver, Context& context) -> CUresult {
    if (count == 0) return CUDA_SUCCESS;
    const bool in_range = count <= ~std::size_t{0} / sizeof value && memory().valid(to, count * sizeof value);
    if (!in_range || to % sizeof value != 0) return CUDA_ERROR_INVALID_VALUE;
    return queue(driver, context, stream, false, [=] {
      std::byte* out = memory().storage(to);
      for (std::size_t at = 0; at < count; ++at) std::memcpy(out + at * sizeof value, &value, sizeof value);
    });
  });
}

enum PointerAttribute : int {
  pointer_context = 1,
  pointer_memory_type = 2,
  pointer_device_pointer = 3,
  pointer_host_pointer = 4,
  pointer_is_managed = 8,
  pointer_device_ordinal = 9,
  pointer_range_start = 11,
  pointer_range_size = 12,
  pointer_mapped = 13,
};
constexpr unsigned device_memory_type = 2;

template <class T>
CUresult answer(void* data, T value) {
  std::memcpy(data, &value, sizeof value);
  return CUDA_SUCCESS;
}

// Of no allocation, all answers are zero.
CUresult pointer_attribute(Driver& driver, void* data, int attribute, CUdeviceptr pointer) {
  const DeviceMemory::Allocation* found = memory().find(pointer);
  const bool is_device = found != nullptr;
  switch (attribute) {
    case pointer_context: return answer<void*>(data, is_device ? driver.context_of(found->device) : nullptr);
    case pointer_memory_type: return answer(data, is_device ? device_memory_type : 0U);
    case pointer_device_pointer: return answer<CUdeviceptr>(data, is_device ? pointer : 0);
    case pointer_host_pointer: return answer<void*>(data, nullptr);
    case pointer_is_managed: return answer(data, 0U);
    case pointer_device_ordinal: return answer(data, is_device ? found->device : -2);
    case pointer_range_start: return answer<CUdeviceptr>(data, is_device ? found->address : 0);
    case pointer_range_size: return answer<std::size_t>(data, is_device ? found->bytes : 0);
    case pointer_mapped: return answer(data, is_device ? 1U : 0U);
    default: return CUDA_ERROR_INVALID_VALUE;
  }
}

}  // namespace

STANDIN_EXPORT CUresult cuMemAlloc_v2(CUdeviceptr* address, std::size_t bytes) {
  return call_in_context("cuMemAlloc_v2", [=](Driver&, Context& context) {
    if (address == nullptr || bytes == 0) return CUDA_ERROR_INVALID_VALUE;
    const std::uint64_t found = memory().allocate(context.device, bytes, memory_bytes());
    if (found == 0) return CUDA_ERROR_OUT_OF_MEMORY;
    *address = found;
    return CUDA_SUCCESS;
  });
}

// Waits for all that is queued, like the driver.
STANDIN_EXPORT CUresult cuMemFree_v2(CUdeviceptr address) {
  return call_in_context("cuMemFree_v2", [=](Driver& driver, Context& context) -> CUresult {
    if (address == 0) return CUDA_SUCCESS;
    driver.finish_all(context);
    if (context.error != CUDA_SUCCESS) return context.error;
    return memory().free(address) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

STANDIN_EXPORT CUresult cuMemGetInfo_v2(std::size_t* unused, std::size_t* total) {
  return call_in_context("cuMemGetInfo_v2", [=](Driver&, Context& context) {
    *total = memory_bytes();
    *unused = *total - std::min<std::size_t>(*total, memory().used(context.device));
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuMemGetAddressRange_v2(CUdeviceptr* start, std::size_t* bytes, CUdeviceptr address) {
  return call_in_context("cuMemGetAddressRange_v2", [=](Driver&, Context&) {
    const DeviceMemory::Allocation* found = memory().find(address);
    if (found == nullptr) return CUDA_ERROR_NOT_FOUND;
    if (start != nullptr) *start = found->address;
    if (bytes != nullptr) *bytes = found->bytes;
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuMemcpyHtoD_v2(CUdeviceptr to, const void* from, std::size_t bytes) {
  return copy_in("cuMemcpyHtoD_v2", to, from, bytes, nullptr, true);
}
STANDIN_EXPORT CUresult cuMemcpyHtoDAsync_v2(CUdeviceptr to, const void* from, std::size_t bytes, void* stream) {
  return copy_in("cuMemcpyHtoDAsync_v2", to, from, bytes, stream, false);
}
STANDIN_EXPORT CUresult cuMemcpyDtoH_v2(void* to, CUdeviceptr from, std::size_t bytes) {
  return copy_out("cuMemcpyDtoH_v2", to, from, bytes, nullptr, true);
}
STANDIN_EXPORT CUresult cuMemcpyDtoHAsync_v2(void* to, CUdeviceptr from, std::size_t bytes, void* stream) {
  return copy_out("cuMemcpyDtoHAsync_v2", to, from, bytes, stream, false);
}
STANDIN_EXPORT CUresult cuMemcpyDtoD_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes) {
  return copy_inside("cuMemcpyDtoD_v2", to, from, bytes, nullptr);
}
STANDIN_EXPORT CUresult cuMemcpyDtoDAsync_v2(CUdeviceptr to, CUdeviceptr from, std::size_t bytes, void* stream) {
  return copy_inside("cuMemcpyDtoDAsync_v2", to, from, bytes, stream);
}

STANDIN_EXPORT CUresult cuMemsetD8_v2(CUdeviceptr to, unsigned char value, std::size_t count) {
  return fill("cuMemsetD8_v2", to, value, count, nullptr);
}
STANDIN_EXPORT CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, std::size_t count, void* stream) {
  return fill("cuMemsetD8Async", to, value, count, stream);
}
STANDIN_EXPORT CUresult cuMemsetD32_v2(CUdeviceptr to, unsigned value, std::size_t count) {
  return fill("cuMemsetD32_v2", to, value, count, nullptr);
}
STANDIN_EXPORT CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, std::size_t count, void* stream) {
  return fill("cuMemsetD32Async", to, value, count, stream);
}

STANDIN_EXPORT CUresult cuPointerGetAttribute(void* data, int attribute, CUdeviceptr pointer) {
  return call("cuPointerGetAttribute", [=](Driver& driver) -> CUresult {
    const bool has_answer = memory().find(pointer) != nullptr && attribute != pointer_host_pointer;
    return has_answer ? pointer_attribute(driver, data, attribute, pointer) : CUDA_ERROR_INVALID_VALUE;
  });
}

// Unlike the form for one attribute, this one answers zeros for a pointer of the host.
STANDIN_EXPORT CUresult cuPointerGetAttributes(unsigned count, const int* attributes, void** data,
                                               CUdeviceptr pointer) {
  return call("cuPointerGetAttributes", [=](Driver& driver) -> CUresult {
    for (unsigned at = 0; at < count; ++at) {
      const CUresult result = pointer_attribute(driver, data[at], attributes[at], pointer);
      if (result != CUDA_SUCCESS) return result;
    }
    return CUDA_SUCCESS;
  });
}
