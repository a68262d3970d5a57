// A^T m A of the products of a panel, to a panel of responses.
#include "axes.h"
#include "cook_toom.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class WinogradOutputGenerator : public Generator<WinogradOutputGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> rows{"rows", 6, 1, 8};        // of responses
  GeneratorParam<int> columns{"columns", 6, 1, 8};  // of responses
  GeneratorParam<int> tile_rows{"tile_rows", 8, 1, 8};
  GeneratorParam<int> tile_columns{"tile_columns", 8, 1, 8};
  GeneratorParam<Axes> axes{"axes", Axes::both, axes_names()};

  Input<Buffer<float, 4>> products{"products"};     // (f, s, j, i): lanes run over f (product_generator.cpp)
  Output<Buffer<float, 4>> responses{"responses"};  // (x, f, y, s): the tiles or kernels of a row of lanes side by side

  void generate() {
    Exprs column, row;
    for (int i = 0; i < tile_rows; ++i) column.push_back(products(f, s, j, i));
    if (transforms_rows(axes)) column = transform_output(rows, column);
    down(f, j, y, s) = mux(y, column);
    for (int j = 0; j < tile_columns; ++j) row.push_back(down(f, j, y, s));
    if (transforms_columns(axes)) row = transform_output(columns, row);
    responses(x, f, y, s) = mux(x, row);

    for (int d = 0; d < 4; ++d) products.dim(d).set_min(0);
    products.dim(0).set_stride(1);
    responses.dim(0).set_bounds(0, columns).set_stride(1);
    responses.dim(1).set_min(0).set_stride(columns);
    responses.dim(2).set_bounds(0, rows);
    responses.dim(3).set_min(0);
  }

  // All columns of a row of responses are stored at once: Halide interleaves their vectors.
  void schedule() {
    Var group("group"), lane("lane");
    Func made = responses;
    made.split(f, group, lane, lanes, TailStrategy::RoundUp).reorder(lane, x, y, group, s).vectorize(lane).unroll(x);
    down.compute_at(made, group)
        .bound(j, 0, tile_columns)
        .bound(y, 0, rows)
        .reorder(f, y, j)
        .vectorize(f)
        .unroll(y)
        .store_in(MemoryType::Stack);
  }

 private:
  Var f{"f"}, s{"s"}, j{"j"}, x{"x"}, y{"y"};
  Func down{"down"};
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::WinogradOutputGenerator, corrbank_winograd_output)
