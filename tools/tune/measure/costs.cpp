#include "costs.h"

#include "runtime/costs.h"

namespace corrbank_tune {
namespace {

struct Table {
  corrbank::detail::Costs costs{};
  std::vector<Coefficient> coefficients;

  Table() {
#define CORRBANK_COST(member, start)                  \
  coefficients.push_back({#member, &(costs.member)}); \
  costs.member = start;
#define CORRBANK_COSTS(target, ...) __VA_ARGS__
#include "costs.inc"
#undef CORRBANK_COST
#undef CORRBANK_COSTS
  }
};

Table& table() {
  static Table made;
  return made;
}

}  // namespace

const std::vector<Coefficient>& coefficients() { return table().coefficients; }

double* find_coefficient(const std::string& name) {
  for (const Coefficient& coefficient : coefficients()) {
    if (coefficient.name == name) return coefficient.value;
  }
  return nullptr;
}

}  // namespace corrbank_tune

namespace corrbank::detail {

const Costs& costs(const Target&) noexcept { return corrbank_tune::table().costs; }

}  // namespace corrbank::detail
