#include "fft_tiles.h"

namespace corrbank::detail {

void run_fft(const Call& call, const FftPlan& plan) noexcept {
  FftRun run{call, plan, fft_bank(call.bank, plan)};
  if (plan.many) {
    run_fft_many(run);
  } else {
    run_fft_few(run);
  }
}

}  // namespace corrbank::detail
