// Small expressions the algorithms share.
#pragma once

#include <Halide.h>

namespace corrbank_generators {

// Offsets are right by construction; the promise only keeps bounds inference from asking where they come from.
inline Halide::Expr within(const Halide::Expr& index, const Halide::Expr& extent) {
  return Halide::unsafe_promise_clamped(index, 0, extent - 1);
}

// Division of non-negative numbers: Halide's own rounds to negative infinity and guards against zero.
inline Halide::Expr quotient(const Halide::Expr& a, const Halide::Expr& b) {
  return Halide::cast<int>(Halide::cast<uint32_t>(a) / Halide::cast<uint32_t>(b));
}

inline Halide::Expr remainder(const Halide::Expr& a, const Halide::Expr& b) { return a - quotient(a, b) * b; }

// Of a / b, rounded up.
inline Halide::Expr ceiling(const Halide::Expr& a, const Halide::Expr& b) { return quotient(a + b - 1, b); }

}  // namespace corrbank_generators
