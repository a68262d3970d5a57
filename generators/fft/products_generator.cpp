// Products of spectra, summed over channels: for each bin a complex matrix product. One generator for each kind of lanes.
#include <Halide.h>

namespace corrbank_generators {
namespace {

using namespace Halide;

// Lanes are tiles: out(lane, part, group, kernel, bin) = sum over c of x(lane, part, group, c, bin) * w(kernel, c, bin). By
// Gauss, three multiplications a product: with p1 = (xr + xi) wr, p2 = xr (wi - wr), p3 = xi (wr + wi) the product is
// (p1 - p3) + i (p1 + p2). The sums of x are made once for all kernels, on adders that would otherwise idle; those of w are in
// memory, as parts wr, wi - wr, wr + wi, since a multiply-add takes one of them from there for nothing. A tile of `positions`
// groups x `kernels` has 3 registers of sums each, and 3 of x for each group.
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
    const auto weight = [&](int q) { return w(q, kernel % kernels, c, kernel / kernels, bin); };
    Func sum("sum");
    sum(lane, group, kernel, bin) = Tuple(0.0f, 0.0f, 0.0f);
    const FuncRef s = sum(lane, group, kernel, bin);
    sum(lane, group, kernel, bin) = Tuple(s[0] + (xr + xi) * weight(0), s[1] + xr * weight(1), s[2] + xi * weight(2));
    out(lane, part, group, kernel, bin) = mux(part, {s[0] - s[2], s[0] + s[1]});

    Func result = out;
    result.bound(lane, 0, lanes).bound(part, 0, 2);
    result.split(group, go, gi, positions, TailStrategy::RoundUp).split(kernel, ko, ki, kernels, TailStrategy::RoundUp);
    result.reorder(lane, part, gi, ki, go, ko, bin).vectorize(lane).unroll(part).unroll(gi).unroll(ki);
    sum.compute_at(result, go).vectorize(lane).unroll(group).unroll(kernel).bound_extent(lane, lanes);
    sum.update().reorder(lane, group, kernel, c).vectorize(lane).unroll(group).unroll(kernel);
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
// has channels in lanes. `positions` tiles x `kernels` vectors, 2 registers of sums each.
class KernelsGenerator : public Generator<KernelsGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> positions{"positions", 1, 1, 8};
  GeneratorParam<int> kernels{"kernels", 1, 1, 16};

  Input<Buffer<float, 5>> x{"x"};  // (lane, part, group of channels, tile, bin)
  Input<Buffer<float, 6>> w{"w"};  // (lane, part, vector of the block, channel, block, bin)
  Output<Buffer<float, 5>> out{"out"};

  void generate() {
    const Var lane("lane"), part("part"), vector("vector"), tile("tile"), bin("bin");
    const Var vo("vo"), vi("vi"), to("to"), ti("ti");
    const RDom c(0, lanes, 0, x.dim(2).extent(), "c");
    const Expr xr = x(c.x, 0, c.y, tile, bin), xi = x(c.x, 1, c.y, tile, bin);
    const auto weight = [&](int q) { return w(lane, q, vector % kernels, c.y * lanes + c.x, vector / kernels, bin); };
    Func sum("sum");
    sum(lane, vector, tile, bin) = Tuple(0.0f, 0.0f);
    const FuncRef s = sum(lane, vector, tile, bin);
    sum(lane, vector, tile, bin) =
        Tuple(s[0] + weight(0) * xr - weight(1) * xi, s[1] + weight(0) * xi + weight(1) * xr);
    out(lane, part, vector, tile, bin) = mux(part, {s[0], s[1]});

    Func result = out;
    result.bound(lane, 0, lanes).bound(part, 0, 2);
    result.split(vector, vo, vi, kernels, TailStrategy::RoundUp).split(tile, to, ti, positions, TailStrategy::RoundUp);
    result.reorder(lane, part, vi, ti, to, vo, bin).vectorize(lane).unroll(part).unroll(vi).unroll(ti);
    sum.compute_at(result, to).vectorize(lane).unroll(vector).unroll(tile).bound_extent(lane, lanes);
    sum.update().reorder(lane, vector, tile, c.x, c.y).vectorize(lane).unroll(vector).unroll(tile);
    x.dim(0).set_bounds(0, lanes).set_stride(1);
    x.dim(1).set_bounds(0, 2).set_stride(lanes);
    x.dim(2).set_min(0).set_stride(2 * lanes);
    w.dim(0).set_bounds(0, lanes).set_stride(1);
    w.dim(1).set_bounds(0, 2).set_stride(lanes);
    w.dim(2).set_bounds(0, kernels).set_stride(2 * lanes);
    w.dim(3).set_min(0).set_stride(2 * lanes * kernels);
    OutputImageParam p = result.output_buffer();
    p.dim(0).set_bounds(0, lanes).set_stride(1);
    p.dim(1).set_bounds(0, 2).set_stride(lanes);
    p.dim(2).set_min(0).set_stride(2 * lanes);
    for (int d = 3; d < 5; ++d) x.dim(d).set_min(0), w.dim(d + 1).set_min(0), p.dim(d).set_min(0);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::TilesGenerator, corrbank_fft_tiles)
HALIDE_REGISTER_GENERATOR(corrbank_generators::KernelsGenerator, corrbank_fft_kernels)
