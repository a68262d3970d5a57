#include "targets.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#if defined(__arm__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "corrbank/corrbank.hpp"
#include "cuda/verbs.h"

namespace corrbank {
namespace detail {
namespace {

constexpr int max_targets = 16;

// On x86 the compiler's built-ins read CPUID and ask the operating system (XGETBV) for the wide registers. Beside the
// features that name a tier, those that LLVM's CPU model of it (haswell, skylake-avx512) lets it emit.
bool cpu_runs(const char* name) noexcept {
  if (std::strcmp(name, "portable") == 0) return true;
#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
  if (std::strcmp(name, "x86_sse41") == 0) return __builtin_cpu_supports("sse4.1");
  if (std::strcmp(name, "x86_avx2") == 0) return avx2;
  if (std::strcmp(name, "x86_avx512") == 0) {
    return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512bw");
  }
#elif defined(__aarch64__)
  return std::strcmp(name, "arm64_neon") == 0;  // every CPU of the architecture has it
#elif defined(__arm__) && defined(__linux__)
  return std::strcmp(name, "arm32_neon") == 0 && (getauxval(AT_HWCAP) & HWCAP_NEON) != 0;
#endif
  return false;
}

// Names, best first, null behind the last.
struct TargetNames {
  const char* names[max_targets + 1] = {};

  explicit TargetNames(bool gpus) noexcept {
    int n = 0;
    for (const Target& target : all_targets()) {
      const bool runs = target.device == DeviceType::cpu ? cpu_runs(target.name) : gpus && !cuda::available();
      if (n < max_targets && runs) names[n++] = target.name;
    }
  }
};

const TargetNames& cpu_targets() noexcept {
  static const TargetNames list(false);
  return list;
}

// Whether this machine runs the target, and why not. Only a call that asks for a GPU starts its driver.
Status usable(const Target& target, const char* source) noexcept {
  if (target.device == DeviceType::cuda) return cuda::available();
  if (cpu_runs(target.name)) return {};
  char text[128];
  std::snprintf(text, sizeof text, "%s is %s, which this machine cannot run", source, target.name);
  return {StatusCode::target_unavailable, text};
}

}  // namespace

const char* target_name(Device device, const Options& options) noexcept {
  return options.target == nullptr && device.type == DeviceType::cuda ? "cuda" : options.target;
}

Status find_target(const char* name, const Target*& target) noexcept {
  const char* source = "options.target";
  if (name == nullptr) {
    name = std::getenv("CORRBANK_TARGET");
    source = "CORRBANK_TARGET";
    if (name == nullptr || *name == '\0') name = cpu_targets().names[0];
    if (name == nullptr)
      return {StatusCode::target_unavailable, "this library holds no target that this machine can run"};
  }
  for (const Target& candidate : all_targets()) {
    if (std::strcmp(candidate.name, name) != 0) continue;
    if (Status status = usable(candidate, source)) return status;
    target = &candidate;
    return {};
  }
  char text[160];
  std::snprintf(text, sizeof text, "%s is \"%.60s\", which is no target of this library; targets() lists them", source,
                name);
  return {StatusCode::unknown_target, text};
}

Status check_target(const Options& options, const char* own, const char* made) noexcept {
  if (options.target == nullptr || std::strcmp(options.target, own) == 0) return {};
  const Target* target = nullptr;
  if (Status status = find_target(options.target, target)) return status;
  char text[160];
  std::snprintf(text, sizeof text, "options.target is %s but %s for %s", target->name, made, own);
  return {StatusCode::bank_mismatch, text};
}

}  // namespace detail

const char* const* targets() noexcept {
  static const detail::TargetNames all(true);
  return all.names;
}

}  // namespace corrbank
