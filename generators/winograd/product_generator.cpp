// The products in between, summed over the channels: for each place (i, j) of a tile a product of matrices,
//
//   M[i][j][tile][kernel] = sum_c U[i][j][c][kernel] * V[i][j][c * tile_count + tile]
//
// Lanes run over tiles (many of them, any number of kernels) or over kernels (few tiles, many kernels).
//
// Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core. AVX-512: 1 vector of tiles x 25 kernels is 25 multiply-adds with an
// operand broadcast from memory, a load, an add, a compare and a jump; from 64 channels on all rows reach 97 to 100 % of
// the FMA peak (114 to 117 GFLOP/s), though U comes from L2 or L3. AVX2: 2x6 and 6x2 97 %, 2x4 92 %; 16 registers hold no
// more, 3x4 vectors of kernels spill and halve it.
#include <Halide.h>

namespace corrbank_generators {
namespace {

using namespace Halide;

enum class LanesOver { tiles, kernels };

class WinogradProductGenerator : public Generator<WinogradProductGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<LanesOver> lanes_over{
      "lanes_over", LanesOver::tiles, {{"tiles", LanesOver::tiles}, {"kernels", LanesOver::kernels}}};
  GeneratorParam<int> positions{"positions", 1, 1, 64};  // vectors of tiles, or tiles
  GeneratorParam<int> kernels{"kernels", 1, 1, 64};      // kernels, or vectors of kernels
  // The operand that is broadcast is loaded in vectors, for CPUs that multiply by one lane of a vector.
  GeneratorParam<bool> by_lane{"by_lane", false};
  // Of a row for one number of them; 0: for any.
  GeneratorParam<int> constant_channels{"constant_channels", 0};
  GeneratorParam<int> constant_tile_count{"constant_tile_count", 0};

  Input<Buffer<float, 4>> bank{"bank"};    // U (kernel of a panel, c, j, i)
  Input<Buffer<float, 3>> tiles{"tiles"};  // V (c * tile_count + tile, j, i)
  Input<int32_t> channels{"channels"};
  Input<int32_t> tile_count{"tile_count"};
  Output<Buffer<float, 4>> products{"products"};  // M (tile, kernel, j, i), or (kernel, tile, j, i): lanes fastest

  void generate() {
    const Expr count = constant_channels > 0 ? Expr(int(constant_channels)) : Expr(channels);
    const Expr pitch = constant_tile_count > 0 ? Expr(int(constant_tile_count)) : Expr(tile_count);
    c = RDom(0, count, "c");
    const bool along_tiles = lanes_over == LanesOver::tiles;
    const Var &tile = along_tiles ? f : s, &kernel = along_tiles ? s : f;
    weight(kernel, ch, j, i) = bank(kernel, ch, j, i);
    sum(f, s, j, i) = 0.0f;
    sum(f, s, j, i) += weight(kernel, c, j, i) * tiles(c * pitch + tile, j, i);
    products(f, s, j, i) = sum(f, s, j, i);

    const int panel = kernels * (along_tiles ? 1 : int(lanes));
    for (int d = 0; d < 4; ++d) bank.dim(d).set_min(0);
    bank.dim(0).set_bounds(0, panel).set_stride(1);
    bank.dim(1).set_stride(panel);
    for (int d = 0; d < 3; ++d) tiles.dim(d).set_min(0);
    for (int d = 0; d < 4; ++d) products.dim(d).set_min(0);
    products.dim(along_tiles ? 1 : 0).set_bounds(0, panel);
    products.dim(1).set_stride(products.dim(0).extent());
  }

  // One tile of sums at a time, in registers from the first channel to the last.
  void schedule() {
    const bool along_tiles = lanes_over == LanesOver::tiles;
    const int vectors = along_tiles ? positions : kernels, others = along_tiles ? kernels : positions;
    Var f_block("f_block"), s_block("s_block"), fi("fi"), si("si");
    Func made = products;
    made.split(f, f_block, fi, vectors * int(lanes), TailStrategy::RoundUp)
        .split(s, s_block, si, others, TailStrategy::RoundUp)
        .reorder(fi, si, f_block, s_block, j, i)
        .vectorize(fi, lanes)
        .unroll(fi)
        .unroll(si);
    sum.compute_at(made, f_block)
        .bound_extent(f, vectors * int(lanes))
        .bound_extent(s, others)
        .vectorize(f, lanes)
        .unroll(f)
        .unroll(s);
    // The side with fewer registers is loaded once a channel and kept, the other passes by.
    sum.update().reorder(f, s, c).vectorize(f, lanes).unroll(f).unroll(s);
    if (by_lane && along_tiles) {
      weight.compute_at(sum, c).store_in(MemoryType::Register).bound_extent(s, kernels).vectorize(s);
    }
  }

 private:
  Var f{"f"}, s{"s"}, j{"j"}, i{"i"}, ch{"channel"};
  RDom c;
  Func weight{"weight"}, sum{"sum"};
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::WinogradProductGenerator, corrbank_winograd_product)
