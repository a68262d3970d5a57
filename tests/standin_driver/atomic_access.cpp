// atom and red: one after the other under the launch's mutex.
#include <cstring>

#include "block.h"
#include "lanes.h"

namespace standin {

namespace {

template <class T>
T combined(Atomic atomic, T old, T a, T b) {
  switch (atomic) {
    case Atomic::add:
      // Integers wrap around.
      if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<std::uint64_t>(old) + static_cast<std::uint64_t>(a));
      return old + a;
    case Atomic::min: return a < old ? a : old;
    case Atomic::max: return old < a ? a : old;
    case Atomic::exchange: return a;
    case Atomic::compare_exchange: return old == a ? b : old;
    default: break;
  }
  if constexpr (std::is_integral_v<T>) {
    if (atomic == Atomic::bit_and) return old & a;
    if (atomic == Atomic::bit_or) return old | a;
    return old ^ a;
  }
  return old;
}

template <class T>
std::uint64_t apply_to(std::byte* pointer, Atomic atomic, std::uint64_t a_bits, std::uint64_t b_bits) {
  T old, a, b;
  std::memcpy(&old, pointer, sizeof old);
  std::memcpy(&a, &a_bits, sizeof a);
  std::memcpy(&b, &b_bits, sizeof b);
  const T result = combined(atomic, old, a, b);
  std::memcpy(pointer, &result, sizeof result);
  std::uint64_t bits = 0;
  std::memcpy(&bits, &old, sizeof old);
  return bits;
}

}  // namespace

void MemoryAccess::atomic(const Instruction& i, std::uint32_t pc, std::byte* registers, std::uint32_t warp,
                          Mask lanes) {
  if (lanes == 0) return;
  const Addresses to = addresses(i, registers);
  const bool wide = size_of(i.type) == 8;
  std::uint64_t first[warp_size], second[warp_size] = {}, old[warp_size] = {};
  read_lanes(first, registers, i.source[0], i.type, wide);
  if (i.source[1] != no_operand) read_lanes(second, registers, i.source[1], i.type, wide);
  const std::lock_guard lock(store_mutex_);
  for (int lane = 0; lane < warp_size; ++lane) {
    if ((lanes >> lane & 1) == 0) continue;
    const std::uint32_t thread = warp * warp_size + static_cast<std::uint32_t>(lane);
    std::byte* pointer = locate(i, pc, thread, to.at[lane], Use::atomic);
    switch (i.type) {
      case Type::s32: old[lane] = apply_to<std::int32_t>(pointer, i.atomic, first[lane], second[lane]); break;
      case Type::f32: old[lane] = apply_to<float>(pointer, i.atomic, first[lane], second[lane]); break;
      case Type::u64: old[lane] = apply_to<std::uint64_t>(pointer, i.atomic, first[lane], second[lane]); break;
      case Type::s64: old[lane] = apply_to<std::int64_t>(pointer, i.atomic, first[lane], second[lane]); break;
      case Type::f64: old[lane] = apply_to<double>(pointer, i.atomic, first[lane], second[lane]); break;
      default: old[lane] = apply_to<std::uint32_t>(pointer, i.atomic, first[lane], second[lane]); break;
    }
  }
  if (i.destination[0] != no_operand) write_lanes(old, registers, i.destination[0], i.type, wide, lanes);
}

}  // namespace standin
