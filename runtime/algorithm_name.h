// What plans and refusals call an algorithm.
#pragma once

#include "corrbank/options.hpp"

namespace corrbank::detail {

inline const char* name_of(Algorithm algorithm) noexcept {
  switch (algorithm) {
    case Algorithm::winograd: return "winograd";
    case Algorithm::fft: return "fft";
    default: return "direct";
  }
}

}  // namespace corrbank::detail
