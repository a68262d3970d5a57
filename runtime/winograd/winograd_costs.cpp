#include "winograd_costs.h"

#include <cstring>

namespace corrbank::detail {
namespace {

// AMD EPYC ("Zen 4"), 2026-11-25; the ARM targets by instruction counts, not measured on a device.
constexpr WinogradCosts costs[] = {
    {"x86_avx512", 1.9, 0.275, 0.1, 1.0, 1.5, 500},  //
    {"x86_avx2", 0.9, 0.14, 0.1, 0.6, 1.5, 500},     //
    {"x86_sse41", 0.7, 0.28, 0.1, 0.5, 1.5, 500},    //
    {"arm64_neon", 0.7, 0.14, 0.1, 0.5, 1.5, 500},   //
    {"arm32_neon", 1.0, 0.5, 0.1, 0.8, 1.5, 500},    //
    {"portable", 0.8, 0.28, 0.1, 0.6, 1.5, 500},
};

}  // namespace

const WinogradCosts& winograd_costs(const char* target) noexcept {
  for (const WinogradCosts& c : costs) {
    if (std::strcmp(c.target, target) == 0) return c;
  }
  return costs[sizeof costs / sizeof costs[0] - 1];
}

}  // namespace corrbank::detail
