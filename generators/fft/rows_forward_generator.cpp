// Rows of the image to spectra: each lane is a row of `size` elements somewhere in the image; the result is
// out(lane, part, row, bin), bins 0 to size / 2. Rows of more than 32 elements come out twice as large.
#include "../direct/expressions.h"
#include "transform.h"

namespace corrbank_generators {
namespace {

using namespace Halide;

class RowsForwardGenerator : public Generator<RowsForwardGenerator> {
 public:
  GeneratorParam<int> lanes{"lanes", 4, 1, 64};
  GeneratorParam<int> size{"size", 16, 4, 256};
  GeneratorParam<int> first{"first", 1, 1, 256};  // N1 of the transform of half the size (transform.h)

  Input<Buffer<float, 1>> image{"image"};
  Input<Buffer<int32_t, 1>> offsets{"offsets"};  // of each lane's first row
  Input<Buffer<float, 1>> shifts{"shifts"};      // added to each element of a lane
  Input<int32_t> step{"step"};                   // from a row to the next
  Output<Buffer<float, 4>> out{"out"};

  void generate() {
    const Var lane("lane"), part("part"), row("row"), bin("bin"), x("x"), group("group");
    const int half = size / 2;
    const auto element = [&](const Expr& column, const Expr& l, const Expr& r) {
      // Taken off here and nowhere else: behind the transform it would come too late.
      return strict_float(image(within(offsets(l) + r * step + column, image.dim(0).extent())) + shifts(l));
    };
    Transposed columns = transposed(
        lanes, {group, row}, [&](const Expr& tx, const Expr& tc) { return element(group * lanes + tx, tc, row); },
        "columns");
    const Func& turned = columns.result();
    Func result = out;
    if (half <= largest_codelet) {
      std::vector<Expr> reals;
      for (int i = 0; i < size; ++i) reals.push_back(turned(lane, i % lanes, i / lanes, row));
      std::vector<Expr> parts;
      for (const Complex& c : fourier_of_reals(reals)) {
        parts.push_back(c.re);
        parts.push_back(c.im);
      }
      Func spectrum("spectrum");
      spectrum(lane, row) = Tuple(parts);
      std::vector<Expr> all;
      for (int i = 0; i < size + 2; ++i) all.push_back(spectrum(lane, row)[i]);
      out(lane, part, row, bin) = mux(part + 2 * bin, all);
      result.bound(bin, 0, half + 1);
      result.reorder(lane, part, bin, row).vectorize(lane).unroll(part).unroll(bin);
      spectrum.compute_at(result, row).vectorize(lane).bound_extent(lane, lanes);
      columns.schedule(result, row, lanes);
      for (Func& stage : columns.stages) stage.unroll(group);
    } else {
      // As size / 2 complex elements: even columns and odd ones. The columns are kept first, since a transform picks them
      // from everywhere.
      Func kept("kept");
      kept(lane, x, row) = turned(lane, x % lanes, x / lanes, row);
      const auto pair = [&](const Expr& i) { return Complex{kept(lane, 2 * i, row), kept(lane, 2 * i + 1, row)}; };
      Transform transform(half, first, -1, pair, lane, row, "halves");
      Func z("z");
      LoopLevel in_row;
      transform.store(z, in_row, lanes);
      const auto at = [&](const Expr& k) { return Complex{z(lane, 2 * k, row), z(lane, 2 * k + 1, row)}; };
      const Buffer<float> root = roots(size, -1, half / 2 + 1, 2);
      // Bins k and half - k are of the same two elements.
      const Complex a = at(bin), b = at((half - bin) % half);
      const Complex even{a.re + b.re, a.im - b.im}, odd{a.im + b.im, b.re - a.re};
      const Complex turned_odd = odd * Complex{root(0, bin, 1), root(1, bin, 1)};
      const Complex one = even + turned_odd, other = even - turned_odd;
      Func both("both");
      both(lane, row, bin) = Tuple(one.re, one.im, other.re, -other.im);
      out(lane, part, row, bin) = undef<float>();
      const RDom r(0, 2, 0, 2, 0, half / 2 + 1, 0, out.dim(2).extent(), "r");
      const FuncRef made = both(lane, r.w, r.z);
      out(lane, r.x, r.w, select(r.y == 0, r.z, half - r.z)) = mux(r.x + 2 * r.y, {made[0], made[1], made[2], made[3]});
      result.update().reorder(lane, r.x, r.y, r.z, r.w).vectorize(lane).unroll(r.x).unroll(r.y);
      both.compute_at(result, r.z).vectorize(lane).bound_extent(lane, lanes);
      in_row.set(LoopLevel(result, r.w));
      Var xo("xo"), xi("xi");
      kept.compute_at(in_row).store_in(MemoryType::Stack).bound_extent(lane, lanes).bound_extent(x, size);
      kept.split(x, xo, xi, lanes).vectorize(lane).unroll(xi);
      columns.schedule(kept, xo, lanes);
    }
    result.bound(lane, 0, lanes).bound(part, 0, 2);
    image.dim(0).set_min(0).set_stride(1);
    offsets.dim(0).set_bounds(0, lanes);
    shifts.dim(0).set_bounds(0, lanes);
    OutputImageParam p = result.output_buffer();
    p.dim(0).set_bounds(0, lanes).set_stride(1);
    p.dim(1).set_bounds(0, 2).set_stride(lanes);
    p.dim(2).set_min(0);
    p.dim(3).set_bounds(0, half + 1);
  }
};

}  // namespace
}  // namespace corrbank_generators

HALIDE_REGISTER_GENERATOR(corrbank_generators::RowsForwardGenerator, corrbank_fft_rows_forward)
