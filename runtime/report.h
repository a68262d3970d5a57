// A plan in words, the line per call that CORRBANK_VERBOSE=1 asks for, and the shapes that CORRBANK_RECORD=FILE does.
#pragma once

#include <chrono>

#include "corrbank/corrbank.hpp"
#include "plan.h"

namespace corrbank::detail {

// 2 K C kh kw Ho Wo.
double flops(const Geometry& geometry, const PackedBank& bank) noexcept;

// Whether CORRBANK_VERBOSE is 1.
bool verbose() noexcept;

// Fills all of `out`.
void describe(const Geometry& geometry, const PackedBank& bank, const CallPlan& plan, int threads, Plan& out) noexcept;
inline Plan describe(const Geometry& geometry, const PackedBank& bank, const CallPlan& plan, int threads) noexcept {
  Plan out;
  describe(geometry, bank, plan, threads, out);
  return out;
}

// Appends the shape of a call that is planned, CxHxWxKxKHxKW, to the file that CORRBANK_RECORD names, if it does: a tuner reads
// it. What cannot be written is not.
void record(const Geometry& geometry, const PackedBank& bank) noexcept;

// Prints the call's plan, time and GFLOP/s to stderr when it ends, if CORRBANK_VERBOSE is 1.
class CallReport {
 public:
  CallReport(const Geometry& geometry, const PackedBank& bank, const CallPlan& plan, const Options& options) noexcept;
  CallReport(const CallReport&) = delete;
  CallReport& operator=(const CallReport&) = delete;
  ~CallReport();

 private:
  const Geometry& geometry_;
  const PackedBank& bank_;
  const CallPlan& plan_;
  const Options& options_;
  bool on_;
  std::chrono::steady_clock::time_point start_{};
};

}  // namespace corrbank::detail
