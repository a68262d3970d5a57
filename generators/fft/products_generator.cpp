// Products of spectra, summed over channels: for each bin a complex matrix product. One generator for each kind of lanes.
//
// A sum takes one multiply-add a channel. Of two (re + wr xr - wi xi) the compiler chooses the order, and did not
// choose the same one throughout a tile: then a response's bits depend on its place there.
//
// Evidence, 2026-11-25, AMD EPYC ("Zen 4"), one core, FMA peak 114 to 118 GFLOP/s; 6 operations a product; 128 channels
// (tiles) or 256 (kernels), the bank in L2. Kernels' four multiplications allow 87.
//   AVX-512  tiles: 1x8 105 GFLOP/s, 2x5 101, 2x4 93. kernels: 3x4 and 4x2 88, 1x8 86.
//   AVX2     tiles: 1x4 97. kernels: 3x1 88, 1x2 82, 2x1 74; those with more sums spill, 30 to 43.
// Tried for kernels: Gauss's way with sums of x on the stack, 86 with 3x2 and 3x3, which spills.
#include <Halide.h>

namespace corrbank_generators {
namespace {

using namespace Halide;

constexpr int ahead = 64;  // channels

// Lanes are tiles: out(lane, part, group, kernel, bin) = sum over c of x(lane, part, group, c, bin) * w(kernel, c, bin). By
// Gauss, three multiplications a product: with p1 = (xr + xi) wr, p2 = xr (wi - wr), p3 = xi (wr + wi) the product is
// (p1 - p3) + i (p1 + p2). The sums of x are made once for all kernels, on adders that would otherwise idle; those of w are in
// memory, as parts wr, wi - wr, wr + wi, since a multiply-add takes one of them from there for nothing. A tile of `positions`
// groups x `kernels` has 3 registers of sums each. All kernels take a sum of x before the next one is made: it needs one
// register then, and 2x5 fits the 32 of AVX-512 (73 GFLOP/s with a loop over kernels around the three).
class TilesGenerator : public Generator<TilesGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> positions{"positions", 1, 1, 8};
  GeneratorParam<int> kernels{"kernels", 1, 1, 16};

  Input<Buffer<float, 5>> x{"x"};  // (lane, part, group, channel, bin)
  Input<Buffer<float, 5>> w{"w"};  // (part, kernel of the block, channel, block, bin)
  Output<Buffer<float, 5>> out{"out"};

  void generate() {
    const Var lane("lane"), part("part"), group("group"), kernel("kernel"), bin("bin");
    const Var go("go"), gi("gi"), ko("ko"), ki("ki");
    const RDom c(0, w.dim(2).extent(), "c");
    const Expr xr = x(lane, 0, group, c, bin), xi = x(lane, 1, group, c, bin);
    const Var q("q");
    Func sum("sum");
    sum(lane, q, group, kernel, bin) = 0.0f;
    sum(lane, q, group, kernel, bin) += mux(q, {xr + xi, xr, xi}) * w(q, kernel % kernels, c, kernel / kernels, bin);
    const auto s = [&](int i) { return sum(lane, i, group, kernel, bin); };
    out(lane, part, group, kernel, bin) = mux(part, {s(0) - s(2), s(0) + s(1)});

    Func result = out;
    result.bound(lane, 0, lanes).bound(part, 0, 2);
    result.split(group, go, gi, positions, TailStrategy::RoundUp).split(kernel, ko, ki, kernels, TailStrategy::RoundUp);
    result.reorder(lane, part, gi, ki, go, ko, bin).vectorize(lane).unroll(part).unroll(gi).unroll(ki);
    sum.compute_at(result, go).vectorize(lane).unroll(group).unroll(kernel).unroll(q);
    sum.bound_extent(lane, lanes).bound(q, 0, 3);
    sum.update().reorder(lane, group, kernel, q, c).vectorize(lane).unroll(group).unroll(kernel).unroll(q);
    // From memory, a bank is read only for the first of the groups that use it, faster than the processor fetches it by
    // itself: 32 columns of 17 x 128 channels x 50 kernels for 4 groups take 8.9 ms without this, 7.2 with it. Rows of 2
    // kernels are for few channels, whose banks the caches hold.
    if (kernels > 2) sum.update().prefetch(w, c, c, ahead, PrefetchBoundStrategy::NonFaulting);
    x.dim(0).set_bounds(0, lanes).set_stride(1);
    x.dim(1).set_bounds(0, 2).set_stride(lanes);
    x.dim(2).set_min(0).set_stride(2 * lanes);
    w.dim(0).set_bounds(0, 3).set_stride(1);
    w.dim(1).set_bounds(0, kernels).set_stride(3);
    w.dim(2).set_min(0).set_stride(3 * kernels);
    OutputImageParam p = result.output_buffer();
    p.dim(0).set_bounds(0, lanes).set_stride(1);
    p.dim(1).set_bounds(0, 2).set_stride(lanes);
    p.dim(2).set_min(0).set_stride(2 * lanes);
    for (int d = 3; d < 5; ++d) x.dim(d).set_min(0), w.dim(d).set_min(0), p.dim(d).set_min(0);
  }
};

// Lanes are kernels: out(lane, part, vector, tile, bin) = sum over c of w(lane, part, vector, c, bin) * x(c, tile, bin), where x
// has channels in lanes. Both parts of w are one vector of 2 L lanes: `positions` tiles x `kernels` of them, 2 vectors of sums
// each, of w xr and of w xi.
class KernelsGenerator : public Generator<KernelsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> positions{"positions", 1, 1, 8};
  GeneratorParam<int> kernels{"kernels", 1, 1, 16};

