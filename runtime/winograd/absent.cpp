// In place of Winograd's method, where no target has rows of it.
#include "winograd/winograd.h"

namespace corrbank::detail {

const char* plan_winograd(const Geometry&, const PackedBank&, const Limits&, WinogradPlan&) noexcept {
  return "this library was built without it";
}

bool prepare_winograd(const PackedBank&, const WinogradPlan&) noexcept { return false; }

void run_winograd(const Call&, const WinogradPlan&) noexcept {}

}  // namespace corrbank::detail
