// The cost models' coefficients and the sizes of blocks, in place of those that runtime/costs.cpp compiles in: they can change while the program
// runs.
#pragma once

#include <string>
#include <vector>

namespace corrbank_tune {

struct Coefficient {
  std::string name;  // "direct.cycle_ns", "fft.rows_forward.of(16)"
  double* value;
};

// Of the one target of the build, in the order of costs.inc.
const std::vector<Coefficient>& coefficients();

// Null: there is none of that name.
double* find_coefficient(const std::string& name);

}  // namespace corrbank_tune
