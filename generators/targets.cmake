# THE TABLE: every target corrbank compiles for, best first. Build, dispatch, tests, benchmarks and docs enumerate it.
#
# corrbank_target(NAME ARCHITECTURE HALIDE_FEATURES LANES): an ISA tier of an architecture (x86_64, arm64, arm32 or any)
#   with f32 vectors of LANES. A build has those of its own architecture, or of CORRBANK_TARGETS.
#
# A target's kernels, and what they cost, stand in tuned/NAME.json, or in the file for it that CORRBANK_TUNED gives.
# README.md has the meaning of each row.

corrbank_target(x86_avx512 x86_64 sse41-avx-avx2-fma-f16c-avx512_skylake 16)
corrbank_target(x86_avx2 x86_64 sse41-avx-avx2-fma-f16c 8)
corrbank_target(x86_sse41 x86_64 sse41 4)
corrbank_target(arm64_neon arm64 "" 4)
corrbank_target(arm32_neon arm32 "" 4)
corrbank_target(portable any "${baseline}" 4)
