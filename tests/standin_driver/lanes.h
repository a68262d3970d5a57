// How handlers see the registers of a warp: one C++ type for each PTX type, and loops over the lanes.
#pragma once

#include <cstring>
#include <limits>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>

#include "program.h"

namespace standin {

template <class T>
constexpr Type type_of = Type::predicate;
template <>
inline constexpr Type type_of<std::uint8_t> = Type::u8;
template <>
inline constexpr Type type_of<std::uint16_t> = Type::u16;
template <>
inline constexpr Type type_of<std::uint32_t> = Type::u32;
template <>
inline constexpr Type type_of<std::uint64_t> = Type::u64;
template <>
inline constexpr Type type_of<std::int8_t> = Type::s8;
template <>
inline constexpr Type type_of<std::int16_t> = Type::s16;
template <>
inline constexpr Type type_of<std::int32_t> = Type::s32;
template <>
inline constexpr Type type_of<std::int64_t> = Type::s64;
template <>
inline constexpr Type type_of<float> = Type::f32;
template <>
inline constexpr Type type_of<double> = Type::f64;

// What a lane of a register of this type occupies.
template <class T>
using Slot = std::conditional_t<std::is_floating_point_v<T>, T,
                                std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>>;

// The library is compiled without strict aliasing: a register holds floats or integers as it is used.
template <class T>
Slot<T>* lanes_at(std::byte* registers, Operand place) {
  return reinterpret_cast<Slot<T>*>(registers + place);
}
inline Mask& predicate_at(std::byte* registers, Operand place) { return *reinterpret_cast<Mask*>(registers + place); }

template <class T>
Slot<T> to_slot(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    return value;
  } else {
    return static_cast<std::make_unsigned_t<T>>(value);
  }
}

// Registers are either the same or apart, so lanes never depend on other lanes.
template <class T, class Value>
inline void write_lanes(std::byte* registers, Operand place, Mask lanes, Value value) {
  Slot<T>* out = lanes_at<T>(registers, place);
  if (lanes == all_lanes) {
#pragma GCC ivdep
    for (int lane = 0; lane < warp_size; ++lane) out[lane] = to_slot<T>(value(lane));
  } else {
    for (int lane = 0; lane < warp_size; ++lane) {
      if (lanes >> lane & 1) out[lane] = to_slot<T>(value(lane));
    }
  }
}

inline float flushed(float value) {
  constexpr float smallest = std::numeric_limits<float>::min();
  return value > -smallest && value < smallest ? value * 0.0f : value;
}

// Handlers of operations whose lanes are D = Op::apply(S...); with Flush, subnormal numbers are zeros going in and out.
template <class Op, bool Flush, class D, class... S, std::size_t... I>
inline void apply_lanes(const Instruction& i, std::byte* registers, Mask lanes, std::index_sequence<I...>) {
  const std::tuple<const Slot<S>*...> from{lanes_at<S>(registers, i.source[I])...};
  write_lanes<D>(registers, i.destination[0], lanes, [=](int lane) -> D {
    if constexpr (Flush) {
      return flushed(Op::apply(flushed(std::get<I>(from)[lane])...));
    } else {
      return static_cast<D>(Op::apply(static_cast<S>(std::get<I>(from)[lane])...));
    }
  });
}
template <class Op, bool Flush, class D, class... S>
void apply(const Instruction& i, std::byte* registers, Mask lanes) {
  apply_lanes<Op, Flush, D, S...>(i, registers, lanes, std::index_sequence_for<S...>{});
}

// An operation of the table: what its opcode is made of, with the types its registers must have.
struct Operation {
  Handler handler;
  Type destination;
  std::vector<Type> sources;
};
using Operations = std::unordered_map<std::string, Operation>;  // by opcode: "mul.wide.s32"

template <class Op, class D, class... S>
void add(Operations& table, const std::string& opcode) {
  table[opcode] = {apply<Op, false, D, S...>, type_of<D>, {type_of<S>...}};
}
// Also with .ftz, written right after the name.
template <class Op, class... S>
void add_flushing(Operations& table, const std::string& name) {
  table[name + ".f32"] = {apply<Op, false, float, S...>, Type::f32, {type_of<S>...}};
  table[name + ".ftz.f32"] = {apply<Op, true, float, S...>, Type::f32, {type_of<S>...}};
}

inline const char* name_of(Type type) {
  constexpr const char* names[] = {"u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64", "f32", "f64", "pred"};
  return names[static_cast<int>(type)];
}
template <class T>
std::string with_type(const char* name) {
  return std::string(name) + '.' + name_of(type_of<T>);
}

void add_integer_operations(Operations&);
void add_bit_operations(Operations&);
void add_float_operations(Operations&);
void add_comparisons(Operations&);
const Operation* find_operation(const std::string& opcode);

// Lanes as 64-bit integers, sign- or zero-extended from their type; floats as their bits.
void read_lanes(std::uint64_t* values, const std::byte* registers, Operand place, Type type, bool wide);
// The same way back: extended to the width of the register.
void write_lanes(const std::uint64_t* values, std::byte* registers, Operand place, Type type, bool wide, Mask lanes);

// Handlers that look at the instruction's fields.
void convert(const Instruction&, std::byte* registers, Mask lanes);
void pack(const Instruction&, std::byte* registers, Mask lanes);
void unpack(const Instruction&, std::byte* registers, Mask lanes);
void offset_address(const Instruction&, std::byte* registers, Mask lanes);  // cvta

}  // namespace standin
