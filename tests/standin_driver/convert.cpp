// cvt, cvta and the moves that pack and unpack: operations whose instruction says more than its types.
#include <cfenv>
#include <cmath>

#include "lanes.h"

namespace standin {

namespace {

template <class T, class From>
void read(std::uint64_t* values, const From* from) {
  for (int lane = 0; lane < warp_size; ++lane) {
    const T value = static_cast<T>(from[lane]);
    values[lane] = static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
    if constexpr (std::is_unsigned_v<T>) values[lane] = value;
  }
}

template <class From>
void read_as(std::uint64_t* values, const From* from, Type type) {
  switch (type) {
    case Type::u8: return read<std::uint8_t>(values, from);
    case Type::s8: return read<std::int8_t>(values, from);
    case Type::u16: return read<std::uint16_t>(values, from);
    case Type::s16: return read<std::int16_t>(values, from);
    case Type::s32: return read<std::int32_t>(values, from);
    case Type::u64:
    case Type::s64:
    case Type::f64: return read<std::uint64_t>(values, from);
    default: return read<std::uint32_t>(values, from);
  }
}

// Bits of the value, extended as the type says.
std::uint64_t extended(std::uint64_t bits, Type type) {
  switch (type) {
    case Type::u8: return static_cast<std::uint8_t>(bits);
    case Type::s8: return static_cast<std::uint64_t>(static_cast<std::int8_t>(bits));
    case Type::u16: return static_cast<std::uint16_t>(bits);
    case Type::s16: return static_cast<std::uint64_t>(static_cast<std::int16_t>(bits));
    case Type::s32: return static_cast<std::uint64_t>(static_cast<std::int32_t>(bits));
    case Type::u64:
    case Type::s64:
    case Type::f64: return bits;
    default: return static_cast<std::uint32_t>(bits);
  }
}

template <class T>
T value_of(std::uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
template <class T>
std::uint64_t bits_of(T value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

double rounded(double value, Rounding rounding) {
  switch (rounding) {
    case Rounding::zero: return std::trunc(value);
    case Rounding::down: return std::floor(value);
    case Rounding::up: return std::ceil(value);
    default: return std::nearbyint(value);
  }
}

double smallest(Type type) { return is_signed(type) ? -std::ldexp(1.0, static_cast<int>(8 * size_of(type)) - 1) : 0.0; }
double beyond(Type type) { return std::ldexp(1.0, static_cast<int>(8 * size_of(type)) - (is_signed(type) ? 1 : 0)); }

// Floats beyond the integer's range become its end. NaN becomes 0, or, where 64 bits are involved, the upper bit alone.
std::uint64_t to_integer(double value, const Instruction& i) {
  if (value != value) {
    const bool zero = i.source_type == Type::f32 && size_of(i.type) < 8;
    return zero ? 0 : std::uint64_t{1} << (8 * size_of(i.type) - 1);
  }
  value = rounded(value, i.rounding);
  const std::uint64_t ones = ~std::uint64_t{0} >> (64 - 8 * size_of(i.type));
  if (value >= beyond(i.type)) return is_signed(i.type) ? ones >> 1 : ones;
  if (value <= smallest(i.type)) return is_signed(i.type) ? ~(ones >> 1) : 0;
  return is_signed(i.type) ? static_cast<std::uint64_t>(static_cast<std::int64_t>(value))
                           : static_cast<std::uint64_t>(value);
}

template <class D>
D from_integer(std::uint64_t value, const Instruction& i) {
  return is_signed(i.source_type) ? static_cast<D>(static_cast<std::int64_t>(value)) : static_cast<D>(value);
}

std::uint64_t saturated(std::uint64_t value, const Instruction& i) {
  const std::uint64_t ones = ~std::uint64_t{0} >> (64 - 8 * size_of(i.type));
  const std::uint64_t largest = is_signed(i.type) ? ones >> 1 : ones;
  const auto as_signed = static_cast<std::int64_t>(value);
  if (is_signed(i.source_type) && as_signed < 0) {
    if (!is_signed(i.type)) return 0;
    return as_signed < -static_cast<std::int64_t>(largest) - 1 ? ~largest : value;
  }
  return value > largest ? largest : value;
}

double adjusted(double value, const Instruction& i) {
  if (i.to_integer) value = rounded(value, i.rounding);
  if (i.saturate) value = value > 0 ? std::fmin(value, 1.0) : 0.0;
  return value;
}

// The float nearest to the value in the direction asked for.
float narrowed(double value, Rounding rounding) {
  constexpr int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD, FE_UPWARD};
  if (rounding == Rounding::nearest) return static_cast<float>(value);
  std::fesetround(modes[static_cast<int>(rounding)]);
  volatile double exact = value;  // the conversion must not move out from between the two calls
  volatile float result = static_cast<float>(exact);
  std::fesetround(FE_TONEAREST);
  return result;
}

std::uint64_t converted(std::uint64_t bits, const Instruction& i) {
  const bool from_float = is_float(i.source_type);
  if (!from_float && !is_float(i.type)) return i.saturate ? saturated(bits, i) : bits;
  if (!from_float) {
    return i.type == Type::f32 ? bits_of(from_integer<float>(bits, i)) : bits_of(from_integer<double>(bits, i));
  }
  double value = i.source_type == Type::f32 ? value_of<float>(bits) : value_of<double>(bits);
  if (i.flush && i.source_type == Type::f32) value = flushed(static_cast<float>(value));
  if (!is_float(i.type)) return to_integer(value, i);
  value = adjusted(value, i);
  if (i.type == Type::f64) return bits_of(value);
  const float result = narrowed(value, i.to_integer ? Rounding::nearest : i.rounding);
  return bits_of(i.flush ? flushed(result) : result);
}

}  // namespace

void read_lanes(std::uint64_t* values, const std::byte* registers, Operand place, Type type, bool wide) {
  if (wide) {
    read_as(values, reinterpret_cast<const std::uint64_t*>(registers + place), type);
  } else {
    read_as(values, reinterpret_cast<const std::uint32_t*>(registers + place), type);
  }
}

void write_lanes(const std::uint64_t* values, std::byte* registers, Operand place, Type type, bool wide, Mask lanes) {
  if (wide) {
    write_lanes<std::uint64_t>(registers, place, lanes, [=](int lane) { return extended(values[lane], type); });
  } else {
    write_lanes<std::uint32_t>(registers, place, lanes,
                               [=](int lane) { return static_cast<std::uint32_t>(extended(values[lane], type)); });
  }
}

void convert(const Instruction& i, std::byte* registers, Mask lanes) {
  std::uint64_t values[warp_size];
  read_lanes(values, registers, i.source[0], i.source_type, i.source_wide);
  if (is_float(i.source_type) || is_float(i.type) || i.saturate) {
    for (std::uint64_t& value : values) value = converted(value, i);
  }
  write_lanes(values, registers, i.destination[0], i.type, i.destination_wide, lanes);
}

void pack(const Instruction& i, std::byte* registers, Mask lanes) {
  const std::uint32_t bits = 8 * size_of(i.type) / i.count;
  std::uint64_t packed[warp_size] = {};
  for (std::uint32_t part = 0; part < i.count; ++part) {
    std::uint64_t values[warp_size];
    read_lanes(values, registers, i.source[part], bits == 16 ? Type::u16 : Type::u32, false);
    for (int lane = 0; lane < warp_size; ++lane) packed[lane] |= values[lane] << (part * bits);
  }
  write_lanes(packed, registers, i.destination[0], i.type, i.destination_wide, lanes);
}

void unpack(const Instruction& i, std::byte* registers, Mask lanes) {
  const std::uint32_t bits = 8 * size_of(i.type) / i.count;
  std::uint64_t values[warp_size];
  read_lanes(values, registers, i.source[0], i.type, i.source_wide);
  for (std::uint32_t part = 0; part < i.count; ++part) {
    if (i.destination[part] != no_operand) {
      write_lanes(values, registers, i.destination[part], bits == 16 ? Type::u16 : Type::u32, false, lanes);
    }
    for (std::uint64_t& value : values) value >>= bits;
  }
}

void offset_address(const Instruction& i, std::byte* registers, Mask lanes) {
  const std::uint64_t* from = lanes_at<std::uint64_t>(registers, i.source[0]);
  write_lanes<std::uint64_t>(registers, i.destination[0], lanes,
                             [=](int lane) { return from[lane] + static_cast<std::uint64_t>(i.offset); });
}

}  // namespace standin
