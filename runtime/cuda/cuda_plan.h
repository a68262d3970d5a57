// Chooses the kernel row of a call on a GPU.
#pragma once

#include "cuda/cuda_kernels.h"
#include "cuda/gpu.h"
#include "geometry.h"

namespace corrbank::detail::cuda {

struct CudaPlan {
  const CudaKernel* kernel;
  std::int64_t blocks;      // of all launches
  double predicted_cycles;  // of the GPU
  double ideal_cycles;      // at the FMA peak of all its processors
};

// The row that the cost model prefers; or, for diagnosis, the one that $CORRBANK_CUDA_KERNEL names, where it runs.
CudaPlan plan_direct(const Geometry& geometry, const PackedBank& bank, const Gpu& gpu) noexcept;

}  // namespace corrbank::detail::cuda
