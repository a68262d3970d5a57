// Floating-point arithmetic, rounded to nearest even, and comparisons of all types.
#include <cmath>

#include "lanes.h"

namespace standin {

namespace {

struct Add {
  template <class T>
  static T apply(T a, T b) {
    return a + b;
  }
};
struct Subtract {
  template <class T>
  static T apply(T a, T b) {
    return a - b;
  }
};
struct Multiply {
  template <class T>
  static T apply(T a, T b) {
    return a * b;
  }
};
struct MultiplyAdd {
  template <class T>
  static T apply(T a, T b, T c) {
    return std::fma(a, b, c);
  }
};
struct Divide {
  template <class T>
  static T apply(T a, T b) {
    return a / b;
  }
};
struct Negate {
  template <class T>
  static T apply(T a) {
    return -a;
  }
};
struct Absolute {
  template <class T>
  static T apply(T a) {
    return std::fabs(a);
  }
};
// Of a number and a NaN, the number; -0 is less than +0.
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    const T lower = a < b || (a == b && std::signbit(a)) ? a : b;
    return a != a ? b : b != b ? a : lower;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    const T upper = a > b || (a == b && !std::signbit(a)) ? a : b;
    return a != a ? b : b != b ? a : upper;
  }
};
struct CopySign {
  template <class T>
  static T apply(T a, T b) {
    return std::copysign(b, a);
  }
};
struct Reciprocal {
  template <class T>
  static T apply(T a) {
    return T{1} / a;
  }
};
struct SquareRoot {
  template <class T>
  static T apply(T a) {
    return std::sqrt(a);
  }
};
struct ReciprocalRoot {
  template <class T>
  static T apply(T a) {
    return T{1} / std::sqrt(a);
  }
};
struct PowerOfTwo {
  static float apply(float a) { return std::exp2(a); }
};
struct Logarithm {
  static float apply(float a) { return std::log2(a); }
};
struct Sine {
  static float apply(float a) { return std::sin(a); }
};
struct Cosine {
  static float apply(float a) { return std::cos(a); }
};

struct Equal {
  template <class T>
  static bool apply(T a, T b) {
    return a == b;
  }
};
struct NotEqual {
  template <class T>
  static bool apply(T a, T b) {
    return a < b || a > b;
  }
};
struct Less {
  template <class T>
  static bool apply(T a, T b) {
    return a < b;
  }
};
struct LessOrEqual {
  template <class T>
  static bool apply(T a, T b) {
    return a <= b;
  }
};
struct Greater {
  template <class T>
  static bool apply(T a, T b) {
    return a > b;
  }
};
struct GreaterOrEqual {
  template <class T>
  static bool apply(T a, T b) {
    return a >= b;
  }
};
struct Ordered {
  template <class T>
  static bool apply(T a, T b) {
    return a == a && b == b;
  }
};
// True as well where either side is a NaN.
template <class Op>
struct Unordered {
  template <class T>
  static bool apply(T a, T b) {
    return a != a || b != b || Op::apply(a, b);
  }
};
struct EitherNan {
  template <class T>
  static bool apply(T a, T b) {
    return a != a || b != b;
  }
};

template <class T, class Op>
void compare(const Instruction& i, std::byte* registers, Mask lanes) {
  const Slot<T>*first = lanes_at<T>(registers, i.source[0]), *second = lanes_at<T>(registers, i.source[1]);
  std::uint32_t holds[warp_size];
  for (int lane = 0; lane < warp_size; ++lane) {
    T a = static_cast<T>(first[lane]), b = static_cast<T>(second[lane]);
    if constexpr (std::is_same_v<T, float>) {
      if (i.flush) a = flushed(a), b = flushed(b);
    }
    holds[lane] = Op::apply(a, b) ? 1 : 0;
  }
  Mask result = 0;
  for (int lane = 0; lane < warp_size; ++lane) result |= holds[lane] << lane;
  Mask inverse = ~result;
  if (i.combine != Combine::none) {
    Mask third = predicate_at(registers, i.source[2]);
    if (i.negate_third) third = ~third;
    const auto combined = [&](Mask mask) {
      return i.combine == Combine::bit_and ? mask & third : i.combine == Combine::bit_or ? mask | third : mask ^ third;
    };
    result = combined(result);
    inverse = combined(inverse);
  }
  Mask& out = predicate_at(registers, i.destination[0]);
  out = (out & ~lanes) | (result & lanes);
  if (i.destination[1] != no_operand) {
    Mask& other = predicate_at(registers, i.destination[1]);
    other = (other & ~lanes) | (inverse & lanes);
  }
}

