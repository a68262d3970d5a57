// Straight-line Fourier transforms of a few elements, as expressions. Sign -1 is the forward transform, +1 the inverse
// without its 1 / n.
#pragma once

#include <Halide.h>

#include <vector>

namespace corrbank_generators {

struct Complex {
  Halide::Expr re, im;
};
using Complexes = std::vector<Complex>;

inline Complex operator+(const Complex& a, const Complex& b) { return {a.re + b.re, a.im + b.im}; }
inline Complex operator-(const Complex& a, const Complex& b) { return {a.re - b.re, a.im - b.im}; }
Complex operator*(const Complex& a, const Complex& b);
// a + sign * i * b
Complex add_i(const Complex& a, const Complex& b, int sign);

// sum over j of x[j] exp(sign 2 pi i j k / n): split radix, radix 3 where n is not a power of two.
Complexes fourier(const Complexes& x, int sign);

// Bins 0 to n / 2 of n reals; the imaginary parts of the first and the last are 0.
Complexes fourier_of_reals(const std::vector<Halide::Expr>& x);

// n / 2 times the n reals that have these bins, 0 to n / 2; imaginary parts of the first and the last are not looked at.
std::vector<Halide::Expr> reals_of_fourier(const Complexes& bins);

}  // namespace corrbank_generators
