// Tiled FFT (overlap-save): responses as products of spectra, channel sums taken per frequency.
#pragma once

#include <cstddef>

#include "call.h"
#include "forms.h"

namespace corrbank::detail {

struct FftPlan {
  std::size_t workspace_bytes = 0;  // of Call::workspace
  FormKey form{};                   // of the bank
  std::size_t form_bytes = 0;
  int tasks = 0;           // that run at once
  double nanoseconds = 0;  // predicted, one thread
  char text[96] = {};      // the choice in words, such as "32x32 tiles, 32 at a time"
};

// Chooses a variant. Null and `plan`; else why none can do it (a sentence that can follow "fft: "). With a reason that
// is the workspace's limit, plan.workspace_bytes is what would be enough, else 0.
const char* plan_fft(const Geometry& geometry, const PackedBank& bank, const Limits& limits, FftPlan& plan) noexcept;

// Makes the form of the bank that the plan needs, if it is not there. False: no memory.
bool prepare_fft(const PackedBank& bank, const FftPlan& plan) noexcept;

// Runs it, prepared.
void run_fft(const Call& call, const FftPlan& plan) noexcept;

}  // namespace corrbank::detail
