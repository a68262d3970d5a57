// The Cook-Toom construction of Winograd's short correlations: F(m, r) makes m responses of r taps from
// n = m + r - 1 elements of the image by n multiplications,
//
//   responses = A^T [(G taps) * (B^T elements)]
//
// G is the runtime's (runtime/winograd/winograd_bank.cpp). B^T depends on n alone: F(6, 3), F(4, 5) and F(2, 7) share it.
#pragma once

#include <Halide.h>

#include <vector>

namespace corrbank_generators {

using Matrix = std::vector<std::vector<double>>;
using Exprs = std::vector<Halide::Expr>;

// The finite points, 0 and pairs +-a, for n elements; the point at infinity is the last. runtime/winograd has the same.
std::vector<double> cook_toom_points(int n);

Matrix input_matrix(int n);          // B^T, n x n
Matrix output_matrix(int m, int n);  // A^T, m x n

// B^T v: the rows of a pair of points are the sum and the difference of their even and odd columns, half the products.
Exprs transform_input(int n, const Exprs& v);

// A^T v: a pair of points gives its sum to the even rows and its difference to the odd ones.
Exprs transform_output(int m, const Exprs& v);

}  // namespace corrbank_generators
