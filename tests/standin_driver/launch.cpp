#include "launch.h"

#include <cfenv>
#include <cstdio>
#include <deque>
#include <thread>

#include "block.h"
#include "device_memory.h"
#include "settings.h"

namespace standin {

namespace {

constexpr std::uint64_t host_threads = 2;
constexpr std::size_t reports_shown = 8;  // of a launch

using Index = std::array<std::uint32_t, 3>;

class BlockRunner {
 public:
  BlockRunner(const Launch& launch, Findings& findings, std::mutex& store_mutex)
      : launch_(launch), memory_(launch, findings, store_mutex) {
    const bool serial = threads_run_serially();
    for (std::uint32_t warp = 0; warp * warp_size < launch.threads(); ++warp) {
      warps_.emplace_back(launch, memory_, warp, serial);
    }
  }

  void run(std::uint64_t number) {
    const Index block{static_cast<std::uint32_t>(number % launch_.grid[0]),
                      static_cast<std::uint32_t>(number / launch_.grid[0] % launch_.grid[1]),
                      static_cast<std::uint32_t>(number / launch_.grid[0] / launch_.grid[1])};
    memory_.start_block(block, number);
    for (Warp& warp : warps_) warp.start_block(block);
    do {
      for (Warp& warp : warps_) warp.run();
    } while (pass_barrier());
  }

  [[nodiscard]] std::uint64_t executed() const {
    std::uint64_t sum = 0;
    for (const Warp& warp : warps_) sum += warp.executed();
    return sum;
  }

 private:
  // False once no thread waits.
  bool pass_barrier() {
    Warp* first = nullptr;
    for (std::uint32_t number = 0; number < warps_.size(); ++number) {
      Warp& warp = warps_[number];
      if (!warp.waits()) continue;
      if (first == nullptr) first = &warp;
      if (warp.barrier() != first->barrier()) {
        memory_.report(CUDA_ERROR_LAUNCH_FAILED, 0, number * warp_size,
                       "deadlock: waits at barrier " + std::to_string(warp.barrier()) + ", another warp at barrier " +
                           std::to_string(first->barrier()),
                       "barrier");
        throw Stop{};
      }
    }
    if (first == nullptr) return false;
    for (Warp& warp : warps_) warp.release();
    memory_.shared().block_barrier();
    return true;
  }

  const Launch& launch_;
  MemoryAccess memory_;
  std::deque<Warp> warps_;
};

void print_trace(const Launch& launch, std::uint64_t executed) {
  const Kernel& kernel = *launch.kernel;
  std::fprintf(stderr,
               "stand-in driver: launch %s grid %ux%ux%u block %ux%ux%u shared %u+%u stream %p JIT options%s "
               "thread-instructions %llu\n",
               kernel.name.c_str(), launch.grid[0], launch.grid[1], launch.grid[2], launch.block[0], launch.block[1],
               launch.block[2], kernel.shared_bytes, launch.dynamic_shared, launch.stream,
               launch.program->jit_options.empty() ? " none" : launch.program->jit_options.c_str(),
               static_cast<unsigned long long>(executed));
}

}  // namespace

std::string Findings::thread_name(std::uint32_t thread) const {
  const auto& size = launch_.block;
  return "(" + std::to_string(thread % size[0]) + "," + std::to_string(thread / size[0] % size[1]) + "," +
         std::to_string(thread / size[0] / size[1]) + ")";
}

void Findings::report(CUresult code, std::uint32_t instruction, const Index& block, std::uint32_t thread,
                      const std::string& what, const char* sort) {
  const std::lock_guard lock(mutex_);
  CUresult none = CUDA_SUCCESS;
  code_.compare_exchange_strong(none, code);
  if (!reported_.insert({instruction, sort}).second || reported_.size() > reports_shown) return;
  const Kernel& kernel = *launch_.kernel;
  std::fprintf(stderr, "stand-in driver: kernel %s, PTX line %u '%s', block (%u,%u,%u), thread %s: %s\n",
               kernel.name.c_str(), kernel.code[instruction].line, kernel.text[instruction].c_str(), block[0], block[1],
               block[2], thread_name(thread).c_str(), what.c_str());
}

CUresult execute(const Launch& launch) {
  Findings findings(launch);
  std::mutex store_mutex;
  std::atomic<std::uint64_t> next{0}, executed{0};
  const auto work = [&] {
    std::fesetenv(FE_DFL_ENV);  // the caller's thread may flush subnormals, or round in its own way
    BlockRunner runner(launch, findings, store_mutex);
    try {
      for (std::uint64_t block = next++; block < launch.blocks(); block = next++) runner.run(block);
    } catch (const Stop&) {
      next = launch.blocks();
    }
    executed += runner.executed();
  };
  std::vector<std::thread> threads;
  for (std::uint64_t at = 0; at < std::min(host_threads, launch.blocks()); ++at) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  if (checks_are_full()) DeviceMemory::instance().forget_writers();
  if (trace()) print_trace(launch, executed);
  return findings.code();
}

}  // namespace standin
