#include "winograd_costs.h"

#include <cstring>

namespace corrbank::detail {
namespace {

// Each kernel alone, 128 channels in blocks of 16 tiles, on an AMD EPYC ("Zen 4"), 2026-11-25; scatter from whole calls. The
// ARM targets were not measured: their products by the instructions of the loops, the rest as x86_sse41.
constexpr WinogradCosts costs[] = {
    {"x86_avx512", 4.0, 3.6, 7.3, 4.1, 6.9, 0.274, 0.0, 0.55, 3.0, 1.8, 2.6},
    {"x86_avx2", 2.5, 2.3, 2.9, 2.6, 3.1, 0.1225, 0.21, 0.3, 2.0, 1.8, 2.6},
    {"x86_sse41", 1.9, 1.6, 1.9, 1.6, 2.0, 0.201, 0.05, 0.3, 1.8, 1.8, 2.6},
    {"arm64_neon", 1.9, 1.6, 1.9, 1.6, 2.0, 0.13, 0.1, 0.3, 1.8, 1.8, 2.6},
    {"arm32_neon", 3.8, 3.2, 3.8, 3.2, 4.0, 0.5, 0.2, 0.6, 3.6, 3.6, 5.2},
    {"portable", 1.9, 1.6, 1.9, 1.6, 2.0, 0.201, 0.05, 0.3, 1.8, 1.8, 2.6},
};

}  // namespace

double WinogradCosts::input(const WinogradTransform& t) const noexcept {
  if (t.kernel_rows == 1) return input_1x8;
  if (t.kernel_columns == 1) return input_8x8_rows;
  return t.tile_rows() == 8 ? input_8x8 : (t.tile_rows() == 6 ? input_6x6 : input_4x4);
}

const WinogradCosts& winograd_costs(const char* target) noexcept {
  for (const WinogradCosts& c : costs) {
    if (std::strcmp(c.target, target) == 0) return c;
  }
  return costs[sizeof costs / sizeof costs[0] - 1];
}

}  // namespace corrbank::detail
