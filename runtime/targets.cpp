#include "targets.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#if defined(__arm__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "corrbank/corrbank.hpp"

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

struct UsableTargets {
  const char* names[max_targets + 1] = {};
  UsableTargets() noexcept {
    int n = 0;
    for (const Target& target : all_targets()) {
      if (n < max_targets && cpu_runs(target.name)) names[n++] = target.name;
    }
  }
};

const UsableTargets& usable_targets() noexcept {
  static const UsableTargets list;
  return list;
}

}  // namespace

bool usable(const Target& target) noexcept {
  for (const char* const* name = usable_targets().names; *name != nullptr; ++name) {
    if (std::strcmp(*name, target.name) == 0) return true;
  }
  return false;
}

Status find_target(const char* name, const Target*& target) noexcept {
  const char* source = "options.target";
  if (name == nullptr) {
    name = std::getenv("CORRBANK_TARGET");
    source = "CORRBANK_TARGET";
    if (name == nullptr || *name == '\0') name = usable_targets().names[0];
  }
  for (const Target& candidate : all_targets()) {
    if (std::strcmp(candidate.name, name) != 0) continue;
    if (!usable(candidate)) {
      char text[128];
      std::snprintf(text, sizeof text, "%s is %s, which this machine cannot run", source, candidate.name);
      return {StatusCode::target_unavailable, text};
    }
    target = &candidate;
    return {};
  }
  char text[160];
  std::snprintf(text, sizeof text, "%s is \"%.60s\", which is no target of this library; targets() lists them", source,
                name);
  return {StatusCode::unknown_target, text};
}

}  // namespace detail

const char* const* targets() noexcept { return detail::usable_targets().names; }

}  // namespace corrbank
