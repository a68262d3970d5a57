// A complex transform of every vector of lanes: one codelet up to 16 elements, two passes of codelets through a scratch on the
// stack beyond, N = N1 * N2 (Cooley and Tukey). Element k1 + N1 * k2 of the result is the k2-th of the k1-th second codelet, so
// results are addressed by k1 and k2.
#pragma once

#include <Halide.h>

#include <functional>
#include <utility>
#include <vector>

#include "codelets.h"

namespace corrbank_generators {

constexpr int largest_codelet = 16;  // complex elements

class Transform {
 public:
  // `element(i)` is element i at lane `lane`, for i a constant or, beyond one codelet, an expression. `batch`: the Var that
  // numbers the transforms.
  using Element = std::function<Complex(const Halide::Expr&)>;
  // `first`: N1; 1 for a single codelet.
  Transform(int size, int first, int sign, const Element& element, const Halide::Var& lane, const Halide::Var& batch,
            const std::string& name);

  // Part `part` (0 re, 1 im) of element k1 + N1 * k2.
  [[nodiscard]] Halide::Expr at(const Halide::Expr& k1, const Halide::Expr& k2, const Halide::Expr& part) const;

  // Places it where `user(lane, part, k1, k2, batch)` asks for it.
  void schedule(Halide::Func& user, const Halide::Var& k1, const Halide::Var& k2, const Halide::Var& part,
                const Halide::Var& batch, int lanes);

  // Defines `line(lane, x, batch)`, x = part + 2 * element, and places both at `at`.
  void store(Halide::Func& line, const Halide::LoopLevel& at, int lanes);

 private:
  void place(const Halide::LoopLevel& codelet, const Halide::LoopLevel& transform, int lanes);
  int n1_, n2_;
  Halide::Var lane_, batch_, first_{"n2"}, second_{"second"}, slot_{"slot"};
  Halide::Func pass1_, scratch_, pass2_;
};

// exp(sign 2 pi i j k / n) for j < rows, k < columns, as a table in the object: (part, k, j).
Halide::Buffer<float> roots(int n, int sign, int columns, int rows);

// A vector of lanes turned into one of columns: values(x, c) for x and c below `lanes`, transposed, as perfect shuffles. Returns
// the stages, the last of which is the result; `extra` are further arguments of all.
struct Transposed {
  std::vector<Halide::Func> stages;
  Halide::Var x{"tx"}, c{"tc"};
  [[nodiscard]] const Halide::Func& result() const { return stages.back(); }
  void schedule(Halide::Func& user, const Halide::RVar& at, int lanes);
  void schedule(Halide::Func& user, const Halide::Var& at, int lanes);
};
Transposed transposed(int lanes, const std::vector<Halide::Var>& extra,
                      const std::function<Halide::Expr(const Halide::Expr& x, const Halide::Expr& c)>& value,
                      const std::string& name);

}  // namespace corrbank_generators
