// Which targets this machine can run, and which one a call means.
#pragma once

#include "corrbank/options.hpp"
#include "corrbank/status.hpp"
#include "corrbank/view.hpp"
#include "kernels.h"

namespace corrbank::detail {

// The target that memory on `device` asks for, where options name none.
const char* target_name(Device device, const Options& options) noexcept;

// Resolves a name: null means $CORRBANK_TARGET if set, else the best usable target. Refuses unknown and unusable ones.
Status find_target(const char* name, const Target*& target) noexcept;

// A target that options name for a call, null or the `own` one of what was made before. `made`: "bank was packed".
Status check_target(const Options& options, const char* own, const char* made) noexcept;

// Whether the CPU has what some rows need beside their target: "avx512_vnni", or "none".
bool cpu_has(const char* extension) noexcept;

}  // namespace corrbank::detail
