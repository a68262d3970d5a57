#include "costs.h"

#include <cstring>
#include <iterator>

namespace corrbank::detail {
namespace {

struct Row {
  const char* target;
  Costs costs;
};

constexpr Row table[] = {
#define CORRBANK_COST(member, value) costs.member = value;
#define CORRBANK_COSTS(target, ...) \
  {#target, [] {                    \
     Costs costs{};                 \
     __VA_ARGS__ return costs;      \
   }()},
#include "costs.inc"
#undef CORRBANK_COST
#undef CORRBANK_COSTS
};

}  // namespace

const Costs& costs(const Target& target) noexcept {
  const Row* row = table;
  while (row + 1 < std::end(table) && std::strcmp(row->target, target.name) != 0) ++row;
  return row->costs;
}

}  // namespace corrbank::detail
