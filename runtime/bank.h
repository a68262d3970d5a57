// The packed form of a bank: on the CPU the one below, on a GPU that of cuda/pack.cpp.
//
// Kernels lie in blocks of 16, each [tap][16] with the taps in order c, i, j; the last K % 16 kernels lie in a block
// of their own width, [tap][K % 16]. One layout serves every kernel row: a rows tile takes neighbouring kernels of a
// block, a pixels tile whole vectors. Behind the end lies one block's width of zeros, since the vectors of a narrow
// last block reach past its last tap. Other algorithms make their forms of it (forms.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "corrbank/corrbank.hpp"
#include "forms.h"
#include "kernels.h"

namespace corrbank::detail {

class PlanCache;

struct PackedBank {
  std::int64_t count, channels, height, width;
  const Target* target;
  float* data;        // 64-byte aligned
  std::size_t bytes;  // without the forms
  Device device{};
  mutable Forms forms{};
  PlanCache* plans = nullptr;  // behind the header; none on a GPU

  [[nodiscard]] std::int64_t taps() const noexcept { return channels * height * width; }
  // Kernels of the block that kernel k lies in: the distance between its taps.
  [[nodiscard]] int block_width(std::int64_t k) const noexcept {
    const std::int64_t left = count - k / block_kernels * block_kernels;
    return left < block_kernels ? static_cast<int>(left) : block_kernels;
  }
  // First tap of kernel k.
  [[nodiscard]] const float* kernel(std::int64_t k) const noexcept {
    return data + k / block_kernels * block_kernels * taps() + k % block_kernels;
  }

  static const PackedBank* of(const Bank& bank) noexcept { return bank.packed_; }
  // Makes `bank` the owner of `packed`; what it held is released.
  static void give(PackedBank* packed, Bank& bank) noexcept {
    Bank made;
    made.packed_ = packed;
    bank = std::move(made);
  }
};

}  // namespace corrbank::detail
