// What a PTX module becomes: kernels of decoded instructions, whose operands are places in a warp's register file.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace standin {

constexpr int warp_size = 32;

// One bit for each lane of a warp.
using Mask = std::uint32_t;
constexpr Mask all_lanes = ~Mask{0};

enum class Type : std::uint8_t { u8, u16, u32, u64, s8, s16, s32, s64, f32, f64, predicate };

constexpr std::uint32_t size_of(Type type) {
  switch (type) {
    case Type::u8:
    case Type::s8: return 1;
    case Type::u16:
    case Type::s16: return 2;
    case Type::u64:
    case Type::s64:
    case Type::f64: return 8;
    default: return 4;
  }
}
constexpr bool is_signed(Type type) {
  return type == Type::s8 || type == Type::s16 || type == Type::s32 || type == Type::s64;
}
constexpr bool is_float(Type type) { return type == Type::f32 || type == Type::f64; }

// Registers lie as [register][lane]. Lanes of up to 32 bits take four bytes each, wider ones eight; a predicate is one
// Mask. An operand is the byte offset of its register; immediates and special registers are registers too.
using Operand = std::uint32_t;
constexpr Operand no_operand = std::numeric_limits<Operand>::max();

struct Instruction;
using Handler = void (*)(const Instruction&, std::byte* registers, Mask lanes);

enum class Kind : std::uint8_t {
  compute,  // the handler knows all there is to do
  load,
  store,
  load_parameter,
  atomic,
  branch,
  exit,
  barrier,
  warp_barrier,
  shuffle,
  vote,
  fence,
  trap,
};

enum class Space : std::uint8_t { generic, global, shared, local };
enum class Shuffle : std::uint8_t { up, down, butterfly, index };
enum class Vote : std::uint8_t { all, any, uniform, ballot, active };
enum class Atomic : std::uint8_t { add, min, max, exchange, compare_exchange, bit_and, bit_or, bit_xor };
enum class Rounding : std::uint8_t { nearest, zero, down, up };
enum class Combine : std::uint8_t { none, bit_and, bit_or, bit_xor };

// The generic addresses of shared and local memory lie in windows of their own, far from those of global memory.
constexpr std::uint64_t shared_window = std::uint64_t{1} << 56;
constexpr std::uint64_t local_window = std::uint64_t{2} << 56;
constexpr std::uint64_t window_bytes = std::uint64_t{1} << 32;

struct Instruction {
  Handler handler = nullptr;
  std::array<Operand, 4> destination{no_operand, no_operand, no_operand, no_operand};
  std::array<Operand, 4> source{no_operand, no_operand, no_operand, no_operand};
  Operand address = no_operand;
  Operand guard = no_operand;
  std::int64_t offset = 0;  // added to the address; of a parameter: its place
  std::uint32_t target = 0;
  std::uint32_t line = 0;
  Kind kind = Kind::compute;
  Space space = Space::generic;
  Type type = Type::u32;         // of what is accessed or made
  Type source_type = Type::u32;  // of what cvt reads
  std::uint8_t count = 1;        // elements of a vector
  bool guard_negated = false;
  bool address_wide = false;
  bool destination_wide = false;  // cvt, ld and st may name registers wider than the type
  bool source_wide = false;
  bool flush = false;  // .ftz
  bool saturate = false;
  bool to_integer = false;  // cvt.rni and its kin between floats
  bool negate_third = false;
  Rounding rounding = Rounding::nearest;
  Combine combine = Combine::none;
  Shuffle shuffle = Shuffle::index;
  Vote vote = Vote::all;
  Atomic atomic = Atomic::add;
};

enum class Special : std::uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  warpid,
  lanemask_eq,
  lanemask_lt,
  lanemask_le,
  lanemask_gt,
  lanemask_ge,
};

struct Kernel {
  struct Constant {
    Operand place;
    std::uint64_t bits;
    bool wide;
  };
  struct SpecialRegister {
    Operand place;
    Special value;
  };
  struct Parameter {
    std::uint32_t offset, bytes;
  };

  std::string name;
  std::vector<Instruction> code;  // ends in an exit
  std::vector<std::string> text;  // of each instruction, for messages
  std::vector<Parameter> parameters;
  std::vector<Constant> constants;
  std::vector<SpecialRegister> specials;
  std::uint32_t parameter_bytes = 0;
  std::uint32_t register_bytes = 0;
  std::uint32_t local_bytes = 0;
  std::uint32_t shared_bytes = 0;    // static
  std::uint32_t shared_granule = 4;  // bytes of the smallest access to shared memory
  std::uint32_t max_threads = 1024;
};

struct Program {
  int target = 0;           // 70 for sm_70
  std::string jit_options;  // as the loader gave them, for the trace: " 0=255"
  std::map<std::string, std::unique_ptr<Kernel>> kernels;
};

}  // namespace standin
