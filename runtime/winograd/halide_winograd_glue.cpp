// Where Halide's kernels for Winograd meet corrbank: their tables and their arguments.
#include <climits>

#include "halide_buffer.h"
#include "winograd_kernels.h"

namespace corrbank::detail {
namespace {

using InputFunction = int(halide_buffer_t* image, halide_buffer_t* offsets, halide_buffer_t* shifts, int32_t ahead,
                          halide_buffer_t* tiles);
using ProductFunction = int(halide_buffer_t* bank, halide_buffer_t* tiles, int32_t channels, int32_t tile_count,
                            halide_buffer_t* products);
using OutputFunction = int(halide_buffer_t* products, halide_buffer_t* responses);

}  // namespace

extern "C" {
#define CORRBANK_WINOGRAD_TRANSFORM(target, rows, kernel_rows, columns, kernel_columns, input, output) \
  InputFunction input;                                                                                 \
  OutputFunction output;
#define CORRBANK_WINOGRAD_PRODUCT(target, lanes_over, positions, kernels, lanes, channels, tiles, symbol) \
  ProductFunction symbol;
#include "winograd_kernels.inc"
#undef CORRBANK_WINOGRAD_TRANSFORM
#undef CORRBANK_WINOGRAD_PRODUCT
}

namespace {

const WinogradTransform transform_table[] = {
#define CORRBANK_WINOGRAD_TRANSFORM(target, rows, kernel_rows, columns, kernel_columns, input, output) \
  {#target,                                                                                            \
   rows,                                                                                               \
   kernel_rows,                                                                                        \
   columns,                                                                                            \
   kernel_columns,                                                                                     \
   reinterpret_cast<void (*)()>(&input),                                                               \
   reinterpret_cast<void (*)()>(&output)},
#define CORRBANK_WINOGRAD_PRODUCT(target, lanes_over, positions, kernels, lanes, channels, tiles, symbol)
#include "winograd_kernels.inc"
#undef CORRBANK_WINOGRAD_TRANSFORM
#undef CORRBANK_WINOGRAD_PRODUCT
    {}  // a table may be empty, an array may not
};

const WinogradProduct product_table[] = {
#define CORRBANK_WINOGRAD_TRANSFORM(target, rows, kernel_rows, columns, kernel_columns, input, output)
#define CORRBANK_WINOGRAD_PRODUCT(target, lanes_over, positions, kernels, lanes, channels, tiles, symbol) \
  {#target, LanesOver::lanes_over, positions, kernels, lanes, channels, tiles, reinterpret_cast<void (*)()>(&symbol)},
#include "winograd_kernels.inc"
#undef CORRBANK_WINOGRAD_TRANSFORM
#undef CORRBANK_WINOGRAD_PRODUCT
    {}  // a table may be empty, an array may not
};

// (lane of f, s, j, i) of the products of one panel.
Buffer<4> products_buffer(const WinogradTransform& t, const WinogradProduct& p, const float* data,
                          int tile_count) noexcept {
  const bool over_tiles = p.lanes_over == LanesOver::tiles;
  const int f = over_tiles ? tile_count : p.panel_kernels(), s = over_tiles ? p.panel_kernels() : tile_count;
  Buffer<4> buffer(data, halide_type_float);
  buffer.dim(0, f, 1).dim(1, s, f).dim(2, t.tile_columns(), f * s).dim(3, t.tile_rows(), f * s * t.tile_columns());
  return buffer;
}

}  // namespace

Table<WinogradTransform> all_winograd_transforms() noexcept {
  return {transform_table, static_cast<int>(sizeof transform_table / sizeof transform_table[0]) - 1};
}

Table<WinogradProduct> all_winograd_products() noexcept {
  return {product_table, static_cast<int>(sizeof product_table / sizeof product_table[0]) - 1};
}

void transform_input(const WinogradTransform& t, const WinogradInput& in) noexcept {
  Buffer<3> image(in.image, halide_type_float);
  image.dim(0, t.tile_columns(), 1).dim(1, t.tile_rows(), static_cast<int>(in.row_stride)).dim(2, INT_MAX, 1);
  Buffer<1> offsets(in.offsets, halide_type_int), shifts(in.shifts, halide_type_float);
  offsets.dim(0, in.count + in.ahead, 1);
  shifts.dim(0, in.count, 1);
  Buffer<3> tiles(in.tiles, halide_type_float);
  tiles.dim(0, in.count, 1).dim(1, t.tile_columns(), in.pitch).dim(2, t.tile_rows(), in.pitch * t.tile_columns());
  reinterpret_cast<InputFunction*>(t.input)(image, offsets, shifts, in.ahead, tiles);
}

void multiply(const WinogradTransform& t, const WinogradProduct& p, const float* panel, const float* tiles, int pitch,
              int channels, int tile_count, float* products) noexcept {
  const int place = channels * p.panel_kernels();
  Buffer<4> bank(panel, halide_type_float);
  bank.dim(0, p.panel_kernels(), 1)
      .dim(1, channels, p.panel_kernels())
      .dim(2, t.tile_columns(), t.bank_columns() == 1 ? 0 : place)
      .dim(3, t.tile_rows(), t.bank_rows() == 1 ? 0 : place * t.bank_columns());
  Buffer<3> in(tiles, halide_type_float);
  in.dim(0, channels * tile_count, 1).dim(1, t.tile_columns(), pitch).dim(2, t.tile_rows(), pitch * t.tile_columns());
  Buffer<4> out = products_buffer(t, p, products, tile_count);
  reinterpret_cast<ProductFunction*>(p.function)(bank, in, channels, tile_count, out);
}

void transform_output(const WinogradTransform& t, const WinogradProduct& p, const float* products, int tile_count,
                      float* responses) noexcept {
  Buffer<4> in = products_buffer(t, p, products, tile_count);
  const bool over_tiles = p.lanes_over == LanesOver::tiles;
  const int f = over_tiles ? tile_count : p.panel_kernels(), s = over_tiles ? p.panel_kernels() : tile_count;
  Buffer<4> out(responses, halide_type_float);
  out.dim(0, t.columns, 1).dim(1, f, t.columns).dim(2, t.rows, f * t.columns).dim(3, s, f * t.columns * t.rows);
  reinterpret_cast<OutputFunction*>(t.output)(in, out);
}

}  // namespace corrbank::detail
