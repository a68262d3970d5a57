#include "plan.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "algorithm_name.h"
#include "call.h"
#include "offsets.h"
#include "report.h"
#include "scatter.h"
#include "validate.h"

namespace corrbank::detail {
namespace {

// Below this a call is over sooner than others are planned and their tiles set up.
constexpr double too_short_to_compare = 3000;  // nanoseconds

// Bytes of the parts in front of the algorithm's own.
std::size_t common_bytes(const CallPlan& plan, const PackedBank& bank, bool with_means) noexcept {
  if (!with_means) return plan.direct.taps.bytes();
  return plan.direct.taps.bytes() + static_cast<std::size_t>(bank.channels + bank.count) * sizeof(float) +
         workspace_line - sizeof(float);
}

std::size_t own_bytes(const CallPlan& plan) noexcept {
  switch (plan.algorithm) {
    case Algorithm::winograd: return plan.winograd.workspace_bytes;
    case Algorithm::fft: return plan.fft.workspace_bytes;
    default: return 0;
  }
}

Status unavailable(Algorithm algorithm, const char* reason) noexcept {
  return refuse(StatusCode::algorithm_unavailable, "options.algorithm is %s, which cannot do this: %s",
                name_of(algorithm), reason);
}

Status over_limit(std::size_t needed, std::size_t limit) noexcept {
  return refuse(StatusCode::workspace_too_small, "options.workspace_limit is %zu but this call needs %zu bytes", limit,
                needed);
}

}  // namespace

void choose(CallPlan& plan, const PackedBank& bank, Algorithm algorithm) noexcept {
  plan.algorithm = algorithm;
  plan.workspace_bytes = common_bytes(plan, bank, algorithm != Algorithm::direct) + own_bytes(plan);
}

CallPlan::CallPlan() noexcept = default;

double CallPlan::nanoseconds() const noexcept {
  switch (algorithm) {
    case Algorithm::winograd: return winograd.nanoseconds;
    case Algorithm::fft: return fft.nanoseconds;
    default: return direct.nanoseconds;
  }
}

int CallPlan::tasks() const noexcept {
  switch (algorithm) {
    case Algorithm::winograd: return winograd.tasks;
    case Algorithm::fft: return fft.tasks;
    default: return direct.tasks();
  }
}

Status plan_call(const Geometry& g, const PackedBank& bank, const Options& options, CallPlan& plan) noexcept {
  const Algorithm wanted = options.exactness == Exactness::direct ? Algorithm::direct : options.algorithm;
  const std::size_t limit = options.workspace_limit == 0 ? SIZE_MAX : options.workspace_limit;
  plan.direct = plan_direct(g, bank, options.threads);
  choose(plan, bank, Algorithm::direct);
  const std::size_t direct_bytes = plan.workspace_bytes;
  const bool short_call = wanted == Algorithm::automatic && plan.direct.nanoseconds < too_short_to_compare;
  if (wanted == Algorithm::direct || short_call) {
    return direct_bytes <= limit ? Status() : over_limit(direct_bytes, limit);
  }

  plan.compared = true;
  const std::size_t common = common_bytes(plan, bank, true);
  const bool others_fit = common < limit;
  const Limits limits{options.threads, limit == SIZE_MAX ? SIZE_MAX : (others_fit ? limit - common : 0),
                      options.expected_calls == 0 ? 0 : 1.0 / options.expected_calls};
  if (wanted != Algorithm::fft) plan.no_winograd = plan_winograd(g, bank, limits, plan.winograd);
  if (wanted != Algorithm::winograd) plan.no_fft = plan_fft(g, bank, limits, plan.fft);
  if (wanted == Algorithm::automatic) {
    Algorithm best = Algorithm::direct;
    double least = direct_bytes <= limit ? plan.direct.nanoseconds : -1;
    const auto offer = [&](Algorithm algorithm, const char* refused, double nanoseconds) {
      if (refused != nullptr || (least >= 0 && nanoseconds >= least)) return;
      best = algorithm;
      least = nanoseconds;
    };
    offer(Algorithm::winograd, plan.no_winograd, plan.winograd.nanoseconds);
    offer(Algorithm::fft, plan.no_fft, plan.fft.nanoseconds);
    choose(plan, bank, best);
    return least >= 0 ? Status() : over_limit(direct_bytes, limit);
  }
  const char* refused = wanted == Algorithm::winograd ? plan.no_winograd : plan.no_fft;
  choose(plan, bank, wanted);
  if (refused == nullptr) return {};
  return own_bytes(plan) > 0 ? over_limit(plan.workspace_bytes, limit) : unavailable(wanted, refused);
}

bool PlanCache::Key::is(const Key& other) const noexcept {
  static_assert(std::has_unique_object_representations_v<Geometry>);
  return std::memcmp(&geometry, &other.geometry, sizeof geometry) == 0 && algorithm == other.algorithm &&
         exactness == other.exactness && threads == other.threads && expected_calls == other.expected_calls &&
         workspace_limit == other.workspace_limit;
}

namespace {

// Reasons can lie in the plan that they are about.
void copy(const CallPlan& from, CallPlan& to) noexcept {
  to = from;
  if (from.no_winograd == from.winograd.text) to.no_winograd = to.winograd.text;
  if (from.no_fft == from.fft.text) to.no_fft = to.fft.text;
}

}  // namespace

Status PlanCache::get(const Geometry& geometry, const PackedBank& bank, const Options& options,
                      CallPlan& plan) noexcept {
  const Key key{geometry,        options.algorithm,      options.exactness,
                options.threads, options.expected_calls, options.workspace_limit};
  if (busy_.test_and_set(std::memory_order_acquire)) return plan_call(geometry, bank, options, plan);
  Status status;
  if (key.is(key_)) {
    copy(plan_, plan);
  } else {
    status = plan_call(geometry, bank, options, plan);
    if (status.ok()) {
      record(geometry, bank);
      copy(plan, plan_);
      key_ = key;
    }
  }
  busy_.clear(std::memory_order_release);
  return status;
}

WorkspaceParts workspace_parts(const CallPlan& plan, const PackedBank& bank, void* workspace) noexcept {
  WorkspaceParts parts{};
  parts.inner_taps = static_cast<std::int32_t*>(workspace);
  parts.outer_taps = parts.inner_taps + plan.direct.taps.inner;
  if (plan.algorithm == Algorithm::direct) return parts;
  parts.means = reinterpret_cast<float*>(parts.outer_taps + plan.direct.taps.outer);
  parts.corrections = parts.means + bank.channels;
  const auto end = reinterpret_cast<std::uintptr_t>(parts.corrections + bank.count);
  parts.own = reinterpret_cast<char*>(whole_lines(end));
  return parts;
}

std::size_t bank_bytes(const CallPlan& plan, const PackedBank& bank) noexcept {
  const auto missing = [&bank](const FormKey& key, std::size_t bytes) { return bank.forms.has(key) ? 0 : bytes; };
  const std::size_t held = bank.bytes + bank.forms.bytes();
  if (plan.algorithm == Algorithm::direct) return held;
  const std::size_t sums = missing({FormKey::tap_sums}, offsets_bytes(bank));
  switch (plan.algorithm) {
    case Algorithm::winograd: return held + sums + missing(plan.winograd.form, plan.winograd.form_bytes);
    case Algorithm::fft: return held + sums + missing(plan.fft.form, plan.fft.form_bytes);
    default: return held;
  }
}

bool prepare(const CallPlan& plan, const PackedBank& bank) noexcept {
  if (plan.algorithm != Algorithm::direct && !prepare_offsets(bank)) return false;
  switch (plan.algorithm) {
    case Algorithm::winograd: return prepare_winograd(bank, plan.winograd);
    case Algorithm::fft: return prepare_fft(bank, plan.fft);
    default: return true;
  }
}

void run_algorithm(const Call& call, const CallPlan& plan) noexcept {
  switch (plan.algorithm) {
    case Algorithm::winograd: return run_winograd(call, plan.winograd);
    case Algorithm::fft: return run_fft(call, plan.fft);
    default: return run_direct(call);
  }
}

void run_planned(const Geometry& g, const PackedBank& bank, const Options& options, const CallPlan& plan,
                 const Operands& operands, void* workspace) noexcept {
  const WorkspaceParts parts = workspace_parts(plan, bank, workspace);
  TapMemory taps(parts.inner_taps, parts.outer_taps);
  Call call{g, bank, options, plan.direct, operands.image, operands.responses, operands.response_kernel_stride, taps};
  if (plan.algorithm != Algorithm::direct) {
    estimate_means(g, call.image, parts.means);
    correct_for_means(bank, parts.means, parts.corrections);
    call.means = parts.means;
    call.corrections = parts.corrections;
    call.workspace = parts.own;
    const bool fetched = plan.algorithm == Algorithm::winograd && fetches_responses(g);
    call.stream = !fetched && streams(*bank.target, bank.count, g.height, g.width);
  }
  run_algorithm(call, plan);
}

}  // namespace corrbank::detail
