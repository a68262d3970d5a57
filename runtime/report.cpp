#include "report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace corrbank::detail {

double flops(const Geometry& g, const PackedBank& bank) noexcept {
  return 2.0 * static_cast<double>(bank.taps()) * static_cast<double>(bank.count) *
         static_cast<double>(g.height * g.width);
}

bool verbose() noexcept {
  const char* value = std::getenv("CORRBANK_VERBOSE");
  return value != nullptr && std::strcmp(value, "1") == 0;
}

Plan describe(const Geometry& g, const PackedBank& bank, const DirectPlan& plan, int threads) noexcept {
  Plan out;
  out.algorithm = "direct";
  out.target = bank.target->name;
  out.threads = std::min(threads, plan.tasks());
  out.tasks = plan.tasks();
  out.workspace_bytes = plan.taps.bytes();
  out.flops = flops(g, bank);
  out.predicted_efficiency = plan.ideal_cycles / plan.predicted_cycles;
  std::size_t used = 0;
  const auto append = [&](auto... arguments) {
    const int written = std::snprintf(out.text + used, sizeof out.text - used, arguments...);
    if (written > 0) used = std::min(sizeof out.text - 1, used + static_cast<std::size_t>(written));
  };
  append("direct on %s:", out.target);
  for (int s = 0; s < plan.segment_count; ++s) {
    const Segment& segment = plan.segments[s];
    append("%s kernels %lld-%lld by %s", s == 0 ? "" : ",", static_cast<long long>(segment.first),
           static_cast<long long>(segment.first + segment.count - 1), segment.kernel->name);
  }
  append("; %.3g GFLOP, %d task%s on %d thread%s, workspace %zu bytes, predicted %.0f %% of the FMA peak",
         out.flops * 1e-9, out.tasks, out.tasks == 1 ? "" : "s", out.threads, out.threads == 1 ? "" : "s",
         out.workspace_bytes, 100 * out.predicted_efficiency);
  return out;
}

CallReport::CallReport(const Geometry& geometry, const PackedBank& bank, const DirectPlan& plan,
                       const Options& options) noexcept
    : geometry_(geometry), bank_(bank), plan_(plan), options_(options), on_(verbose()) {
  if (on_) start_ = std::chrono::steady_clock::now();
}

CallReport::~CallReport() {
  if (!on_) return;
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const Plan plan = describe(geometry_, bank_, plan_, options_.threads);
  std::fprintf(stderr, "corrbank: %s; took %.3f ms, %.1f GFLOP/s\n", plan.text, seconds * 1e3,
               plan.flops / seconds * 1e-9);
}

}  // namespace corrbank::detail
