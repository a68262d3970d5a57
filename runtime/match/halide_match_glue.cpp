// Where Halide's kernels for matching meet corrbank: their table and their arguments.
#include <climits>
#include <cstring>

#include "halide_buffer.h"
#include "match/exact.h"

namespace corrbank::detail {
namespace {

using ExactFunction = int(halide_buffer_t* image, halide_buffer_t* weights, halide_buffer_t* offsets, int32_t row_stride,
                          halide_buffer_t* sums);

}  // namespace

extern "C" {
#define CORRBANK_EXACT(target, symbol) ExactFunction symbol;
#include "match_kernels.inc"
#undef CORRBANK_EXACT
}

namespace {

struct Row {
  const char* target;
  ExactFunction* exact;
};

const Row rows[] = {
#define CORRBANK_EXACT(target, symbol) {#target, &symbol},
#include "match_kernels.inc"
#undef CORRBANK_EXACT
};

}  // namespace

void sum_exactly(const Target& target, const ExactCall& call) noexcept {
  Buffer<1> image(call.image, halide_type_float, 64);
  image.dim(0, INT_MAX, 1);
  Buffer<2> weights(call.weights, halide_type_float, 64);
  weights.dim(0, call.kernels, 1).dim(1, call.taps, static_cast<int>(call.weight_stride));
  Buffer<1> offsets(call.offsets, halide_type_int);
  offsets.dim(0, call.taps, 1);
  Buffer<3> sums(call.sums, halide_type_float, 64);
  sums.dim(0, call.columns, 1).dim(1, call.rows, call.columns).dim(2, call.kernels, call.rows * call.columns);
  for (const Row& row : rows) {
    if (std::strcmp(row.target, target.name) != 0) continue;
    row.exact(image, weights, offsets, static_cast<int32_t>(call.row_stride), sums);
    return;
  }
}

}  // namespace corrbank::detail
