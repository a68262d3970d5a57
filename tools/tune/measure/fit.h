// Fits coefficients of the cost models to measured times.
#pragma once

#include <string>
#include <vector>

#include "problem.h"

namespace corrbank_tune {

struct Sample {
  Shape shape;
  std::string name;  // of a candidate
  double nanoseconds;
  double weight;
};

// Moves the coefficients named, from where they are, to where the squared logarithms of predicted over measured times are
// least, weighted; what no sample tells stays near its start. Returns the root of the mean square, before and after.
struct Misfit {
  double before, after;
};
Misfit fit(const std::vector<Sample>& samples, const std::vector<std::string>& names);

}  // namespace corrbank_tune
