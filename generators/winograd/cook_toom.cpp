#include "cook_toom.h"

#include <cmath>
#include <stdexcept>

namespace corrbank_generators {

using namespace Halide;

namespace {

using Row = std::vector<double>;

// Coefficients of the product of (x - point) over all points but `skipped`.
Row polynomial(const Row& points, size_t skipped) {
  Row product{1};
  for (size_t p = 0; p < points.size(); ++p) {
    if (p == skipped) continue;
    Row next(product.size() + 1, 0.0);
    for (size_t d = 0; d < product.size(); ++d) {
      next[d + 1] += product[d];
      next[d] -= product[d] * points[p];
    }
    product = next;
  }
  return product;
}

// sum of factors[i] * v[i]. Units come first, so that each of the others can be a multiply-add onto the sum.
Expr combination(const Row& factors, const Exprs& v) {
  Expr sum;
  for (const bool units : {true, false}) {
    for (size_t i = 0; i < factors.size(); ++i) {
      const double factor = factors[i];
      if (factor == 0 || (std::fabs(factor) == 1) != units) continue;
      const bool negative = units && factor < 0;
      const Expr term = units ? v[i] : v[i] * static_cast<float>(factor);
      if (!sum.defined()) {
        sum = negative ? -term : term;
      } else {
        sum = negative ? sum - term : sum + term;
      }
    }
  }
  return sum;
}

}  // namespace

// F(4, 3) with 3/4 and 3/2 has a third of the error it has with 1 and 2 (2.8e-6 for 256 channels, 2026-11-24). Of 174
// other sets of rational points none was better for n = 8.
std::vector<double> cook_toom_points(int n) {
  switch (n) {
    case 4: return {0, 1, -1};
    case 6: return {0, 0.75, -0.75, 1.5, -1.5};
    case 8: return {0, 1, -1, 2, -2, 0.5, -0.5};
    default: throw std::invalid_argument("no points for tiles of this size");
  }
}

Matrix input_matrix(int n) {
  const Row points = cook_toom_points(n);
  Matrix rows;
  for (size_t p = 0; p <= points.size(); ++p) {
    rows.push_back(polynomial(points, p));
    rows.back().resize(static_cast<size_t>(n), 0.0);
  }
  return rows;
}

Matrix output_matrix(int m, int n) {
  Matrix rows;
  for (int i = 0; i < m; ++i) {
    Row row;
    for (const double point : cook_toom_points(n)) row.push_back(std::pow(point, i));
    row.push_back(i == m - 1 ? 1 : 0);
    rows.push_back(row);
  }
  return rows;
}

Exprs transform_input(int n, const Exprs& v) {
  const Matrix rows = input_matrix(n);
  const auto size = static_cast<size_t>(n);
  Exprs made(size);
  made[0] = combination(rows[0], v);
  for (size_t pair = 1; pair + 2 < size; pair += 2) {
    Row even = rows[pair], odd = rows[pair];
    for (size_t i = 0; i < size; ++i) (i % 2 == 0 ? odd : even)[i] = 0;
    const Expr sum = combination(even, v), difference = combination(odd, v);
    made[pair] = sum + difference;
    made[pair + 1] = sum - difference;
  }
  made[size - 1] = combination(rows[size - 1], v);
  return made;
}

Exprs transform_output(int m, const Exprs& v) {
  const size_t n = v.size();
  const Matrix rows = output_matrix(m, static_cast<int>(n));
  Exprs made;
  for (size_t i = 0; i < rows.size(); ++i) {
    Row factors{rows[i][0]};
    Exprs terms{v[0]};
    for (size_t pair = 1; pair + 2 < n; pair += 2) {
      factors.push_back(rows[i][pair]);
      terms.push_back(i % 2 == 0 ? v[pair] + v[pair + 1] : v[pair] - v[pair + 1]);
    }
    factors.push_back(rows[i][n - 1]);
    terms.push_back(v[n - 1]);
    made.push_back(combination(factors, terms));
  }
  return made;
}

}  // namespace corrbank_generators
