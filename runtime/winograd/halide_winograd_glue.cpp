// Where Halide's kernels for Winograd meet corrbank: their tables and their arguments.
#include <algorithm>
#include <climits>

#include "halide_buffer.h"
#include "winograd_kernels.h"

namespace corrbank::detail {
namespace {

using InputFunction = int(halide_buffer_t* image, halide_buffer_t* offsets, halide_buffer_t* shifts, int32_t ahead,
                          halide_buffer_t* tiles);
using ProductFunction = int(halide_buffer_t* bank, halide_buffer_t* tiles, int32_t channels, int32_t tile_count,
                            bool again, halide_buffer_t* earlier, halide_buffer_t* products);
using OutputFunction = int(halide_buffer_t* products, halide_buffer_t* responses);

}  // namespace

extern "C" {
#define CORRBANK_WINOGRAD_TRANSFORM(target, rows, kernel_rows, columns, kernel_columns, input, output) \
  InputFunction input;                                                                                 \
  OutputFunction output;
#define CORRBANK_WINOGRAD_PRODUCT(target, lanes_over, positions, kernels, lanes, channels, tiles, number, symbol) \
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
#define CORRBANK_WINOGRAD_PRODUCT(target, lanes_over, positions, kernels, lanes, channels, tiles, number, symbol)
#include "winograd_kernels.inc"
#undef CORRBANK_WINOGRAD_TRANSFORM
#undef CORRBANK_WINOGRAD_PRODUCT
    {}  // a table may be empty, an array may not
};

const WinogradProduct product_table[] = {
#define CORRBANK_WINOGRAD_TRANSFORM(target, rows, kernel_rows, columns, kernel_columns, input, output)
#define CORRBANK_WINOGRAD_PRODUCT(target, lanes_over, positions, kernels, lanes, channels, tiles, number, symbol) \
  {#target,                                                                                                       \
   LanesOver::lanes_over,                                                                                         \
   positions,                                                                                                     \
   kernels,                                                                                                       \
   lanes,                                                                                                         \
   channels,                                                                                                      \
   tiles,                                                                                                         \
   number,                                                                                                        \
   reinterpret_cast<void (*)()>(&symbol)},
#include "winograd_kernels.inc"
#undef CORRBANK_WINOGRAD_TRANSFORM
#undef CORRBANK_WINOGRAD_PRODUCT
    {}  // a table may be empty, an array may not
};

// Extents of the products of one panel: lanes run over f.
struct ProductsShape {
  int f, s, place;
  ProductsShape(const WinogradProduct& p, int tile_count) noexcept
      : f(p.lanes_over == LanesOver::tiles ? tile_count : p.panel_kernels()),
        s(p.lanes_over == LanesOver::tiles ? p.panel_kernels() : tile_count),
        place(static_cast<int>(products_pitch(std::int64_t{f} * s))) {}
};

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

void multiply(const WinogradTransform& t, const WinogradProduct& p, const WinogradSums& sums,
              const BeforeRow& before_row) noexcept {
  const ProductsShape shape(p, sums.tile_count);
  const int columns = t.tile_columns(), width = p.panel_kernels(), place = shape.place;
  const int bank_place = sums.channels * width, bank_column = t.bank_columns() == 1 ? 0 : bank_place;
  // The channels of a place one after the other, as the bank has them.
  const int at_once = sums.channels <= sums.at_once ? columns : 1;
  Buffer<4> out(nullptr, halide_type_float), bank(nullptr, halide_type_float);
  Buffer<3> tiles(nullptr, halide_type_float);
  out.dim(0, shape.f, 1).dim(1, shape.s, shape.f).dim(2, at_once, place).dim(3, 1, 0);
  bank.dim(0, width, 1).dim(2, at_once, bank_column).dim(3, 1, 0);
  tiles.dim(1, at_once, sums.pitch).dim(2, 1, 0);
  for (int row = 0; row < t.tile_rows(); ++row) {
    before_row.call(before_row.context, row);
    const float* const panel =
        sums.panel + (t.bank_rows() == 1 ? 0 : row) * std::ptrdiff_t{t.bank_columns()} * bank_place;
    for (int column = 0; column < columns; column += at_once) {
      const std::ptrdiff_t first_place = std::ptrdiff_t{row} * columns + column,
                           bank_first = std::ptrdiff_t{column} * bank_column;
      out.at(sums.products + first_place * place);
      for (int first = 0; first < sums.channels; first += sums.at_once) {
        const int count = std::min(sums.at_once, sums.channels - first);
        bank.at(panel + bank_first + std::ptrdiff_t{first} * width).dim(1, count, width);
        tiles.at(sums.tiles + first_place * sums.pitch + std::ptrdiff_t{first} * sums.tile_count)
            .dim(0, count * sums.tile_count, 1);
        reinterpret_cast<ProductFunction*>(p.function)(bank, tiles, count, sums.tile_count, first > 0, out, out);
      }
    }
  }
}

void transform_output(const WinogradTransform& t, const WinogradProduct& p, const float* products, int tile_count,
                      int first, int count, float* responses) noexcept {
  const ProductsShape shape(p, tile_count);
  const int place = shape.place, row = shape.f * t.columns;
  Buffer<4> in(products + std::ptrdiff_t{first} * shape.f, halide_type_float);
  in.dim(0, shape.f, 1).dim(1, count, shape.f).dim(2, t.tile_columns(), place);
  in.dim(3, t.tile_rows(), place * t.tile_columns());
  Buffer<4> out(responses, halide_type_float);
  out.dim(0, t.columns, 1).dim(1, shape.f, t.columns).dim(2, t.rows, row).dim(3, count, row * t.rows);
  reinterpret_cast<OutputFunction*>(t.output)(in, out);
}

}  // namespace corrbank::detail
