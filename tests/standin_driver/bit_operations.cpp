// Operations on bits: logic, shifts, fields, counts, moves and selections, and logic of predicates.
#include <algorithm>

#include "lanes.h"

namespace standin {

namespace {

struct And {
  template <class T>
  static T apply(T a, T b) {
    return a & b;
  }
};
struct Or {
  template <class T>
  static T apply(T a, T b) {
    return a | b;
  }
};
struct Xor {
  template <class T>
  static T apply(T a, T b) {
    return a ^ b;
  }
};
struct Not {
  template <class T>
  static T apply(T a) {
    return static_cast<T>(~a);
  }
};
struct Move {
  template <class T>
  static T apply(T a) {
    return a;
  }
};

// Shifts by the width or more give what shifting by one, that often, would.
struct ShiftLeft {
  template <class T>
  static T apply(T a, std::uint32_t by) {
    return by >= 8 * sizeof(T) ? T{0} : static_cast<T>(a << by);
  }
};
struct ShiftRight {
  template <class T>
  static T apply(T a, std::uint32_t by) {
    constexpr std::uint32_t width = 8 * sizeof(T);
    if constexpr (std::is_signed_v<T>) return static_cast<T>(a >> (by < width ? by : width - 1));
    return by >= width ? T{0} : static_cast<T>(a >> by);
  }
};

std::uint32_t funnel(std::uint32_t low, std::uint32_t high, std::uint32_t by, bool left) {
  const std::uint64_t both = std::uint64_t{high} << 32 | low;
  return static_cast<std::uint32_t>(left ? both << by >> 32 : both >> by);
}
using u32 = std::uint32_t;
struct FunnelLeftWrap {
  static u32 apply(u32 a, u32 b, u32 c) { return funnel(a, b, c & 31, true); }
};
struct FunnelLeftClamp {
  static u32 apply(u32 a, u32 b, u32 c) { return funnel(a, b, std::min(c, 32U), true); }
};
struct FunnelRightWrap {
  static u32 apply(u32 a, u32 b, u32 c) { return funnel(a, b, c & 31, false); }
};
struct FunnelRightClamp {
  static u32 apply(u32 a, u32 b, u32 c) { return funnel(a, b, std::min(c, 32U), false); }
};

struct Permute {
  static u32 apply(u32 a, u32 b, u32 selector) {
    const std::uint64_t both = std::uint64_t{b} << 32 | a;
    u32 result = 0;
    for (int at = 0; at < 4; ++at) {
      const u32 nibble = selector >> (4 * at);
      u32 byte = static_cast<u32>(both >> (8 * (nibble & 7))) & 0xff;
      if (nibble & 8) byte = byte & 0x80 ? 0xff : 0;
      result |= byte << (8 * at);
    }
    return result;
  }
};

struct ExtractField {
  template <class T>
  static T apply(T a, u32 position, u32 length) {
    constexpr u32 width = 8 * sizeof(T);
    position &= 0xff;
    length &= 0xff;
    using U = std::make_unsigned_t<T>;
    if (length == 0) return 0;
    const bool negative = std::is_signed_v<T> && static_cast<U>(a) >> std::min(position + length - 1, width - 1) & 1;
    U field = position < width ? static_cast<U>(a) >> position : 0;
    if (position < width && length >= width - position) {
      length = width - position;
    }
    const U mask = length >= width ? ~U{0} : (U{1} << length) - 1;
    field &= mask;
    return static_cast<T>(negative ? field | ~mask : field);
  }
};
struct InsertField {
  template <class T>
  static T apply(T field, T into, u32 position, u32 length) {
    constexpr u32 width = 8 * sizeof(T);
    position &= 0xff;
    length &= 0xff;
    if (position >= width || length == 0) return into;
    const T mask = static_cast<T>((length >= width ? ~T{0} : (T{1} << length) - 1) << position);
    return static_cast<T>((into & ~mask) | (static_cast<T>(field << position) & mask));
  }
};

struct Count {
  template <class T>
  static u32 apply(T a) {
    return static_cast<u32>(__builtin_popcountll(a));
  }
};
struct LeadingZeros {
  template <class T>
  static u32 apply(T a) {
    return a == 0 ? 8 * sizeof(T) : static_cast<u32>(__builtin_clzll(a)) - (64 - 8 * sizeof(T));
  }
};
struct Reverse {
  template <class T>
  static T apply(T a) {
    T result = 0;
    for (u32 bit = 0; bit < 8 * sizeof(T); ++bit) result |= (a >> bit & 1) << (8 * sizeof(T) - 1 - bit);
    return result;
  }
};
struct AnyLogic {
  static u32 apply(u32 a, u32 b, u32 c, u32 table) {
    u32 result = 0;
    for (u32 row = 0; row < 8; ++row) {
      if (table >> row & 1) result |= (row & 4 ? a : ~a) & (row & 2 ? b : ~b) & (row & 1 ? c : ~c);
    }
    return result;
  }
};

template <class T>
void select(const Instruction& i, std::byte* registers, Mask lanes) {
  const Mask which = predicate_at(registers, i.source[2]);
  const Slot<T>*first = lanes_at<T>(registers, i.source[0]), *second = lanes_at<T>(registers, i.source[1]);
  write_lanes<T>(registers, i.destination[0], lanes,
                 [=](int lane) { return static_cast<T>(which >> lane & 1 ? first[lane] : second[lane]); });
}

template <class Op>
void logic(const Instruction& i, std::byte* registers, Mask lanes) {
  const Mask a = predicate_at(registers, i.source[0]);
  Mask& out = predicate_at(registers, i.destination[0]);
  if constexpr (std::is_same_v<Op, Not> || std::is_same_v<Op, Move>) {
    out = (out & ~lanes) | (Op::apply(a) & lanes);
  } else {
    out = (out & ~lanes) | (Op::apply(a, predicate_at(registers, i.source[1])) & lanes);
  }
}

template <class T>
void add_logic(Operations& table) {
  add<And, T, T, T>(table, with_type<T>("and"));
  add<Or, T, T, T>(table, with_type<T>("or"));
  add<Xor, T, T, T>(table, with_type<T>("xor"));
  add<Not, T, T>(table, with_type<T>("not"));
  add<ShiftLeft, T, T, u32>(table, with_type<T>("shl"));
  add<ShiftRight, T, T, u32>(table, with_type<T>("shr"));
}

template <class T>
void add_moves(Operations& table) {
  add<Move, T, T>(table, with_type<T>("mov"));
  table[with_type<T>("selp")] = {select<T>, type_of<T>, {type_of<T>, type_of<T>, Type::predicate}};
}

template <class T>
void add_fields(Operations& table) {
  using U = std::make_unsigned_t<T>;
  add<ExtractField, T, T, u32, u32>(table, with_type<T>("bfe"));
  add<ExtractField, U, U, u32, u32>(table, with_type<U>("bfe"));
  add<InsertField, U, U, U, u32, u32>(table, with_type<U>("bfi"));
  add<Count, u32, U>(table, with_type<U>("popc"));
  add<LeadingZeros, u32, U>(table, with_type<U>("clz"));
  add<Reverse, U, U>(table, with_type<U>("brev"));
}

}  // namespace

void add_bit_operations(Operations& table) {
  add_logic<std::uint16_t>(table);
  add_logic<std::uint32_t>(table);
  add_logic<std::uint64_t>(table);
  add<ShiftRight, std::int16_t, std::int16_t, u32>(table, "shr.s16");
  add<ShiftRight, std::int32_t, std::int32_t, u32>(table, "shr.s32");
  add<ShiftRight, std::int64_t, std::int64_t, u32>(table, "shr.s64");
  add_moves<std::uint16_t>(table);
  add_moves<std::int16_t>(table);
  add_moves<std::uint32_t>(table);
  add_moves<std::int32_t>(table);
  add_moves<std::uint64_t>(table);
  add_moves<std::int64_t>(table);
  add_moves<float>(table);
  add_moves<double>(table);
  add_fields<std::int32_t>(table);
  add_fields<std::int64_t>(table);
  add<FunnelLeftWrap, u32, u32, u32, u32>(table, "shf.l.wrap.u32");
  add<FunnelLeftClamp, u32, u32, u32, u32>(table, "shf.l.clamp.u32");
  add<FunnelRightWrap, u32, u32, u32, u32>(table, "shf.r.wrap.u32");
  add<FunnelRightClamp, u32, u32, u32, u32>(table, "shf.r.clamp.u32");
  add<Permute, u32, u32, u32, u32>(table, "prmt.u32");
  add<AnyLogic, u32, u32, u32, u32, u32>(table, "lop3.u32");
  table["and.pred"] = {logic<And>, Type::predicate, {Type::predicate, Type::predicate}};
  table["or.pred"] = {logic<Or>, Type::predicate, {Type::predicate, Type::predicate}};
  table["xor.pred"] = {logic<Xor>, Type::predicate, {Type::predicate, Type::predicate}};
  table["not.pred"] = {logic<Not>, Type::predicate, {Type::predicate}};
  table["mov.pred"] = {logic<Move>, Type::predicate, {Type::predicate}};
}

}  // namespace standin
