// What the verbs do for a Bank in a GPU's memory. A library built without CUDA has absent.cpp in place of all else here.
#pragma once

#include "bank.h"
#include "corrbank/corrbank.hpp"

namespace corrbank::detail::cuda {

// Whether a target or a bank is of this kind: never in a library without CUDA, whose compiler leaves out what comes after it.
inline bool is_cuda(DeviceType type) noexcept {
#ifdef CORRBANK_WITH_CUDA
  return type == DeviceType::cuda;
#else
  return static_cast<void>(type), false;
#endif
}

// Whether there is a driver and a GPU.
Status available() noexcept;

// Packs kernels into memory of GPU `ordinal`: fills `bank`'s data and bytes, whose extents are set. The views are valid.
Status pack(const KernelsView& kernels, int ordinal, const Options& options, PackedBank& bank) noexcept;
// Waits for all work of the GPU, which may read the bank.
void release(const PackedBank& bank) noexcept;

// As the verbs of the same names, for views that are valid and said to lie on the bank's GPU.
Status correlate(const ImageView& image, const PackedBank& bank, const ResponsesView& responses,
                 const Options& options) noexcept;
Status warmup(const ImageView& image, const PackedBank& bank) noexcept;
Status plan(const ImageView& image, const PackedBank& bank, Plan& out) noexcept;

}  // namespace corrbank::detail::cuda
