// B^T d B of the tiles of an image: V[i][j][q] for each lane q, a tile of a channel.
//
// Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core, 128 channels of 200 x 200, tiles of 8 x 8: strided loads of each
// column take 17 ms; a transposition in registers (`across`) 4.4; the prefetch takes another 1 off. With 16 lanes, halves of rows
// stored apart are deinterleaved by 4 rather than 8, 24 permutations a row rather than 56 and blends: 28 us for 128 channels of
// 16 tiles become 24. With 8 lanes and with 4 that gains nothing; there quads of columns, with 8 lanes those of two tiles side by
// side, are transposed within 128 bits: 22 shuffles a row of 8 lanes rather than 64 loads of one element. On an AMD EPYC ("Zen 3"),
// 2026-11-29, 128 channels of 1089 tiles take 4.6 ms rather than 5.15 with AVX2, 6.7 rather than 6.85 with SSE4.1.
#include <stdexcept>

#include "axes.h"
#include "cook_toom.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class WinogradInputGenerator : public Generator<WinogradInputGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> tile_rows{"tile_rows", 8, 1, 8};
  GeneratorParam<int> tile_columns{"tile_columns", 8, 1, 8};
  GeneratorParam<Axes> axes{"axes", Axes::both, axes_names()};

  // (column, row of a tile, element): a tile begins at any element. Its sides are constant for the prefetch's sake.
  Input<Buffer<float, 3>> image{"image"};
  Input<Buffer<int32_t, 1>> offsets{"offsets"};  // of lane q: its tile's first element
  // Of lane q: what is added to its elements, a negated mean. Strictly, and added: the compiler takes differences apart
  // to move a mean behind the transform, where the rounding of the elements' large common part has done its harm.
  Input<Buffer<float, 1>> shifts{"shifts"};
  Input<int32_t> ahead{"ahead"};            // lanes: the tile of lane q + ahead is prefetched; offsets reach that far
  Output<Buffer<float, 3>> tiles{"tiles"};  // (q, j, i)

  void generate() {
    const int rows = tile_rows, columns = tile_columns;
    Exprs column, row;
    const Expr first = unsafe_promise_clamped(offsets(q), 0, image.dim(2).extent() - 1);
    for (int i = 0; i < rows; ++i) column.push_back(strict_float(image(x, i, first) + shifts(q)));
    if (transforms_rows(axes)) column = transform_input(rows, column);
    down(x, i, q) = mux(i, column);
    if (in_quads()) {
      // Of 4 columns x % 4 the tiles x / 4 * 4 + t of a group of lanes.
      piece(x, t, h, i, g) = down(h * 4 + x % 4, i, g * lanes + x / 4 * 4 + t);
      loaded(x, t, h, i, g) = piece(x, t, h, i, g);
      across(q, x, i) = loaded(q % lanes / 4 * 4 + x % 4, q % 4, x / 4, i, q / lanes);
    } else {
      piece(x, q, h, i) = down(h * piece_columns() + x, i, q);
      across(q, x, i) = piece(x % piece_columns(), q, x / piece_columns(), i);
    }
    for (int j = 0; j < columns; ++j) row.push_back(across(q, j, i));
    if (transforms_columns(axes)) row = transform_input(columns, row);
    tiles(q, j, i) = mux(j, row);

    image.dim(0).set_bounds(0, columns).set_stride(1);
    image.dim(1).set_bounds(0, rows);
    image.dim(2).set_min(0).set_stride(1);
    offsets.dim(0).set_min(0);
    shifts.dim(0).set_min(0);
    tiles.dim(0).set_min(0);
    tiles.dim(1).set_bounds(0, columns);
    tiles.dim(2).set_bounds(0, rows);
  }

  // A tile's rows are vectors on the way down; then the tiles of `lanes` lanes are transposed, a row at a time.
  void schedule() {
    Var group("group"), lane("lane"), quad("quad"), element("element");
    Func made = tiles;
    made.split(q, group, lane, lanes, TailStrategy::RoundUp).reorder(lane, j, i, group).vectorize(lane).unroll(j);
    down.compute_at(piece, in_quads() ? t : q)
        .bound(x, 0, tile_columns)
        .bound(i, 0, tile_rows)
        .vectorize(x)
        .unroll(i)
        .store_in(MemoryType::Stack);
    if (in_quads()) {
      piece.compute_at(made, group)
          .bound(x, 0, lanes)
          .bound(t, 0, 4)
          .split(x, quad, element, 4)
          .reorder(element, h, i, t, quad)
          .vectorize(element)
          .prefetch(image, t, t, ahead, PrefetchBoundStrategy::NonFaulting);
      loaded.compute_at(made, i)
          .bound(x, 0, lanes)
          .bound(t, 0, 4)
          .bound(h, 0, tile_columns / 4)
          .vectorize(x)
          .unroll(t)
          .unroll(h);
    } else {
      piece.compute_at(made, group)
          .bound(x, 0, piece_columns())
          .reorder(x, h, i, q)
          .vectorize(x)
          .prefetch(image, q, q, ahead, PrefetchBoundStrategy::NonFaulting);
    }
    piece.bound(h, 0, tile_columns / piece_columns())
        .bound(i, 0, tile_rows)
        .unroll(h)
        .unroll(i)
        .store_in(MemoryType::Stack);
    across.compute_at(made, i).vectorize(q).unroll(x);
  }

 private:
  // Whether rows lie in memory as transpositions within 128 bits take them. 32-bit ARM has too few registers for their addresses.
  [[nodiscard]] bool in_quads() const { return lanes <= 8 && tile_columns % 4 == 0 && get_target().bits == 64; }
  // Of a row, what is stored together.
  [[nodiscard]] int piece_columns() const {
    return in_quads() || (lanes == 16 && tile_columns % 4 == 0) ? 4 : int(tile_columns);
  }

  Var q{"q"}, x{"x"}, h{"h"}, i{"i"}, j{"j"}, t{"t"}, g{"g"};
  Func down{"down"}, piece{"piece"}, loaded{"loaded"}, across{"across"};
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::WinogradInputGenerator, corrbank_winograd_input)
