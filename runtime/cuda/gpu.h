// A GPU: its primary context, and the kernels that are loaded there.
#pragma once

#include <mutex>

#include "cuda/driver.h"

namespace corrbank::detail::cuda {

struct CudaKernel;

// Lives as long as the process, as the context that it keeps does. Any thread may use it.
class Gpu {
 public:
  // The GPU of this ordinal, set up at the first call for it. Refuses ordinals that do not exist, and GPUs older than the
  // kernels' compute capability.
  static Status find(int ordinal, Gpu*& gpu) noexcept;

  Gpu(const Gpu&) = delete;
  Gpu& operator=(const Gpu&) = delete;

  [[nodiscard]] const Driver& driver() const noexcept { return driver_; }
  [[nodiscard]] int ordinal() const noexcept { return ordinal_; }
  [[nodiscard]] int processors() const noexcept { return processors_; }      // streaming multiprocessors
  [[nodiscard]] int shared_bytes() const noexcept { return shared_bytes_; }  // that a block may ask for

  // The function of a kernel, loaded when it is first asked for. The context must be current.
  Status function(const CudaKernel& kernel, const char* ptx, const char* name, Function& function) noexcept;

  // Refuses addresses that the driver does not know as memory of this GPU; `view` names it. The context must be current.
  Status check_address(const void* data, const char* view) const noexcept;

 private:
  friend class CurrentContext;
  explicit Gpu(const Driver& driver, int ordinal) noexcept : driver_(driver), ordinal_(ordinal) {}
  ~Gpu() = default;
  Status set_up() noexcept;
  Result load(const CudaKernel& kernel, const char* ptx, Module& module) const noexcept;

  const Driver& driver_;
  int ordinal_, processors_ = 0, shared_bytes_ = 0;
  Context context_ = nullptr;
  std::mutex loading_;
  Function* functions_ = nullptr;  // by the kernel's place in the table
};

// Makes a GPU's context the thread's own for as long as it lives, and then the one before.
class CurrentContext {
 public:
  explicit CurrentContext(const Gpu& gpu) noexcept
      : driver_(gpu.driver_), result_(driver_.cuCtxPushCurrent_v2(gpu.context_)) {}
  CurrentContext(const CurrentContext&) = delete;
  CurrentContext& operator=(const CurrentContext&) = delete;
  ~CurrentContext() {
    Context before = nullptr;
    if (result_ == 0) driver_.cuCtxPopCurrent_v2(&before);
  }
  [[nodiscard]] Status status() const noexcept { return result_ == 0 ? Status() : failed(result_, "cuCtxPushCurrent"); }

 private:
  const Driver& driver_;
  Result result_;
};

}  // namespace corrbank::detail::cuda
