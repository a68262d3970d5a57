// Winograd's short correlations: F(m, r) makes m responses of r taps by m + r - 1 multiplications a side.
#pragma once

#include <cstddef>

#include "call.h"
#include "forms.h"

namespace corrbank::detail {

struct WinogradPlan {
  std::size_t workspace_bytes = 0;  // of Call::workspace
  FormKey form{};                   // of the bank
  std::size_t form_bytes = 0;
  int tasks = 0;           // that run at once
  double nanoseconds = 0;  // predicted, one thread
  char text[96] = {};      // the choice in words, such as "F(6x6, 3x3), 16 tiles by 25 kernels"
};

// Chooses a variant. Null and `plan`; else why none can do it (a sentence that can follow "winograd: "). With a reason that
// is the workspace's limit, plan.workspace_bytes is what would be enough, else 0.
const char* plan_winograd(const Geometry& geometry, const PackedBank& bank, const Limits& limits,
                          WinogradPlan& plan) noexcept;

// Makes the form of the bank that the plan needs, if it is not there. False: no memory.
bool prepare_winograd(const PackedBank& bank, const WinogradPlan& plan) noexcept;

// Runs it, prepared.
void run_winograd(const Call& call, const WinogradPlan& plan) noexcept;

}  // namespace corrbank::detail
