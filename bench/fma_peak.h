// The machine's limit: what a core reaches doing nothing but multiply-adds on registers.
#pragma once

namespace corrbank_bench {

// GFLOP/s (two for a multiply-add) of the calling thread with the widest multiply-adds of `target`, such as
// "x86_avx512"; the best of several measurements within about `seconds`. The caller has made sure that this machine can
// run `target`: its instructions are executed.
double fma_peak_gflops(const char* target, double seconds);

}  // namespace corrbank_bench
