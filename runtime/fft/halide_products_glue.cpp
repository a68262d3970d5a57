// Where Halide's products of spectra meet corrbank: their table and their arguments.
#include "halide_buffer.h"
#include "products.h"

namespace corrbank::detail {
namespace {

using Function = int(halide_buffer_t* x, halide_buffer_t* w, halide_buffer_t* out);

}  // namespace

extern "C" {
#define CORRBANK_FFT_PRODUCT(target, over, positions, kernels, lanes, symbol) Function symbol;
#include "fft_products.inc"
#undef CORRBANK_FFT_PRODUCT
}

namespace {

const FftProduct product_table[] = {
#define CORRBANK_FFT_PRODUCT(target, over, positions, kernels, lanes, symbol) \
  {#target, FftLanes::over, positions, kernels, lanes, reinterpret_cast<void (*)()>(&symbol)},
#include "fft_products.inc"
#undef CORRBANK_FFT_PRODUCT
    {}  // a table may be empty, an array may not
};

int narrow(std::ptrdiff_t stride) noexcept { return static_cast<int>(stride); }

}  // namespace

Table<FftProduct> all_fft_products() noexcept {
  return {product_table, static_cast<int>(sizeof product_table / sizeof product_table[0]) - 1};
}

void multiply(const FftProduct& row, const FftProducts& call) noexcept {
  const int lanes = row.lanes, element = 2 * lanes, blocks = call.kernels / row.kernels;
  const auto function = reinterpret_cast<Function*>(row.function);
  Buffer<5> x(call.x, halide_type_float), w(call.w, halide_type_float), y(call.y, halide_type_float);
  x.dim(0, lanes, 1).dim(1, 2, lanes);
  y.dim(0, lanes, 1).dim(1, 2, lanes);
  if (row.over == FftLanes::tiles) {
    x.dim(2, call.positions, element).dim(3, call.channels, element * call.positions);
    y.dim(2, call.positions, element).dim(3, call.kernels, element * call.positions);
    w.dim(0, 3, 1).dim(1, row.kernels, 3).dim(2, call.channels, 3 * row.kernels);
    w.dim(3, blocks, 3 * row.kernels * call.channels).dim(4, call.bins, narrow(call.w_bin));
    x.dim(4, call.bins, narrow(call.x_bin));
    y.dim(4, call.bins, narrow(call.y_bin));
    function(x, w, y);
    return;
  }
  const int groups = (call.channels + lanes - 1) / lanes;
  x.dim(2, groups, element).dim(3, call.positions, element * groups).dim(4, call.bins, narrow(call.x_bin));
  y.dim(2, call.kernels, element).dim(3, call.positions, element * call.kernels).dim(4, call.bins, narrow(call.y_bin));
  w.dim(0, element, 1).dim(1, row.kernels, element).dim(2, groups * lanes, element * row.kernels);
  w.dim(3, blocks, element * row.kernels * groups * lanes).dim(4, call.bins, narrow(call.w_bin));
  function(x, w, y);
}

}  // namespace corrbank::detail
