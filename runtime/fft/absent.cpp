// In place of the FFT, where no target has rows of it.
#include "fft/fft.h"

namespace corrbank::detail {

const char* plan_fft(const Geometry&, const PackedBank&, const Limits&, FftPlan&) noexcept {
  return "this library was built without it";
}

bool prepare_fft(const PackedBank&, const FftPlan&) noexcept { return false; }

void run_fft(const Call&, const FftPlan&) noexcept {}

}  // namespace corrbank::detail
