// Spectra in(lane, part, row, bin) of real rows to their elements: `columns` of each, at panel + offsets(lane) + row * step.
// They come out size / 2 times too large up to 32 elements, size times beyond.
#include "../direct/expressions.h"
#include "transform.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class RowsInverseGenerator : public Generator<RowsInverseGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> size{"size", 16, 4, 256};
  GeneratorParam<int> first{"first", 1, 1, 256};  // N1 of the transform of half the size (transform.h)

  Input<Buffer<float, 4>> in{"in"};
  Input<Buffer<int32_t, 1>> offsets{"offsets"};
  Input<int32_t> step{"step"};
  Input<int32_t> columns{"columns"};  // at least `lanes`
  Output<Buffer<float, 1>> panel{"panel"};

  void generate() {
    const Var lane("lane"), row("row"), x("x"), start_column("start_column");
    const int half = size / 2;
    const auto spectrum = [&](const Expr& b) { return Complex{in(lane, 0, row, b), in(lane, 1, row, b)}; };
    Func elements("elements");  // (lane, x, row)
    LoopLevel in_row;
    if (half <= largest_codelet) {
      Complexes bins;
      for (int b = 0; b <= half; ++b) bins.push_back(spectrum(b));
      const std::vector<Expr> reals = reals_of_fourier(bins);
      Func codelet("codelet");
      codelet(lane, row) = Tuple(reals);
      std::vector<Expr> all;
      for (int i = 0; i < size; ++i) all.push_back(codelet(lane, row)[i]);
      elements(lane, x, row) = mux(x, all);
      elements.compute_at(in_row).store_in(MemoryType::Stack).bound_extent(lane, lanes).bound(x, 0, size);
      elements.reorder(lane, x).vectorize(lane).unroll(x);
      codelet.compute_at(elements, row).vectorize(lane).bound_extent(lane, lanes);
    } else {
      // Elements k and half - k are of the same two bins.
      const Buffer<float> root = roots(size, 1, half / 2 + 1, 2);
      const Var k("k");
      const Complex a = spectrum(k), b = spectrum(half - k);
      const Complex even{a.re + b.re, a.im - b.im}, odd{a.re - b.re, a.im + b.im};
      const Complex turned = odd * Complex{root(0, k, 1), root(1, k, 1)};
      const Complex one = add_i(even, turned, 1), other = add_i({even.re, -even.im}, {turned.re, -turned.im}, 1);
      Func both("both"), packed("packed");
      both(lane, row, k) = Tuple(one.re, one.im, other.re, other.im);
      packed(lane, x, row) = undef<float>();
      const RDom p(0, 2, 0, 2, 0, half / 2 + 1, "p");
      const FuncRef made = both(lane, row, p.z);
      packed(lane, p.x + 2 * select(p.y == 0, p.z, half - p.z), row) =
          mux(p.x + 2 * p.y, {made[0], made[1], made[2], made[3]});
      packed.compute_at(in_row).store_in(MemoryType::Stack).bound_extent(lane, lanes).bound(x, 0, 2 * half + 2);
      packed.update().reorder(lane, p.x, p.y, p.z, row).vectorize(lane).unroll(p.x).unroll(p.y);
      both.compute_at(packed, p.z).vectorize(lane).bound_extent(lane, lanes);
      const auto element = [&](const Expr& i) {
        return Complex{packed(lane, 2 * i, row), packed(lane, 2 * i + 1, row)};
      };
      Transform(half, first, 1, element, lane, row, "halves").store(elements, in_row, lanes);
    }
    Transposed turned = transposed(
        lanes, {start_column, row},
        [&](const Expr& tx, const Expr& tc) { return elements(tx, start_column + tc, row); }, "turned");

    panel(x) = undef<float>();
    RDom r(0, lanes, 0, lanes, 0, ceiling(columns, lanes), 0, in.dim(2).extent(), "r");
    const Expr start = min(r.z * lanes, columns - lanes);
    std::vector<Expr> from = {r.x, r.y, start, r.w};
    panel(within(offsets(r.y) + r.w * step + start + r.x, panel.dim(0).extent())) = turned.result()(from);
    Func result = panel;
    result.update().allow_race_conditions().vectorize(r.x).unroll(r.y);
    turned.schedule(result, r.z, lanes);
    in_row.set(LoopLevel(result, r.w));
    in.dim(0).set_bounds(0, lanes).set_stride(1);
    in.dim(1).set_bounds(0, 2).set_stride(lanes);
    in.dim(2).set_min(0);
    in.dim(3).set_bounds(0, half + 1);
    offsets.dim(0).set_bounds(0, lanes);
    result.output_buffer().dim(0).set_min(0).set_stride(1);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::RowsInverseGenerator, corrbank_fft_rows_inverse)
