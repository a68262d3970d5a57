#include "fft/fft.h"

namespace corrbank::detail {

const char* plan_fft(const Geometry& /*geometry*/, const PackedBank& /*bank*/, const Limits& /*limits*/,
                     FftPlan& /*plan*/) noexcept {
  return "it is not in this build";
}

bool prepare_fft(const PackedBank& /*bank*/, const FftPlan& /*plan*/) noexcept { return true; }

void run_fft(const Call& /*call*/, const FftPlan& /*plan*/) noexcept {}

}  // namespace corrbank::detail