template <class T, class Op>
void add_comparison(Operations& table, const char* name) {
  table["setp." + with_type<T>(name)] = {compare<T, Op>, Type::predicate, {type_of<T>, type_of<T>}};
}

template <class T>
void add_type_comparisons(Operations& table) {
  add_comparison<T, Equal>(table, "eq");
  add_comparison<T, NotEqual>(table, "ne");
  add_comparison<T, Less>(table, "lt");
  add_comparison<T, LessOrEqual>(table, "le");
  add_comparison<T, Greater>(table, "gt");
  add_comparison<T, GreaterOrEqual>(table, "ge");
  if constexpr (std::is_floating_point_v<T>) {
    add_comparison<T, Unordered<Equal>>(table, "equ");
    add_comparison<T, Unordered<NotEqual>>(table, "neu");
    add_comparison<T, Unordered<Less>>(table, "ltu");
    add_comparison<T, Unordered<LessOrEqual>>(table, "leu");
    add_comparison<T, Unordered<Greater>>(table, "gtu");
    add_comparison<T, Unordered<GreaterOrEqual>>(table, "geu");
    add_comparison<T, Ordered>(table, "num");
    add_comparison<T, EitherNan>(table, "nan");
  } else if constexpr (std::is_unsigned_v<T>) {
    add_comparison<T, Less>(table, "lo");
    add_comparison<T, LessOrEqual>(table, "ls");
    add_comparison<T, Greater>(table, "hi");
    add_comparison<T, GreaterOrEqual>(table, "hs");
  }
}

}  // namespace

void add_float_operations(Operations& table) {
  add_flushing<Add, float, float>(table, "add");
  add_flushing<Subtract, float, float>(table, "sub");
  add_flushing<Multiply, float, float>(table, "mul");
  add_flushing<MultiplyAdd, float, float, float>(table, "fma");
  add_flushing<MultiplyAdd, float, float, float>(table, "mad");
  add_flushing<Divide, float, float>(table, "div");
  add_flushing<Minimum, float, float>(table, "min");
  add_flushing<Maximum, float, float>(table, "max");
  add_flushing<Negate, float>(table, "neg");
  add_flushing<Absolute, float>(table, "abs");
  add_flushing<Reciprocal, float>(table, "rcp");
  add_flushing<SquareRoot, float>(table, "sqrt");
  add_flushing<ReciprocalRoot, float>(table, "rsqrt");
  add_flushing<PowerOfTwo, float>(table, "ex2");
  add_flushing<Logarithm, float>(table, "lg2");
  add_flushing<Sine, float>(table, "sin");
  add_flushing<Cosine, float>(table, "cos");
  add<CopySign, float, float, float>(table, "copysign.f32");
  add<Add, double, double, double>(table, "add.f64");
  add<Subtract, double, double, double>(table, "sub.f64");
  add<Multiply, double, double, double>(table, "mul.f64");
  add<MultiplyAdd, double, double, double, double>(table, "fma.f64");
  add<MultiplyAdd, double, double, double, double>(table, "mad.f64");
  add<Divide, double, double, double>(table, "div.f64");
  add<Minimum, double, double, double>(table, "min.f64");
  add<Maximum, double, double, double>(table, "max.f64");
  add<Negate, double, double>(table, "neg.f64");
  add<Absolute, double, double>(table, "abs.f64");
  add<Reciprocal, double, double>(table, "rcp.f64");
  add<SquareRoot, double, double>(table, "sqrt.f64");
  add<CopySign, double, double, double>(table, "copysign.f64");
}

void add_comparisons(Operations& table) {
  add_type_comparisons<std::uint16_t>(table);
  add_type_comparisons<std::int16_t>(table);
  add_type_comparisons<std::uint32_t>(table);
  add_type_comparisons<std::int32_t>(table);
  add_type_comparisons<std::uint64_t>(table);
  add_type_comparisons<std::int64_t>(table);
  add_type_comparisons<float>(table);
  add_type_comparisons<double>(table);
}

const Operation* find_operation(const std::string& opcode) {
  static const Operations table = [] {
    Operations operations;
    add_integer_operations(operations);
    add_bit_operations(operations);
    add_float_operations(operations);
    add_comparisons(operations);
    return operations;
  }();
  const auto found = table.find(opcode);
  return found == table.end() ? nullptr : &found->second;
}

}  // namespace standin
