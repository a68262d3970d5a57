// Which targets this machine can run, and which one a call means.
#pragma once

#include "corrbank/status.hpp"
#include "kernels.h"

namespace corrbank::detail {

// Whether this CPU and operating system run the target.
bool usable(const Target& target) noexcept;

// Resolves a name: null means $CORRBANK_TARGET if set, else the best usable target. Refuses unknown and unusable ones.
Status find_target(const char* name, const Target*& target) noexcept;

}  // namespace corrbank::detail
