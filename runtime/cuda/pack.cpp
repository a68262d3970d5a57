// Banks in a GPU's memory: [tap][kernel], the taps in order c, i, j. Behind the kernels of each tap lie zeros, so that
// the last tile of every kernel row may read all its columns, and so that each tap starts at 16 bytes.
#include <algorithm>
#include <memory>
#include <new>

#include "cuda/bank_layout.h"
#include "cuda/cuda_kernels.h"
#include "cuda/gpu.h"
#include "cuda/verbs.h"

namespace corrbank::detail::cuda {
namespace {

using HostFloats = std::unique_ptr<float[]>;

HostFloats host_floats(std::int64_t count) noexcept {
  return HostFloats(new (std::nothrow) float[static_cast<std::size_t>(count)]);
}

// Copies kernels that lie on the GPU to compact ones on the host, in pieces that are dense there.
Status fetch(const KernelsView& k, const Gpu& gpu, Stream stream, float* to) noexcept {
  std::int64_t piece = k.width;
  std::int64_t rows = k.height, channels = k.channels, count = k.count;  // of pieces
  if (rows == 1 || k.row_stride == piece) piece *= rows, rows = 1;
  if (rows == 1 && (channels == 1 || k.channel_stride == piece)) piece *= channels, channels = 1;
  if (rows == 1 && channels == 1 && (count == 1 || k.kernel_stride == piece)) piece *= count, count = 1;
  const auto* from = static_cast<const float*>(k.data);
  for (std::int64_t n = 0; n < count; ++n) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t i = 0; i < rows; ++i, to += piece) {
        const float* first = from + n * k.kernel_stride + c * k.channel_stride + i * k.row_stride;
        const auto bytes = static_cast<std::size_t>(piece) * sizeof(float);
        if (Result result = gpu.driver().cuMemcpyDtoHAsync_v2(to, address_of(first), bytes, stream)) {
          return failed(result, "cuMemcpyDtoHAsync");
        }
      }
    }
  }
  if (Result result = gpu.driver().cuStreamSynchronize(stream)) return failed(result, "cuStreamSynchronize");
  return {};
}

void interleave(const KernelsView& k, float* to) noexcept {
  const std::int64_t padded = padded_kernels(k.count);
  const auto* from = static_cast<const float*>(k.data);
  for (std::int64_t c = 0; c < k.channels; ++c) {
    for (std::int64_t i = 0; i < k.height; ++i) {
      for (std::int64_t j = 0; j < k.width; ++j, to += padded) {
        const float* tap = from + c * k.channel_stride + i * k.row_stride + j;
        for (std::int64_t n = 0; n < k.count; ++n) to[n] = tap[n * k.kernel_stride];
        std::fill(to + k.count, to + padded, 0.0f);
      }
    }
  }
}

Status upload(const float* from, std::size_t bytes, const Gpu& gpu, Stream stream, Address& address) noexcept {
  const Driver& driver = gpu.driver();
  if (Result result = driver.cuMemAlloc_v2(&address, bytes)) return failed(result, "cuMemAlloc");
  Result result = driver.cuMemcpyHtoDAsync_v2(address, from, bytes, stream);
  if (result == 0) result = driver.cuStreamSynchronize(stream);
  if (result == 0) return {};
  driver.cuMemFree_v2(address);
  return failed(result, "cuMemcpyHtoDAsync");
}

}  // namespace

Status pack(const KernelsView& kernels, int ordinal, const Options& options, PackedBank& bank) noexcept {
  Gpu* gpu = nullptr;
  if (Status status = Gpu::find(ordinal, gpu)) return status;
  const CurrentContext current(*gpu);
  if (Status status = current.status()) return status;
  const std::int64_t elements = bank.taps() * padded_kernels(bank.count);
  if (elements > max_span) {
    return {StatusCode::too_large,
            "kernels hold more than 2^31 - 1 elements, padding included, too many for target cuda"};
  }

  KernelsView view = kernels;
  HostFloats fetched;
  if (kernels.device.type == DeviceType::cuda) {
    if (Status status = gpu->check_address(kernels.data, "kernels")) return status;
    fetched = host_floats(bank.taps() * bank.count);
    if (fetched == nullptr) return {StatusCode::out_of_memory, "no memory to pack the kernels"};
    if (Status status = fetch(kernels, *gpu, options.stream, fetched.get())) return status;
    view = KernelsView(fetched.get(), bank.count, bank.channels, bank.height, bank.width);
  }
  const HostFloats packed = host_floats(elements);
  if (packed == nullptr) return {StatusCode::out_of_memory, "no memory to pack the kernels"};
  interleave(view, packed.get());
  bank.bytes = static_cast<std::size_t>(elements) * sizeof(float);
  Address address = 0;
  if (Status status = upload(packed.get(), bank.bytes, *gpu, options.stream, address)) return status;
  bank.data = reinterpret_cast<float*>(static_cast<std::uintptr_t>(address));
  bank.device = cuda_device(ordinal);
  return {};
}

void release(const PackedBank& bank) noexcept {
  Gpu* gpu = nullptr;
  if (Gpu::find(bank.device.index, gpu)) return;
  const CurrentContext current(*gpu);
  // At the end of the process the driver may be gone, and the memory with it.
  if (!current.status().ok()) return;
  gpu->driver().cuCtxSynchronize();
  gpu->driver().cuMemFree_v2(address_of(bank.data));
}

}  // namespace corrbank::detail::cuda
