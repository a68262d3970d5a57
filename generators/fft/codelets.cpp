#include "codelets.h"

#include <cmath>
#include <stdexcept>

namespace corrbank_generators {

using namespace Halide;

namespace {

constexpr double pi = 3.14159265358979323846;

Expr constant(double value) { return Expr(static_cast<float>(value)); }

Complex scaled(const Complex& a, double factor) { return {a.re * constant(factor), a.im * constant(factor)}; }

// a * exp(sign 2 pi i k / n), with the free cases and those of sqrt(1/2) apart.
Complex rotated(const Complex& a, int k, int n, int sign) {
  k = sign > 0 ? k % n : (n - k % n) % n;  // as of sign +1
  if (k == 0) return a;
  if (4 * k == n) return {-a.im, a.re};
  if (2 * k == n) return {-a.re, -a.im};
  if (4 * k == 3 * n) return {a.im, -a.re};
  if (8 * k % n == 0) {
    const double h = std::sqrt(0.5);
    switch (8 * k / n) {
      case 1: return {(a.re - a.im) * constant(h), (a.re + a.im) * constant(h)};
      case 3: return {(a.re + a.im) * constant(-h), (a.re - a.im) * constant(h)};
      case 5: return {(a.im - a.re) * constant(h), (a.re + a.im) * constant(-h)};
      default: return {(a.re + a.im) * constant(h), (a.im - a.re) * constant(h)};
    }
  }
  const Expr c = constant(std::cos(2 * pi * k / n)), s = constant(std::sin(2 * pi * k / n));
  return {a.re * c - a.im * s, a.re * s + a.im * c};
}

Complexes every(const Complexes& x, std::size_t first, std::size_t step) {
  Complexes taken;
  for (std::size_t i = first; i < x.size(); i += step) taken.push_back(x[i]);
  return taken;
}

}  // namespace

Complex operator*(const Complex& a, const Complex& b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

Complex add_i(const Complex& a, const Complex& b, int sign) {
  return sign > 0 ? Complex{a.re - b.im, a.im + b.re} : Complex{a.re + b.im, a.im - b.re};
}

Complexes fourier(const Complexes& x, int sign) {
  const int n = static_cast<int>(x.size());
  if (n == 1) return x;
  if (n == 2) return {x[0] + x[1], x[0] - x[1]};
  Complexes out(x.size());
  if (n % 4 == 0) {
    const Complexes even = fourier(every(x, 0, 2), sign);
    const Complexes first = fourier(every(x, 1, 4), sign), third = fourier(every(x, 3, 4), sign);
    const int quarter = n / 4;
    for (int k = 0; k < quarter; ++k) {
      const Complex a = rotated(first[k], k, n, sign), b = rotated(third[k], 3 * k, n, sign);
      const Complex sum = a + b, difference = a - b;
      out[k] = even[k] + sum;
      out[k + 2 * quarter] = even[k] - sum;
      out[k + quarter] = add_i(even[k + quarter], difference, sign);
      out[k + 3 * quarter] = add_i(even[k + quarter], difference, -sign);
    }
    return out;
  }
  if (n % 3 == 0) {
    const int third = n / 3;
    const Complexes part[3] = {fourier(every(x, 0, 3), sign), fourier(every(x, 1, 3), sign),
                               fourier(every(x, 2, 3), sign)};
    for (int k = 0; k < third; ++k) {
      const Complex a = part[0][k], b = rotated(part[1][k], k, n, sign), c = rotated(part[2][k], 2 * k, n, sign);
      const Complex sum = b + c, turned = scaled(b - c, std::sin(2 * pi / 3)), mean = a - scaled(sum, 0.5);
      out[k] = a + sum;
      out[k + third] = add_i(mean, turned, sign);
      out[k + 2 * third] = add_i(mean, turned, -sign);
    }
    return out;
  }
  if (n % 2 == 0) {
    const int half = n / 2;
    const Complexes even = fourier(every(x, 0, 2), sign), odd = fourier(every(x, 1, 2), sign);
    for (int k = 0; k < half; ++k) {
      const Complex b = rotated(odd[k], k, n, sign);
      out[k] = even[k] + b;
      out[k + half] = even[k] - b;
    }
    return out;
  }
  throw std::invalid_argument("no transform of this length");
}

Complexes fourier_of_reals(const std::vector<Expr>& x) {
  const int n = static_cast<int>(x.size()), h = n / 2;
  Complexes pairs;
  for (int j = 0; j < h; ++j) pairs.push_back({x[2 * j], x[2 * j + 1]});
  const Complexes z = fourier(pairs, -1);
  Complexes out(h + 1);
  const Expr zero = 0.0f;
  out[0] = {z[0].re + z[0].im, zero};
  out[h] = {z[0].re - z[0].im, zero};
  for (int k = 1; k <= h / 2; ++k) {
    const Complex &a = z[k], &b = z[h - k];
    if (k == h - k) {
      out[k] = {a.re, -a.im};
      continue;
    }
    // 2 E = a + conj b, 2 O = -i (a - conj b): of the even and the odd elements
    const Complex even = scaled({a.re + b.re, a.im - b.im}, 0.5), odd = scaled({a.im + b.im, b.re - a.re}, 0.5);
    const Complex turned = rotated(odd, k, n, -1);
    out[k] = even + turned;
    const Complex other = even - turned;
    out[h - k] = {other.re, -other.im};
  }
  return out;
}

std::vector<Expr> reals_of_fourier(const Complexes& bins) {
  const int h = static_cast<int>(bins.size()) - 1, n = 2 * h;
  Complexes z(h);
  z[0] = scaled({bins[0].re + bins[h].re, bins[0].re - bins[h].re}, 0.5);
  for (int k = 1; k <= h / 2; ++k) {
    const Complex &a = bins[k], &b = bins[h - k];
    if (k == h - k) {
      z[k] = {a.re, -a.im};
      continue;
    }
    const Complex even = scaled({a.re + b.re, a.im - b.im}, 0.5);
    const Complex odd = rotated(scaled({a.re - b.re, a.im + b.im}, 0.5), k, n, +1);
    z[k] = add_i(even, odd, +1);
    z[h - k] = {even.re + odd.im, odd.re - even.im};
  }
  std::vector<Expr> out;
  for (const Complex& y : fourier(z, +1)) {
    out.push_back(y.re);
    out.push_back(y.im);
  }
  return out;
}

}  // namespace corrbank_generators
