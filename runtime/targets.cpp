#include "targets.h"

#include <cstdlib>
#include <cstring>
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__arm__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "corrbank/corrbank.hpp"
#include "cuda/verbs.h"
#include "validate.h"

namespace corrbank {
namespace detail {
namespace {

constexpr int max_targets = 16;

#if defined(__x86_64__)
// What the CPU has by CPUID, and of the wide registers what the operating system keeps as well (XGETBV). Not by the compiler's
// built-ins, whose tables of CPUs are 4.5 KB.
struct Cpu {
  unsigned leaf1_ecx = 0, leaf7_ebx = 0, leaf7_ecx = 0, kept = 0;

  Cpu() noexcept {
    unsigned eax = 0, ebx = 0, edx = 0;
    __get_cpuid(1, &eax, &ebx, &leaf1_ecx, &edx);
    __get_cpuid_count(7, 0, &eax, &leaf7_ebx, &leaf7_ecx, &edx);
    if ((leaf1_ecx & bit_OSXSAVE) != 0) __asm__("xgetbv" : "=a"(kept), "=d"(edx) : "c"(0));
  }
  [[nodiscard]] bool sse41() const noexcept { return (leaf1_ecx & bit_SSE4_1) != 0; }
  // Beside the features that name a tier, those that LLVM's CPU model of it (haswell, skylake-avx512) lets it emit.
  [[nodiscard]] bool avx2() const noexcept {
    return has(kept, 0x6) && has(leaf1_ecx, bit_FMA) && has(leaf7_ebx, bit_AVX2 | bit_BMI | bit_BMI2);
  }
  [[nodiscard]] bool avx512() const noexcept {
    return avx2() && has(kept, 0xe6) &&
           has(leaf7_ebx, bit_AVX512F | bit_AVX512CD | bit_AVX512VL | bit_AVX512DQ | bit_AVX512BW);
  }
  [[nodiscard]] bool avx512_vnni() const noexcept {
    return avx512() && has(leaf7_ebx, bit_AVX512IFMA) &&
           has(leaf7_ecx,
               bit_AVX512VNNI | bit_AVX512VBMI | bit_AVX512VBMI2 | bit_AVX512BITALG | bit_AVX512VPOPCNTDQ | bit_GFNI);
  }

 private:
  static bool has(unsigned bits, unsigned all) noexcept { return (bits & all) == all; }
};

// Read once: in a virtual machine CPUID takes microseconds.
const Cpu& cpu() noexcept {
  static const Cpu own;
  return own;
}
#endif

bool cpu_runs(const char* name) noexcept {
  if (std::strcmp(name, "portable") == 0) return true;
#if defined(__x86_64__)
  if (std::strcmp(name, "x86_sse41") == 0) return cpu().sse41();
  if (std::strcmp(name, "x86_avx2") == 0) return cpu().avx2();
  if (std::strcmp(name, "x86_avx512") == 0) return cpu().avx512();
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
      const bool runs = cuda::is_cuda(target.device) ? gpus && !cuda::available() : cpu_runs(target.name);
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
  if (cuda::is_cuda(target.device)) return cuda::available();
  if (cpu_runs(target.name)) return {};
  return refuse(StatusCode::target_unavailable, "%s is %s, which this machine cannot run", source, target.name);
}

}  // namespace

const char* target_name(Device device, const Options& options) noexcept {
  return options.target == nullptr && device.type == DeviceType::cuda ? "cuda" : options.target;
}

bool cpu_has(const char* extension) noexcept {
  if (std::strcmp(extension, "none") == 0) return true;
#if defined(__x86_64__)
  // Made for LLVM's znver4, for want of another that has it in Halide; what only AMD has of that, or bfloat16, the objects do
  // not use (tests/dots_instructions.py).
  if (std::strcmp(extension, "avx512_vnni") == 0) return cpu().avx512_vnni();
#endif
  return false;
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
  return refuse(StatusCode::unknown_target, "%s is \"%.60s\", which is no target of this library; targets() lists them",
                source, name);
}

Status check_target(const Options& options, const char* own, const char* made) noexcept {
  if (options.target == nullptr || std::strcmp(options.target, own) == 0) return {};
  const Target* target = nullptr;
  if (Status status = find_target(options.target, target)) return status;
  return refuse(StatusCode::bank_mismatch, "options.target is %s but %s for %s", options.target, made, own);
}

}  // namespace detail

const char* const* targets() noexcept {
  if (!detail::cuda::is_cuda(DeviceType::cuda)) return detail::cpu_targets().names;
  static const detail::TargetNames all(true);
  return all.names;
}

}  // namespace corrbank
