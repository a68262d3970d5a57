// Integer arithmetic.
#include <algorithm>

#include "lanes.h"

namespace standin {

namespace {

template <class T>
struct Wider;
template <>
struct Wider<std::uint16_t> {
  using type = std::uint32_t;
};
template <>
struct Wider<std::int16_t> {
  using type = std::int32_t;
};
template <>
struct Wider<std::uint32_t> {
  using type = std::uint64_t;
};
template <>
struct Wider<std::int32_t> {
  using type = std::int64_t;
};
template <>
struct Wider<std::uint64_t> {
  using type = unsigned __int128;
};
template <>
struct Wider<std::int64_t> {
  using type = __int128;
};
template <class T>
using wider = typename Wider<T>::type;

// Sums and products wrap around: they are made of unsigned numbers wide enough not to be promoted to int.
template <class T>
std::uint64_t bits(T value) {
  return static_cast<std::uint64_t>(value);
}
template <class T>
wider<T> product(T a, T b) {
  return static_cast<wider<T>>(a) * static_cast<wider<T>>(b);
}

struct Add {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(bits(a) + bits(b));
  }
};
struct Subtract {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(bits(a) - bits(b));
  }
};
struct MultiplyLow {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(bits(a) * bits(b));
  }
};
struct MultiplyHigh {
  template <class T>
  static T apply(T a, T b) {
    return static_cast<T>(product(a, b) >> (8 * sizeof(T)));
  }
};
struct MultiplyWide {
  template <class T>
  static wider<T> apply(T a, T b) {
    return product(a, b);
  }
};
struct MultiplyAddLow {
  template <class T>
  static T apply(T a, T b, T c) {
    return static_cast<T>(bits(a) * bits(b) + bits(c));
  }
};
struct MultiplyAddHigh {
  template <class T>
  static T apply(T a, T b, T c) {
    return Add::apply(MultiplyHigh::apply(a, b), c);
  }
};
struct MultiplyAddWide {
  template <class T>
  static wider<T> apply(T a, T b, wider<T> c) {
    return Add::apply(product(a, b), c);
  }
};
// Division by zero has no defined result on the device; here it is all ones.
struct Divide {
  template <class T>
  static T apply(T a, T b) {
    if (b == 0) return static_cast<T>(-1);
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return static_cast<T>(0 - bits(a));
    return static_cast<T>(a / b);
  }
};
struct Remainder {
  template <class T>
  static T apply(T a, T b) {
    if (b == 0) return static_cast<T>(-1);
    if (std::is_signed_v<T> && b == static_cast<T>(-1)) return 0;
    return static_cast<T>(a % b);
  }
};
struct Minimum {
  template <class T>
  static T apply(T a, T b) {
    return a < b ? a : b;
  }
};
struct Maximum {
  template <class T>
  static T apply(T a, T b) {
    return a < b ? b : a;
  }
};
struct Negate {
  template <class T>
  static T apply(T a) {
    return static_cast<T>(0 - bits(a));
  }
};
struct Absolute {
  template <class T>
  static T apply(T a) {
    return a < 0 ? Negate::apply(a) : a;
  }
};

template <class T>
void add_type(Operations& table) {
  add<Add, T, T, T>(table, with_type<T>("add"));
  add<Subtract, T, T, T>(table, with_type<T>("sub"));
  add<MultiplyLow, T, T, T>(table, with_type<T>("mul.lo"));
  add<MultiplyHigh, T, T, T>(table, with_type<T>("mul.hi"));
  add<MultiplyAddLow, T, T, T, T>(table, with_type<T>("mad.lo"));
  add<MultiplyAddHigh, T, T, T, T>(table, with_type<T>("mad.hi"));
  add<Divide, T, T, T>(table, with_type<T>("div"));
  add<Remainder, T, T, T>(table, with_type<T>("rem"));
  add<Minimum, T, T, T>(table, with_type<T>("min"));
  add<Maximum, T, T, T>(table, with_type<T>("max"));
  if constexpr (sizeof(T) < 8) {
    add<MultiplyWide, wider<T>, T, T>(table, with_type<T>("mul.wide"));
    add<MultiplyAddWide, wider<T>, T, T, wider<T>>(table, with_type<T>("mad.wide"));
  }
  if constexpr (std::is_signed_v<T>) {
    add<Negate, T, T>(table, with_type<T>("neg"));
    add<Absolute, T, T>(table, with_type<T>("abs"));
  }
}

}  // namespace

void add_integer_operations(Operations& table) {
  add_type<std::uint16_t>(table);
  add_type<std::int16_t>(table);
  add_type<std::uint32_t>(table);
  add_type<std::int32_t>(table);
  add_type<std::uint64_t>(table);
  add_type<std::int64_t>(table);
}

}  // namespace standin
