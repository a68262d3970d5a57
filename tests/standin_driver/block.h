// A host thread's place to execute blocks of a launch, one after the other.
#pragma once

#include "launch.h"
#include "shared_memory.h"

namespace standin {

class DeviceMemory;

// What a warp reads and writes: addresses checked, then turned into pointers.
class MemoryAccess {
 public:
  MemoryAccess(const Launch& launch, Findings& findings, std::mutex& store_mutex);

  void start_block(const std::array<std::uint32_t, 3>& block, std::uint64_t block_number);
  SharedMemory& shared() { return shared_; }

  void load(const Instruction& i, std::uint32_t pc, std::byte* registers, std::uint32_t warp, Mask lanes);
  void store(const Instruction& i, std::uint32_t pc, std::byte* registers, std::uint32_t warp, Mask lanes);
  void atomic(const Instruction& i, std::uint32_t pc, std::byte* registers, std::uint32_t warp, Mask lanes);
  void load_parameter(const Instruction& i, std::uint32_t pc, std::byte* registers, std::uint32_t warp, Mask lanes);

  void report(CUresult code, std::uint32_t pc, std::uint32_t thread, const std::string& what, const char* sort);

 private:
  enum class Use : std::uint8_t { read, write, atomic };
  struct Addresses {
    std::uint64_t at[warp_size];
    bool uniform;
  };

  static Addresses addresses(const Instruction& i, std::byte* registers);
  std::byte* locate(const Instruction& i, std::uint32_t pc, std::uint32_t thread, std::uint64_t address, Use use);
  std::byte* locate_global(const Instruction& i, std::uint32_t pc, std::uint32_t thread, std::uint64_t address);
  std::byte* locate_shared(const Instruction& i, std::uint32_t pc, std::uint32_t thread, std::uint64_t address,
                           Use use);
  std::byte* locate_local(const Instruction& i, std::uint32_t pc, std::uint32_t thread, std::uint64_t address);
  void check_alignment(const Instruction& i, std::uint32_t pc, std::uint32_t thread, std::uint64_t address);
  void check_writers(std::uint32_t pc, std::uint32_t thread, std::uint64_t address, const std::byte* value,
                     std::uint32_t bytes);

  const Launch& launch_;
  Findings& findings_;
  std::mutex& store_mutex_;  // of the launch: atomics, and stores while their writers are recorded
  DeviceMemory& memory_;
  SharedMemory shared_;
  std::vector<std::byte> local_;
  std::array<std::uint32_t, 3> block_{};
  std::uint64_t first_thread_ = 0;                     // of the block, in the grid
  std::uint64_t global_first_ = 0, global_bytes_ = 0;  // the allocation found last
  bool full_checks_;
};

class Warp {
 public:
  Warp(const Launch& launch, MemoryAccess& memory, std::uint32_t number, bool serial);

  void start_block(const std::array<std::uint32_t, 3>& block);
  // Until every lane waits at a barrier or has ended.
  void run();
  [[nodiscard]] bool waits() const { return waiting_ != 0; }
  [[nodiscard]] std::int64_t barrier() const;
  void release() { waiting_ = 0; }
  [[nodiscard]] std::uint64_t executed() const { return executed_; }

 private:
  bool select();
  void execute();
  void leave(Mask lanes, std::uint32_t pc);
  void branch(const Instruction& i, Mask taken);
  void execute_together(Mask lanes);
  void shuffle(const Instruction& i, Mask lanes);
  void vote(const Instruction& i, Mask lanes);
  void check_members(Mask members, Mask lanes);
  void check_barrier();

  const Kernel& kernel_;
  const Launch& launch_;
  MemoryAccess& memory_;
  std::vector<std::byte> storage_;
  std::byte* registers_;
  std::uint32_t number_, pc_ = 0, merge_at_ = 0;
  Mask existing_, live_ = 0, waiting_ = 0, parked_ = 0, active_ = 0;
  std::array<std::uint32_t, warp_size> pcs_{};
  std::uint64_t executed_ = 0;
  bool serial_;
};

}  // namespace standin