  Input<Buffer<float, 5>> x{"x"};  // (lane, part, group of channels, tile, bin)
  Input<Buffer<float, 5>> w{"w"};  // (part and lane, vector of the block, channel, block, bin)
  Output<Buffer<float, 5>> out{"out"};

  void generate() {
    const Var lane("lane"), part("part"), vector("vector"), tile("tile"), bin("bin");
    const Var vo("vo"), vi("vi"), to("to"), ti("ti");
    const RDom c(0, lanes, 0, x.dim(2).extent(), "c");
    const Var both("both"), q("q");
    Func sum("sum");
    sum(both, q, vector, tile, bin) = 0.0f;
    sum(both, q, vector, tile, bin) +=
        w(both, vector % kernels, c.y * lanes + c.x, vector / kernels, bin) * x(c.x, q, c.y, tile, bin);
    const auto s = [&](const Expr& e, int i) { return sum(e, i, vector, tile, bin); };
    out(lane, part, vector, tile, bin) = mux(part, {s(lane, 0) - s(lane + lanes, 1), s(lane, 1) + s(lane + lanes, 0)});

    Func result = out;
    result.bound(lane, 0, lanes).bound(part, 0, 2);
    result.split(vector, vo, vi, kernels, TailStrategy::RoundUp).split(tile, to, ti, positions, TailStrategy::RoundUp);
    result.reorder(lane, part, vi, ti, to, vo, bin).vectorize(lane).unroll(part).unroll(vi).unroll(ti);
    sum.compute_at(result, to).vectorize(both).unroll(vector).unroll(tile).unroll(q);
    sum.bound_extent(both, 2 * lanes).bound(q, 0, 2);
    sum.update().reorder(both, vector, q, tile, c.x, c.y).vectorize(both).unroll(vector).unroll(tile).unroll(q);
    x.dim(0).set_bounds(0, lanes).set_stride(1);
    x.dim(1).set_bounds(0, 2).set_stride(lanes);
    x.dim(2).set_min(0).set_stride(2 * lanes);
    w.dim(0).set_bounds(0, 2 * lanes).set_stride(1);
    w.dim(1).set_bounds(0, kernels).set_stride(2 * lanes);
    w.dim(2).set_min(0).set_stride(2 * lanes * kernels);
    OutputImageParam p = result.output_buffer();
    p.dim(0).set_bounds(0, lanes).set_stride(1);
    p.dim(1).set_bounds(0, 2).set_stride(lanes);
    p.dim(2).set_min(0).set_stride(2 * lanes);
    for (int d = 3; d < 5; ++d) x.dim(d).set_min(0), w.dim(d).set_min(0), p.dim(d).set_min(0);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::TilesGenerator, corrbank_fft_tiles)
HALIDE_REGISTER_GENERATOR(corrbank_generators::KernelsGenerator, corrbank_fft_kernels)
