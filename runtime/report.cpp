#include "report.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "algorithm_name.h"

namespace corrbank::detail {

double flops(const Geometry& g, const PackedBank& bank) noexcept {
  return 2.0 * static_cast<double>(bank.taps()) * static_cast<double>(bank.count) *
         static_cast<double>(g.height * g.width);
}

bool verbose() noexcept {
  const char* value = std::getenv("CORRBANK_VERBOSE");
  return value != nullptr && std::strcmp(value, "1") == 0;
}

namespace {

// Text in a fixed buffer, cut where it ends.
class Text {
 public:
  Text(char* to, std::size_t size) noexcept : to_(to), size_(size) {}
  template <typename... Arguments>
  void append(const char* format, Arguments... arguments) noexcept {
    const int written = std::snprintf(to_ + used_, size_ - used_, format, arguments...);
    if (written > 0) used_ = std::min(size_ - 1, used_ + static_cast<std::size_t>(written));
  }

 private:
  char* to_;
  std::size_t size_, used_ = 0;
};

void describe_rows(const DirectPlan& plan, Text& text) noexcept {
  for (int s = 0; s < plan.segment_count; ++s) {
    const Segment& segment = plan.segments[s];
    text.append("%s kernels %lld-%lld by %s", s == 0 ? "" : ",", static_cast<long long>(segment.first),
                static_cast<long long>(segment.first + segment.count - 1), segment.kernel->name);
  }
}

void describe_others(const CallPlan& plan, Text& text) noexcept {
  const char* separator = "";
  const auto other = [&](Algorithm algorithm, const char* refused, double nanoseconds) {
    if (algorithm == plan.algorithm) return;
    if (refused == nullptr && nanoseconds <= 0) return;  // nobody asked
    text.append("%s%s: ", separator, name_of(algorithm));
    separator = "; ";
    if (refused != nullptr) {
      text.append("%s", refused);
    } else {
      text.append("%.3g ms", nanoseconds * 1e-6);
    }
  };
  other(Algorithm::direct, nullptr, plan.direct.nanoseconds);
  other(Algorithm::winograd, plan.no_winograd, plan.winograd.nanoseconds);
  other(Algorithm::fft, plan.no_fft, plan.fft.nanoseconds);
  if (!plan.compared && plan.algorithm == Algorithm::direct) text.append("others were not looked at");
}

}  // namespace

Plan describe(const Geometry& g, const PackedBank& bank, const CallPlan& plan, int threads) noexcept {
  Plan out;
  out.algorithm = name_of(plan.algorithm);
  out.target = bank.target->name;
  out.threads = std::min(threads, plan.tasks());
  out.tasks = plan.tasks();
  out.workspace_bytes = plan.workspace_bytes;
  out.flops = flops(g, bank);
  out.predicted_seconds = plan.nanoseconds() * 1e-9;
  out.predicted_efficiency =
      plan.direct.ideal_cycles / plan.direct.predicted_cycles * (plan.direct.nanoseconds / plan.nanoseconds());
  out.bank_bytes = bank_bytes(plan, bank);
  Text text(out.text, sizeof out.text);
  text.append("%s on %s:", out.algorithm, out.target);
  if (plan.algorithm == Algorithm::direct) {
    describe_rows(plan.direct, text);
  } else {
    text.append(" %s", plan.algorithm == Algorithm::winograd ? plan.winograd.text : plan.fft.text);
  }
  text.append("; %.3g GFLOP, %d task%s on %d thread%s, workspace %zu bytes, predicted %.3g ms, %.0f %% of the FMA peak",
              out.flops * 1e-9, out.tasks, out.tasks == 1 ? "" : "s", out.threads, out.threads == 1 ? "" : "s",
              out.workspace_bytes, out.predicted_seconds * 1e3, 100 * out.predicted_efficiency);
  Text others(out.others, sizeof out.others);
  describe_others(plan, others);
  return out;
}

void record(const Geometry& g, const PackedBank& bank) noexcept {
  const char* path = std::getenv("CORRBANK_RECORD");
  if (path == nullptr || *path == '\0') return;
  char line[160];
  Text text(line, sizeof line);
  const std::int64_t extents[] = {g.channels, g.image_height(), g.image_width(),
                                  bank.count, g.kernel_height,  g.kernel_width};
  const char* separator = "";
  for (const std::int64_t extent : extents) {
    text.append("%s%lld", separator, static_cast<long long>(extent));
    separator = "x";
  }
  text.append("\n");
  // One write, so that lines of several threads or processes stay whole.
  if (std::FILE* file = std::fopen(path, "a")) {
    std::fputs(line, file);
    std::fclose(file);
  }
}

CallReport::CallReport(const Geometry& geometry, const PackedBank& bank, const CallPlan& plan,
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
