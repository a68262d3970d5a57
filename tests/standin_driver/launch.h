// One launch of a kernel: its arguments, and what it found wrong.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <set>

#include "driver_types.h"
#include "program.h"

namespace standin {

struct Launch {
  std::shared_ptr<const Program> program;  // outlives its module if the launch is still queued
  const Kernel* kernel = nullptr;
  std::array<std::uint32_t, 3> grid{}, block{};
  std::uint32_t dynamic_shared = 0;
  std::vector<std::byte> parameters;
  int device = 0;
  const void* stream = nullptr;  // for the trace

  [[nodiscard]] std::uint32_t threads() const { return block[0] * block[1] * block[2]; }
  [[nodiscard]] std::uint64_t blocks() const { return std::uint64_t{grid[0]} * grid[1] * grid[2]; }
};

// Executes all blocks; the code of the first thing found wrong, or CUDA_SUCCESS.
CUresult execute(const Launch& launch);

// Ends the block after a finding that leaves nothing to go on with.
struct Stop {};

class Findings {
 public:
  explicit Findings(const Launch& launch) : launch_(launch) {}

  // Thread is its number in the block. Each instruction says the same thing once.
  void report(CUresult code, std::uint32_t instruction, const std::array<std::uint32_t, 3>& block, std::uint32_t thread,
              const std::string& what, const char* sort);
  [[nodiscard]] CUresult code() const { return code_; }
  std::string thread_name(std::uint32_t thread) const;

 private:
  const Launch& launch_;
  std::atomic<CUresult> code_{CUDA_SUCCESS};
  std::mutex mutex_;
  std::set<std::pair<std::uint32_t, std::string>> reported_;
};

}  // namespace standin
