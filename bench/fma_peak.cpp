#include "fma_peak.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#if defined(__x86_64__) || defined(__i386__)
#include <immintrin.h>
#elif defined(__aarch64__) || defined(__ARM_PCS_VFP)
#include <arm_neon.h>
#endif

namespace corrbank_bench {
namespace {

// Sums that do not wait for each other: enough to fill two units a cycle over the latency of a fused multiply-add (4 or
// 5 cycles) or of a product and a sum (7), and with the two constants as many as there are registers before AVX-512.
constexpr int chains = 14;
constexpr long steps = 20000;  // of all chains, a measurement: about 0.05 to 0.2 ms

// The results end here, so that no compiler drops the loops.
volatile float sink;

#if defined(__x86_64__) || defined(__i386__)

__attribute__((target("avx512f"))) double avx512_chains() {
  __m512 sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = _mm512_set1_ps(i * 1e-3f);
  const __m512 factor = _mm512_set1_ps(1.0000001f), term = _mm512_set1_ps(1e-9f);
  for (long step = 0; step < steps; ++step) {
#pragma GCC unroll 14
    for (int i = 0; i < chains; ++i) sum[i] = _mm512_fmadd_ps(sum[i], factor, term);
  }
  for (int i = 1; i < chains; ++i) sum[0] = _mm512_add_ps(sum[0], sum[i]);
  sink = _mm512_cvtss_f32(sum[0]);
  return 2.0 * 16 * chains * steps;
}

__attribute__((target("avx2,fma"))) double avx2_chains() {
  __m256 sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = _mm256_set1_ps(i * 1e-3f);
  const __m256 factor = _mm256_set1_ps(1.0000001f), term = _mm256_set1_ps(1e-9f);
  for (long step = 0; step < steps; ++step) {
#pragma GCC unroll 14
    for (int i = 0; i < chains; ++i) sum[i] = _mm256_fmadd_ps(sum[i], factor, term);
  }
  for (int i = 1; i < chains; ++i) sum[0] = _mm256_add_ps(sum[0], sum[i]);
  sink = _mm256_cvtss_f32(sum[0]);
  return 2.0 * 8 * chains * steps;
}

// No fused multiply-add before AVX2: a product and a sum.
__attribute__((target("sse4.1"))) double sse_chains() {
  __m128 sum[chains];
  for (int i = 0; i < chains; ++i) sum[i] = _mm_set1_ps(i * 1e-3f);
  const __m128 factor = _mm_set1_ps(1.0000001f), term = _mm_set1_ps(1e-9f);
  for (long step = 0; step < steps; ++step) {
#pragma GCC unroll 14
    for (int i = 0; i < chains; ++i) sum[i] = _mm_add_ps(_mm_mul_ps(sum[i], factor), term);
  }
  for (int i = 1; i < chains; ++i) sum[0] = _mm_add_ps(sum[0], sum[i]);
  sink = _mm_cvtss_f32(sum[0]);
  return 2.0 * 4 * chains * steps;
}

#else

#if defined(__aarch64__)

// All loops over the sums are unrolled, or GCC stores them at each step.
double neon_chains() {
  constexpr int count = 28;  // up to four units with a latency of four cycles, and 32 registers
  float32x4_t sum[count];
#pragma GCC unroll 28
  for (int i = 0; i < count; ++i) sum[i] = vdupq_n_f32(static_cast<float>(i) * 1e-3f);
  const float32x4_t factor = vdupq_n_f32(1.0000001f), term = vdupq_n_f32(1e-9f);
  for (long step = 0; step < steps; ++step) {
#pragma GCC unroll 28
    for (int i = 0; i < count; ++i) sum[i] = vfmaq_f32(sum[i], factor, term);
  }
#pragma GCC unroll 28
  for (int i = 1; i < count; ++i) sum[0] = vaddq_f32(sum[0], sum[i]);
  sink = vgetq_lane_f32(sum[0], 0);
  return 2.0 * 4 * count * steps;
}

#elif defined(__ARM_PCS_VFP)

// A product and a sum, as in the kernels of 32-bit ARM.
#if !defined(__ARM_NEON)
__attribute__((target("fpu=neon")))
#endif
double neon_chains() {
  float32x4_t sum[chains];
#pragma GCC unroll 14
  for (int i = 0; i < chains; ++i) sum[i] = vdupq_n_f32(static_cast<float>(i) * 1e-3f);
  const float32x4_t factor = vdupq_n_f32(1.0000001f), term = vdupq_n_f32(1e-9f);
  for (long step = 0; step < steps; ++step) {
#pragma GCC unroll 14
    for (int i = 0; i < chains; ++i) sum[i] = vaddq_f32(vmulq_f32(sum[i], factor), term);
  }
#pragma GCC unroll 14
  for (int i = 1; i < chains; ++i) sum[0] = vaddq_f32(sum[0], sum[i]);
  sink = vgetq_lane_f32(sum[0], 0);
  return 2.0 * 4 * chains * steps;
}

#endif

// What the compiler makes of it for the CPU it was told to build for: on 32-bit ARM, one float at a time.
[[maybe_unused]] double plain_chains() {
  constexpr int count = 24;
  float sum[count];
#pragma GCC unroll 24
  for (int i = 0; i < count; ++i) sum[i] = static_cast<float>(i) * 1e-3f;
  for (long step = 0; step < steps; ++step) {
#pragma GCC unroll 24
    for (int i = 0; i < count; ++i) sum[i] = sum[i] * 1.0000001f + 1e-9f;
  }
#pragma GCC unroll 24
  for (int i = 1; i < count; ++i) sum[0] += sum[i];
  sink = sum[0];
  return 2.0 * count * steps;
}

#endif

using Loop = double (*)();  // does the work, returns its flops

Loop loop_for([[maybe_unused]] const char* target) {
#if defined(__x86_64__) || defined(__i386__)
  if (std::strcmp(target, "x86_avx512") == 0) return avx512_chains;
  if (std::strcmp(target, "x86_avx2") == 0) return avx2_chains;
  return sse_chains;
#elif defined(__aarch64__)
  return neon_chains;
#elif defined(__ARM_PCS_VFP)
  return std::strcmp(target, "arm32_neon") == 0 ? neon_chains : plain_chains;
#else
  return plain_chains;
#endif
}

}  // namespace

double fma_peak_gflops(const char* target, double seconds) {
  using clock = std::chrono::steady_clock;
  const Loop loop = loop_for(target);
  const auto end = clock::now() + std::chrono::duration<double>(seconds);
  double best = 0;
  do {
    const auto start = clock::now();
    const double flops = loop();
    best = std::max(best, flops / std::chrono::duration<double>(clock::now() - start).count() / 1e9);
  } while (clock::now() < end);
  return best;
}

}  // namespace corrbank_bench
