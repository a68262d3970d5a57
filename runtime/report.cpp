#include "report.h"

#include <algorithm>
#include <cstdarg>
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
  Text(char* to, std::size_t size) noexcept : to_(to), size_(size) { *to = '\0'; }
#if defined(__GNUC__)
  __attribute__((format(printf, 2, 3)))
#endif
  void append(const char* format, ...) noexcept {
    std::va_list arguments;
    va_start(arguments, format);
    const int written = std::vsnprintf(to_ + used_, size_ - used_, format, arguments);
    va_end(arguments);
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

void describe_others(const CallPlan& plan, Text text) noexcept {
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

// What a plan has in numbers and in its text.
struct Prediction {
  int threads, tasks;
  double flops, seconds, efficiency;

  Prediction(const Geometry& g, const PackedBank& bank, const CallPlan& plan, int most_threads) noexcept
      : threads(std::min(most_threads, plan.tasks())), tasks(plan.tasks()), flops(detail::flops(g, bank)),
        seconds(plan.nanoseconds() * 1e-9),
        // Fitted costs of a row can be a little less than what its multiplications take.
        efficiency(std::min(1.0, plan.direct.ideal_cycles / plan.direct.predicted_cycles) *
                   (plan.direct.nanoseconds / plan.nanoseconds())) {}
};

void describe_plan(const Prediction& p, const PackedBank& bank, const CallPlan& plan, Text text) noexcept {
  text.append("%s on %s:", name_of(plan.algorithm), bank.target->name);
  if (plan.algorithm == Algorithm::direct) {
    describe_rows(plan.direct, text);
  } else {
    text.append(" %s", plan.algorithm == Algorithm::winograd ? plan.winograd.text : plan.fft.text);
  }
  text.append("; %.3g GFLOP, %d task%s on %d thread%s, workspace %zu bytes, predicted %.3g ms, %.0f %% of the FMA peak",
              p.flops * 1e-9, p.tasks, p.tasks == 1 ? "" : "s", p.threads, p.threads == 1 ? "" : "s",
              plan.workspace_bytes, p.seconds * 1e3, 100 * p.efficiency);
}

}  // namespace

void describe(const Geometry& g, const PackedBank& bank, const CallPlan& plan, int threads, Plan& out) noexcept {
  const Prediction p(g, bank, plan, threads);
  out.algorithm = name_of(plan.algorithm);
  out.target = bank.target->name;
  out.threads = p.threads;
  out.tasks = p.tasks;
  out.workspace_bytes = plan.workspace_bytes;
  out.flops = p.flops;
  out.predicted_seconds = p.seconds;
  out.predicted_efficiency = p.efficiency;
  out.bank_bytes = bank_bytes(plan, bank);
  describe_plan(p, bank, plan, {out.text, sizeof out.text});
  describe_others(plan, {out.others, sizeof out.others});
}

void record(const Geometry& g, const PackedBank& bank) noexcept {
  const char* path = std::getenv("CORRBANK_RECORD");
  if (path == nullptr || *path == '\0') return;
  // One write, when the file is closed, so that lines of several threads or processes stay whole.
  if (std::FILE* file = std::fopen(path, "a")) {
    using Number = long long;  // for printf
    std::fprintf(file, "%lldx%lldx%lldx%lldx%lldx%lld\n", Number{g.channels}, Number{g.image_height()},
                 Number{g.image_width()}, Number{bank.count}, Number{g.kernel_height}, Number{g.kernel_width});
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
  const Prediction prediction(geometry_, bank_, plan_, options_.threads);
  char text[sizeof Plan::text];
  describe_plan(prediction, bank_, plan_, {text, sizeof text});
  std::fprintf(stderr, "corrbank: %s; took %.3f ms, %.1f GFLOP/s\n", text, seconds * 1e3,
               prediction.flops / seconds * 1e-9);
}

}  // namespace corrbank::detail
