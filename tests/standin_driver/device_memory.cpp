#include "device_memory.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>

namespace standin {

namespace {

constexpr std::uint64_t range_bytes = std::uint64_t{64} << 30;
constexpr std::uint64_t page = 4096;
constexpr std::uint64_t guard = 16 * page;
// Pointers of the driver promise an alignment of 256 bytes, and these promise no more.
constexpr std::uint64_t alignment = 256;

std::uint64_t up(std::uint64_t value, std::uint64_t unit) { return (value + unit - 1) / unit * unit; }

std::uint64_t reserve(int protection) {
  void* range = mmap(nullptr, range_bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (range == MAP_FAILED) {
    std::perror("stand-in driver: reserving device memory");
    std::abort();
  }
  return reinterpret_cast<std::uint64_t>(range);
}

}  // namespace

DeviceMemory& DeviceMemory::instance() {
  static auto* memory = new DeviceMemory;
  return *memory;
}

DeviceMemory::DeviceMemory()
    : base_(reserve(PROT_NONE)), storage_distance_(reserve(PROT_NONE) - base_),
      writer_distance_(reserve(PROT_READ | PROT_WRITE) - base_), cursor_(base_) {}

// The first range without an allocation, at or behind the cursor, then anywhere; 0 if there is none. Addresses are
// used again as late as possible, so that pointers to freed memory are found out.
std::uint64_t DeviceMemory::find_gap(std::uint64_t bytes) const {
  for (std::uint64_t at : {cursor_, base_}) {
    for (auto next = live_.lower_bound(at);; ++next) {
      const std::uint64_t end = next == live_.end() ? base_ + range_bytes : next->first;
      if (at + guard + bytes + guard <= end) return at + guard;
      if (next == live_.end()) break;
      at = up(next->first + next->second.bytes, page);
    }
  }
  return 0;
}

std::uint64_t DeviceMemory::allocate(int device, std::uint64_t bytes, std::uint64_t limit) {
  if (bytes > limit || used(device) + up(bytes, alignment) > limit) return 0;
  const std::uint64_t mapped = up(bytes + alignment, page), start = find_gap(mapped);
  if (start == 0) return 0;
  if (mprotect(storage(start), mapped, PROT_READ | PROT_WRITE) != 0) return 0;
  const std::uint64_t address = start + alignment;
  std::memset(storage(address), 0xff, bytes);
  freed_.erase(freed_.lower_bound(start - guard), freed_.lower_bound(start + mapped));
  live_[address] = {address, bytes, device};
  cursor_ = start + mapped;
  return address;
}

bool DeviceMemory::free(std::uint64_t address) {
  const auto found = live_.find(address);
  if (found == live_.end()) return false;
  const std::uint64_t start = address - alignment, mapped = up(found->second.bytes + alignment, page);
  madvise(storage(start), mapped, MADV_DONTNEED);
  mprotect(storage(start), mapped, PROT_NONE);
  freed_[address] = found->second;
  live_.erase(found);
  return true;
}

void DeviceMemory::free_all(int device) {
  for (auto next = live_.begin(); next != live_.end();) {
    const Allocation allocation = (next++)->second;
    if (allocation.device == device) free(allocation.address);
  }
}

std::uint64_t DeviceMemory::used(int device) const {
  std::uint64_t sum = 0;
  for (const auto& [address, allocation] : live_) {
    if (allocation.device == device) sum += up(allocation.bytes, alignment);
  }
  return sum;
}

const DeviceMemory::Allocation* DeviceMemory::find(std::uint64_t address) const {
  const auto next = live_.upper_bound(address);
  if (next == live_.begin()) return nullptr;
  const Allocation& candidate = std::prev(next)->second;
  return candidate.contains(address, 1) ? &candidate : nullptr;
}

bool DeviceMemory::valid(std::uint64_t address, std::uint64_t bytes) const {
  const Allocation* allocation = find(address);
  return allocation != nullptr && allocation->contains(address, bytes);
}

std::string DeviceMemory::describe(std::uint64_t address) const {
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  auto next = freed_.upper_bound(address);
  if (next != freed_.begin() && std::prev(next)->second.contains(address, 1)) {
    const Allocation& freed = std::prev(next)->second;
    return "byte " + number(address - freed.address) + " of memory that was freed (" + number(freed.bytes) + " bytes)";
  }
  next = live_.upper_bound(address);
  const Allocation* before = next == live_.begin() ? nullptr : &std::prev(next)->second;
  const Allocation* behind = next == live_.end() ? nullptr : &next->second;
  if (before != nullptr && before->contains(address, 1)) {
    return "byte " + number(address - before->address) + " of an allocation of " + number(before->bytes) + " bytes";
  }
  const bool nearer_before = before != nullptr && (behind == nullptr || address - (before->address + before->bytes) <=
                                                                            behind->address - address);
  if (nearer_before) {
    return number(address - (before->address + before->bytes)) + " bytes past the end of an allocation of " +
           number(before->bytes) + " bytes";
  }
  if (behind != nullptr) {
    return number(behind->address - address) + " bytes before an allocation of " + number(behind->bytes) + " bytes";
  }
  return "nowhere near device memory";
}

void DeviceMemory::forget_writers() {
  for (const auto& [address, allocation] : live_) {
    const std::uint64_t start = address - alignment;
    madvise(&writer(start), up(allocation.bytes + alignment, page), MADV_DONTNEED);
  }
}

}  // namespace standin
