#include "transform.h"

#include <cmath>

namespace corrbank_generators {

using namespace Halide;

namespace {

Tuple tuple_of(const Complexes& values) {
  std::vector<Expr> parts;
  for (const Complex& v : values) {
    parts.push_back(v.re);
    parts.push_back(v.im);
  }
  return Tuple(parts);
}

Expr choose(const Expr& index, const FuncRef& tuple, int count) {
  std::vector<Expr> values;
  for (int i = 0; i < count; ++i) values.push_back(tuple[i]);
  return mux(index, values);
}

}  // namespace

Buffer<float> roots(int n, int sign, int columns, int rows) {
  Buffer<float> table(2, columns, rows);
  for (int j = 0; j < rows; ++j) {
    for (int k = 0; k < columns; ++k) {
      const double angle = sign * 2 * 3.14159265358979323846 * (j * k % n) / n;
      table(0, k, j) = static_cast<float>(std::cos(angle));
      table(1, k, j) = static_cast<float>(std::sin(angle));
    }
  }
  return table;
}

Transform::Transform(int size, int first, int sign, const Element& element, const Var& lane, const Var& batch,
                     const std::string& name)
    : n1_(first), n2_(size / first), lane_(lane), batch_(batch), pass1_(name + "_pass1"), scratch_(name + "_scratch"),
      pass2_(name + "_pass2") {
  Complexes in;
  if (n1_ == 1) {
    for (int i = 0; i < n2_; ++i) in.push_back(element(i));
    pass2_(lane, second_, batch) = tuple_of(fourier(in, sign));
    return;
  }
  const Buffer<float> root = roots(size, sign, n1_, n2_);
  for (int i = 0; i < n1_; ++i) in.push_back(element(n2_ * i + first_));
  Complexes turned = fourier(in, sign);
  for (int k = 1; k < n1_; ++k) turned[k] = turned[k] * Complex{root(0, k, first_), root(1, k, first_)};
  pass1_(lane, first_, batch) = tuple_of(turned);
  scratch_(lane, slot_, first_, batch) = choose(slot_, pass1_(lane, first_, batch), 2 * n1_);
  Complexes second;
  for (int i = 0; i < n2_; ++i) {
    second.push_back({scratch_(lane, 2 * second_, i, batch), scratch_(lane, 2 * second_ + 1, i, batch)});
  }
  pass2_(lane, second_, batch) = tuple_of(fourier(second, sign));
}

Expr Transform::at(const Expr& k1, const Expr& k2, const Expr& part) const {
  return choose(part + 2 * k2, pass2_(lane_, k1, batch_), 2 * n2_);
}

void Transform::place(const LoopLevel& codelet, const LoopLevel& transform, int lanes) {
  pass2_.compute_at(codelet).vectorize(lane_).bound_extent(lane_, lanes);
  if (n1_ == 1) return;
  scratch_.compute_at(transform).store_in(MemoryType::Stack);
  scratch_.bound_extent(lane_, lanes).bound_extent(slot_, 2 * n1_).bound_extent(first_, n2_);
  scratch_.reorder(lane_, slot_, first_).vectorize(lane_).unroll(slot_);
  pass1_.compute_at(scratch_, first_).vectorize(lane_).bound_extent(lane_, lanes);
}

void Transform::schedule(Func& user, const Var& k1, const Var& k2, const Var& part, const Var& batch, int lanes) {
  user.bound(k1, 0, n1_).bound(k2, 0, n2_).bound(part, 0, 2).bound(lane_, 0, lanes);
  user.reorder(lane_, part, k2, k1, batch).vectorize(lane_).unroll(part).unroll(k2);
  place(LoopLevel(user, k1), LoopLevel(user, batch), lanes);
}

void Transform::store(Func& line, const LoopLevel& at, int lanes) {
  const Var x("x");
  line(lane_, x, batch_) = undef<float>();
  RDom r(0, 2, 0, n2_, 0, n1_, "store");
  line(lane_, r.x + 2 * (r.z + n1_ * r.y), batch_) = choose(r.x + 2 * r.y, pass2_(lane_, r.z, batch_), 2 * n2_);
  line.compute_at(at).store_in(MemoryType::Stack);
  line.bound_extent(lane_, lanes).bound(x, 0, 2 * n1_ * n2_);
  line.update().reorder(lane_, r.x, r.y, r.z, batch_).vectorize(lane_).unroll(r.x).unroll(r.y);
  place(LoopLevel(line, r.z), at, lanes);
}

Transposed transposed(int lanes, const std::vector<Var>& extra,
                      const std::function<Expr(const Expr& x, const Expr& c)>& value, const std::string& name) {
  Transposed t;
  const auto arguments = [&](const Expr& x, const Expr& c) {
    std::vector<Expr> all = {x, c};
    for (const Var& v : extra) all.push_back(v);
    return all;
  };
  std::vector<Var> own = {t.x, t.c};
  own.insert(own.end(), extra.begin(), extra.end());
  Func source(name + "_0");
  source(own) = value(t.x, t.c);
  t.stages.push_back(source);
  for (int done = 1; done < lanes; done *= 2) {
    Func next(name + "_" + std::to_string(done));
    const Func& last = t.stages.back();
    const Expr x = t.x / 2 + t.c % 2 * (lanes / 2);
    next(own) = select(t.x % 2 == 0, last(arguments(x, t.c / 2)), last(arguments(x, t.c / 2 + lanes / 2)));
    t.stages.push_back(next);
  }
  return t;
}

namespace {

template <typename Where>
void schedule_stages(Transposed& t, Func& user, const Where& at, int lanes) {
  for (Func& stage : t.stages) {
    stage.compute_at(user, at).vectorize(t.x).unroll(t.c).bound_extent(t.x, lanes).bound_extent(t.c, lanes);
  }
}

}  // namespace

void Transposed::schedule(Func& user, const RVar& at, int lanes) { schedule_stages(*this, user, at, lanes); }
void Transposed::schedule(Func& user, const Var& at, int lanes) { schedule_stages(*this, user, at, lanes); }

}  // namespace corrbank_generators
