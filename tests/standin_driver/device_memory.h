// Device memory. Its addresses lie in a range that the host cannot touch; the storage lies a constant distance away.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace standin {

class DeviceMemory {
 public:
  struct Allocation {
    std::uint64_t address = 0, bytes = 0;
    int device = 0;
    // Without overflow for any address.
    [[nodiscard]] bool contains(std::uint64_t at, std::uint64_t count) const {
      return at - address <= bytes && count <= bytes - (at - address);
    }
  };

  // The one of the process. It is never destroyed.
  static DeviceMemory& instance();

  // 0 if the device has no such memory left. Filled with 0xff: NaNs, or -1.
  std::uint64_t allocate(int device, std::uint64_t bytes, std::uint64_t limit);
  bool free(std::uint64_t address);
  void free_all(int device);
  [[nodiscard]] std::uint64_t used(int device) const;

  // The allocation that an address is in, or null.
  [[nodiscard]] const Allocation* find(std::uint64_t address) const;
  [[nodiscard]] bool valid(std::uint64_t address, std::uint64_t bytes) const;
  // Where an address is, in words.
  [[nodiscard]] std::string describe(std::uint64_t address) const;

  [[nodiscard]] std::byte* storage(std::uint64_t address) const {
    return reinterpret_cast<std::byte*>(address + storage_distance_);
  }
  // For each aligned four bytes, which thread of the grid wrote them in this launch: its number, from 1.
  [[nodiscard]] std::uint32_t& writer(std::uint64_t address) const {
    return *reinterpret_cast<std::uint32_t*>((address & ~std::uint64_t{3}) + writer_distance_);
  }
  void forget_writers();

 private:
  DeviceMemory();
  [[nodiscard]] std::uint64_t find_gap(std::uint64_t bytes) const;

  std::uint64_t base_ = 0, storage_distance_ = 0, writer_distance_ = 0, cursor_ = 0;
  std::map<std::uint64_t, Allocation> live_, freed_;
};

}  // namespace standin
