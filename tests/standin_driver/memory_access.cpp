// Loads, stores and atomics of a warp.
#include <cstring>

#include "block.h"
#include "device_memory.h"
#include "lanes.h"
#include "settings.h"

namespace standin {

namespace {

std::uint32_t thread_of(std::uint32_t warp, int lane) { return warp * warp_size + static_cast<std::uint32_t>(lane); }
std::uint32_t bytes_of(const Instruction& i) { return size_of(i.type) * i.count; }

template <class Each>
void for_lanes(Mask lanes, Each each) {
  for (; lanes != 0; lanes &= lanes - 1) each(__builtin_ctz(lanes));
}

}  // namespace

MemoryAccess::MemoryAccess(const Launch& launch, Findings& findings, std::mutex& store_mutex)
    : launch_(launch), findings_(findings), store_mutex_(store_mutex), memory_(DeviceMemory::instance()),
      shared_(launch.kernel->shared_bytes + launch.dynamic_shared, launch.kernel->shared_granule, checks_are_full()),
      local_(std::size_t{launch.kernel->local_bytes} * launch.threads()), full_checks_(checks_are_full()) {}

void MemoryAccess::start_block(const std::array<std::uint32_t, 3>& block, std::uint64_t block_number) {
  block_ = block;
  first_thread_ = block_number * launch_.threads();
  shared_.start_block();
  std::fill(local_.begin(), local_.end(), std::byte{0xff});
}

void MemoryAccess::report(CUresult code, std::uint32_t pc, std::uint32_t thread, const std::string& what,
                          const char* sort) {
  findings_.report(code, pc, block_, thread, what, sort);
}

MemoryAccess::Addresses MemoryAccess::addresses(const Instruction& i, std::byte* registers) {
  Addresses result;
  const auto offset = static_cast<std::uint64_t>(i.offset);
  if (i.address_wide) {
    const auto* base = lanes_at<std::uint64_t>(registers, i.address);
    for (int lane = 0; lane < warp_size; ++lane) result.at[lane] = base[lane] + offset;
  } else {
    const auto* base = lanes_at<std::uint32_t>(registers, i.address);
    for (int lane = 0; lane < warp_size; ++lane) result.at[lane] = base[lane] + offset;
  }
  std::uint64_t difference = 0;
  for (int lane = 1; lane < warp_size; ++lane) difference |= result.at[lane] ^ result.at[0];
  result.uniform = difference == 0;
  return result;
}

void MemoryAccess::check_alignment(const Instruction& i, std::uint32_t pc, std::uint32_t thread,
                                   std::uint64_t address) {
  if (address % bytes_of(i) == 0) return;
  report(CUDA_ERROR_MISALIGNED_ADDRESS, pc, thread,
         "misaligned by " + std::to_string(address % bytes_of(i)) + " of " + std::to_string(bytes_of(i)) + " bytes",
         "misaligned");
  throw Stop{};
}

std::byte* MemoryAccess::locate_global(const Instruction& i, std::uint32_t pc, std::uint32_t thread,
                                       std::uint64_t address) {
  const std::uint32_t bytes = bytes_of(i);
  if (address - global_first_ > global_bytes_ || bytes > global_bytes_ - (address - global_first_)) {
    const DeviceMemory::Allocation* allocation = memory_.find(address);
    if (allocation == nullptr || !allocation->contains(address, bytes) || allocation->device != launch_.device) {
      const bool foreign = allocation != nullptr && allocation->device != launch_.device;
      report(CUDA_ERROR_ILLEGAL_ADDRESS, pc, thread,
             std::string(i.kind == Kind::load ? "reads " : "writes ") + std::to_string(bytes) + " bytes at " +
                 memory_.describe(address) + (foreign ? " of another device" : ""),
             "address");
      throw Stop{};
    }
    global_first_ = allocation->address;
    global_bytes_ = allocation->bytes;
  }
  check_alignment(i, pc, thread, address);
  return memory_.storage(address);
}

std::byte* MemoryAccess::locate_shared(const Instruction& i, std::uint32_t pc, std::uint32_t thread,
                                       std::uint64_t address, Use use) {
  const std::uint32_t bytes = bytes_of(i);
  if (address > shared_.size() || bytes > shared_.size() - address) {
    report(CUDA_ERROR_ILLEGAL_ADDRESS, pc, thread,
           "byte " + std::to_string(static_cast<std::int64_t>(address)) + " of " + std::to_string(shared_.size()) +
               " bytes of shared memory",
           "address");
    throw Stop{};
  }
  check_alignment(i, pc, thread, address);
  if (!shared_.checked()) return shared_.at(address);
  using Problem = SharedMemory::Problem;
  Problem problem = Problem::none;
  if (use == Use::read) problem = shared_.read(thread, address, bytes);
  if (use == Use::write) problem = shared_.write(thread, address, bytes);
  if (use == Use::atomic && !shared_.written(address, bytes)) problem = Problem::never_written;
  if (problem != Problem::none) {
    const char* what = problem == Problem::never_written        ? "reads shared memory that was never written, at byte "
                       : problem == Problem::written_by_another ? "races with a write of another thread: no barrier "
                                                                  "between them, shared memory at byte "
                                                                : "races with a read of another thread: no barrier "
                                                                  "between them, shared memory at byte ";
    report(CUDA_ERROR_LAUNCH_FAILED, pc, thread, what + std::to_string(address), what);
  }
  return shared_.at(address);
}

std::byte* MemoryAccess::locate_local(const Instruction& i, std::uint32_t pc, std::uint32_t thread,
                                      std::uint64_t address) {
  const std::uint32_t size = launch_.kernel->local_bytes;
  if (address > size || bytes_of(i) > size - address) {
    report(CUDA_ERROR_ILLEGAL_ADDRESS, pc, thread,
           "byte " + std::to_string(static_cast<std::int64_t>(address)) + " of " + std::to_string(size) +
               " bytes of local memory",
           "address");
    throw Stop{};
  }
  check_alignment(i, pc, thread, address);
  return local_.data() + std::size_t{size} * thread + address;
}

std::byte* MemoryAccess::locate(const Instruction& i, std::uint32_t pc, std::uint32_t thread, std::uint64_t address,
                                Use use) {
  switch (i.space) {
    case Space::global: return locate_global(i, pc, thread, address);
    case Space::shared: return locate_shared(i, pc, thread, address, use);
    case Space::local: return locate_local(i, pc, thread, address);
    case Space::generic: break;
  }
  if (address - shared_window < window_bytes) return locate_shared(i, pc, thread, address - shared_window, use);
  if (address - local_window < window_bytes) return locate_local(i, pc, thread, address - local_window);
  return locate_global(i, pc, thread, address);
}

void MemoryAccess::load(const Instruction& i, std::uint32_t pc, std::byte* registers, std::uint32_t warp, Mask lanes) {
  if (lanes == 0) return;
  const Addresses from = addresses(i, registers);
  const std::byte* pointers[warp_size];
  const std::uint32_t bytes = bytes_of(i);
  const bool together = from.uniform && i.space == Space::shared && shared_.checked() && (lanes & (lanes - 1)) != 0 &&
                        from.at[0] <= shared_.size() && bytes <= shared_.size() - from.at[0] &&
                        from.at[0] % bytes == 0 && shared_.read_by_warp(warp, from.at[0], bytes);
  if (together) {
    std::fill(pointers, pointers + warp_size, shared_.at(from.at[0]));
  } else {
    for_lanes(lanes,
              [&](int lane) { pointers[lane] = locate(i, pc, thread_of(warp, lane), from.at[lane], Use::read); });
  }
  const std::uint32_t size = size_of(i.type);
  for (std::uint32_t element = 0; element < i.count; ++element) {
    if (i.destination[element] == no_operand) continue;
    if (size == 4 && !i.destination_wide) {
      auto* out = lanes_at<std::uint32_t>(registers, i.destination[element]);
      for_lanes(lanes, [&](int lane) { std::memcpy(out + lane, pointers[lane] + element * 4, 4); });
      continue;
    }
    std::uint64_t values[warp_size] = {};
    for_lanes(lanes, [&](int lane) { std::memcpy(values + lane, pointers[lane] + element * size, size); });
    write_lanes(values, registers, i.destination[element], i.type, i.destination_wide, lanes);
  }
}

// Two threads of a launch may write to the same place only what is the same.
void MemoryAccess::check_writers(std::uint32_t pc, std::uint32_t thread, std::uint64_t address, const std::byte* value,
                                 std::uint32_t bytes) {
  const auto me = static_cast<std::uint32_t>(first_thread_ + thread + 1);
  for (std::uint32_t at = 0; at + 4 <= bytes; at += 4) {
    std::uint32_t& writer = memory_.writer(address + at);
    if (writer != 0 && writer != me && std::memcmp(memory_.storage(address + at), value + at, 4) != 0) {
      report(CUDA_ERROR_LAUNCH_FAILED, pc, thread,
             "writes another value than thread " + std::to_string(writer - 1) + " of the grid did to " +
                 memory_.describe(address + at),
             "writers");
    }
    writer = me;
  }
}

void MemoryAccess::store(const Instruction& i, std::uint32_t pc, std::byte* registers, std::uint32_t warp, Mask lanes) {
  if (lanes == 0) return;
  const Addresses to = addresses(i, registers);
  const std::uint32_t size = size_of(i.type), bytes = bytes_of(i);
  std::uint64_t values[4][warp_size];
  for (std::uint32_t element = 0; element < i.count; ++element) {
    read_lanes(values[element], registers, i.source[element], i.type, i.source_wide);
  }
  const bool records = full_checks_ && (i.space == Space::global || i.space == Space::generic);
  std::unique_lock<std::mutex> lock(store_mutex_, std::defer_lock);
  if (records) lock.lock();
  for_lanes(lanes, [&](int lane) {
    const std::uint32_t thread = thread_of(warp, lane);
    std::byte* pointer = locate(i, pc, thread, to.at[lane], Use::write);
    std::byte value[16];
    for (std::uint32_t element = 0; element < i.count; ++element) {
      std::memcpy(value + element * size, &values[element][lane], size);
    }
    if (records && pointer == memory_.storage(to.at[lane])) check_writers(pc, thread, to.at[lane], value, bytes);
    std::memcpy(pointer, value, bytes);
  });
}

void MemoryAccess::load_parameter(const Instruction& i, std::uint32_t pc, std::byte* registers, std::uint32_t warp,
                                  Mask lanes) {
  if (lanes == 0) return;
  const std::uint32_t size = size_of(i.type);
  if (i.offset < 0 || static_cast<std::uint64_t>(i.offset) + bytes_of(i) > launch_.parameters.size()) {
    report(CUDA_ERROR_ILLEGAL_ADDRESS, pc, thread_of(warp, __builtin_ctz(lanes)), "reads beyond the parameters",
           "address");
    throw Stop{};
  }
  for (std::uint32_t element = 0; element < i.count; ++element) {
    std::uint64_t value = 0;
    std::memcpy(&value, launch_.parameters.data() + i.offset + element * size, size);
    std::uint64_t values[warp_size];
    std::fill(values, values + warp_size, value);
    if (i.destination[element] == no_operand) continue;
    write_lanes(values, registers, i.destination[element], i.type, i.destination_wide, lanes);
  }
}

}  // namespace standin
