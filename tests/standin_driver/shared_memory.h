// The shared memory of a block, and beside it who touched what since the last barrier: between two barriers no thread
// may touch what another one writes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "program.h"

namespace standin {

class SharedMemory {
 public:
  enum class Problem : std::uint8_t { none, never_written, written_by_another, read_by_another };

  SharedMemory(std::uint32_t bytes, std::uint32_t granule, bool checked)
      : data_(bytes), records_(checked ? bytes / granule + 1 : 0), checked_(checked) {
    while ((1U << shift_) < granule) ++shift_;
  }

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(data_.size()); }
  [[nodiscard]] bool checked() const { return checked_; }
  [[nodiscard]] std::byte* at(std::uint64_t address) { return data_.data() + address; }

  void start_block() {
    std::fill(data_.begin(), data_.end(), std::byte{0xff});
    std::fill(records_.begin(), records_.end(), Record{});
    set_epochs(1);
  }
  void block_barrier() {
    if (epoch_ == last_epoch) restart_epochs();
    set_epochs(epoch_ + 1);
  }
  void warp_barrier(std::uint32_t warp) {
    if (epoch_ == last_epoch) restart_epochs();
    warp_epochs_[warp] = ++epoch_;
  }

  // A thread reads or writes bytes, all in bounds and aligned.
  Problem read(std::uint32_t thread, std::uint64_t address, std::uint32_t bytes) {
    Problem problem = Problem::none;
    for (std::uint64_t at = address >> shift_; at < (address + bytes) >> shift_; ++at) {
      Record& record = records_[at];
      if (record.write == 0) problem = Problem::never_written;
      if (conflicts(record.write, thread)) problem = Problem::written_by_another;
      record.read = with_reader(record.read, thread);
    }
    return problem;
  }
  // All lanes of a warp read the same bytes. False if they have to be looked at one by one.
  bool read_by_warp(std::uint32_t warp, std::uint64_t address, std::uint32_t bytes) {
    const std::uint64_t first = address >> shift_, end = (address + bytes) >> shift_;
    for (std::uint64_t at = first; at < end; ++at) {
      if (records_[at].write == 0 || records_[at].write >> who_bits >= block_epoch_) return false;
    }
    for (std::uint64_t at = first; at < end; ++at) {
      std::uint32_t& read = records_[at].read;
      const bool alone = read >> who_bits < block_epoch_ || warp_of(read & who_mask) == warp;
      read = epoch_ << who_bits | (alone ? several_of_warp + warp : several_warps);
    }
    return true;
  }
  Problem write(std::uint32_t thread, std::uint64_t address, std::uint32_t bytes) {
    Problem problem = Problem::none;
    for (std::uint64_t at = address >> shift_; at < (address + bytes) >> shift_; ++at) {
      Record& record = records_[at];
      if (conflicts(record.write, thread)) problem = Problem::written_by_another;
      if (conflicts(record.read, thread)) problem = Problem::read_by_another;
      record.write = epoch_ << who_bits | thread;
    }
    return problem;
  }
  [[nodiscard]] bool written(std::uint64_t address, std::uint32_t bytes) const {
    for (std::uint64_t at = address >> shift_; at < (address + bytes) >> shift_; ++at) {
      if (records_[at].write == 0) return false;
    }
    return true;
  }

 private:
  // Each is 0 for never, or the epoch in the upper bits and below who it was: a thread, several of a warp, or more.
  struct Record {
    std::uint32_t write = 0, read = 0;
  };
  static constexpr std::uint32_t who_bits = 11, who_mask = (1U << who_bits) - 1;
  static constexpr std::uint32_t several_of_warp = 1024, several_warps = several_of_warp + warp_size;
  static constexpr std::uint32_t last_epoch = (1U << (32 - who_bits)) - 1;

  static std::uint32_t warp_of(std::uint32_t who) {
    return who < several_of_warp ? who / warp_size : who - several_of_warp;  // of several warps: none
  }
  // Whether no barrier lies between what the record says, of another thread, and now.
  [[nodiscard]] bool conflicts(std::uint32_t record, std::uint32_t thread) const {
    const std::uint32_t epoch = record >> who_bits, who = record & who_mask;
    if (epoch < block_epoch_ || who == thread) return false;
    const std::uint32_t warp = thread / warp_size;
    return warp_of(who) != warp || epoch >= warp_epochs_[warp];
  }
  [[nodiscard]] std::uint32_t with_reader(std::uint32_t record, std::uint32_t thread) const {
    const std::uint32_t epoch = record >> who_bits, who = record & who_mask, warp = thread / warp_size;
    std::uint32_t readers = thread;
    if (epoch >= block_epoch_ && who != thread) {
      if (warp_of(who) != warp) {
        readers = several_warps;
      } else if (epoch >= warp_epochs_[warp]) {
        readers = several_of_warp + warp;
      }
    }
    return epoch_ << who_bits | readers;
  }
  void set_epochs(std::uint32_t epoch) {
    epoch_ = block_epoch_ = epoch;
    warp_epochs_.fill(epoch);
  }
  // No number is left for the next epoch. What was written stays known as written; the rest is forgotten.
  void restart_epochs() {
    for (Record& record : records_) record = {record.write == 0 ? 0 : 1U << who_bits, 0};
    set_epochs(2);
  }

  std::vector<std::byte> data_;
  std::vector<Record> records_;
  std::array<std::uint32_t, warp_size> warp_epochs_{};
  std::uint32_t epoch_ = 1, block_epoch_ = 1, shift_ = 0;
  bool checked_;
};

}  // namespace standin
