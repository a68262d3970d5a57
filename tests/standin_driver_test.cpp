// The stand-in driver does what the device would: instructions, memory, streams, images.
#include "standin_driver_testing.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace standin_test;

namespace {

std::uint32_t bits(float value) {
  std::uint32_t result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}
constexpr float infinity = std::numeric_limits<float>::infinity();
const std::uint32_t nan_bits = bits(std::numeric_limits<float>::quiet_NaN());
constexpr std::uint32_t subnormal = 0x00400000;

// What %r0 is after the instructions, with %r1, %r2 and %r3 as they are given.
struct Instructions {
  const char* text;
  std::uint32_t a, b, c, expected;
};

class StandinDriverInstructions : public StandinDriver, public ::testing::WithParamInterface<Instructions> {};

TEST_P(StandinDriverInstructions, Compute) {
  const Instructions& given = GetParam();
  const std::string body = "ld.global.nc.v2.b32 {%r1, %r2}, [%d1]; ld.global.b32 %r3, [%d1+8];\n" +
                           std::string(given.text) + "\nst.global.b32 [%o], %r0;";
  // Threads of a full warp and of part of one are computed by different loops.
  for (const std::uint32_t result : results(kernel(body), 37, {given.a, given.b, given.c})) {
    ASSERT_EQ(result, given.expected) << given.text;
  }
}

const Instructions integers[] = {
    {"add.s32 %r0, %r1, %r2;", 0x7fffffff, 2, 0, 0x80000001},
    {"sub.s32 %r0, %r1, -8;", 5, 0, 0, 13},
    {"mul.lo.s32 %r0, %r1, %r2;", 0x10001, 0x10003, 0, 0x40003},
    {"mul.hi.u32 %r0, %r1, %r2;", 0x80000000, 6, 0, 3},
    {"mul.hi.s32 %r0, %r1, %r2;", 0x80000000, 6, 0, 0xfffffffd},
    {"mul.wide.s32 %d2, %r1, %r2; shr.u64 %d2, %d2, 32; cvt.u32.u64 %r0, %d2;", 0xffffffff, 3, 0, 0xffffffff},
    {"mul.wide.u32 %d2, %r1, %r2; shr.u64 %d2, %d2, 32; cvt.u32.u64 %r0, %d2;", 0xffffffff, 3, 0, 2},
    {"mad.lo.s32 %r0, %r1, %r2, %r3;", 7, 0xfffffffe, 20, 6},
    {"div.s32 %r0, %r1, %r2;", 0xfffffff9, 2, 0, 0xfffffffd},
    {"rem.s32 %r0, %r1, %r2;", 0xfffffff9, 2, 0, 0xffffffff},
    {"div.u32 %r0, %r1, %r2;", 0xfffffff9, 2, 0, 0x7ffffffc},
    {"rem.u32 %r0, %r1, 10;", 4294967289U, 0, 0, 9},
    {"div.s32 %r0, %r1, %r2;", 0x80000000, 0xffffffff, 0, 0x80000000},
    {"mov.u16 %h0, 0xffff; mul.lo.u16 %h1, %h0, %h0; mov.b32 %r0, {%h1, %h1};", 0, 0, 0, 0x00010001},
    {"min.s32 %r0, %r1, %r2;", 0xffffffff, 1, 0, 0xffffffff},
    {"min.u32 %r0, %r1, %r2;", 0xffffffff, 1, 0, 1},
    {"max.s32 %r0, %r1, %r2;", 0xffffffff, 1, 0, 1},
    {"abs.s32 %r0, %r1;", 0xfffffffb, 0, 0, 5},
    {"neg.s32 %r0, %r1;", 5, 0, 0, 0xfffffffb},
    {"and.b32 %r0, %r1, %r2;", 0xff00, 0x0ff0, 0, 0x0f00},
    {"or.b32 %r0, %r1, %r2;", 0xff00, 0x0ff0, 0, 0xfff0},
    {"xor.b32 %r0, %r1, %r2;", 0xff00, 0x0ff0, 0, 0xf0f0},
    {"not.b32 %r0, %r1;", 0xff00, 0, 0, 0xffff00ff},
    {"shl.b32 %r0, %r1, %r2;", 3, 31, 0, 0x80000000},
    {"shl.b32 %r0, %r1, %r2;", 3, 32, 0, 0},
    {"shr.u32 %r0, %r1, %r2;", 0x80000000, 40, 0, 0},
    {"shr.s32 %r0, %r1, %r2;", 0x80000000, 40, 0, 0xffffffff},
    {"shf.l.wrap.b32 %r0, %r1, %r2, %r3;", 0x80000000, 0x12345678, 36, 0x23456788},
    {"shf.r.clamp.b32 %r0, %r1, %r2, %r3;", 0x80000000, 0x12345678, 40, 0x12345678},
    {"prmt.b32 %r0, %r1, %r2, %r3;", 0x33221100, 0x77665584, 0x5c04, 0x55ff0084},
    {"bfe.u32 %r0, %r1, 4, 8;", 0xabcd, 0, 0, 0xbc},
    {"bfe.s32 %r0, %r1, 4, 8;", 0xabcd, 0, 0, 0xffffffbc},
    {"bfi.b32 %r0, %r1, %r2, 8, 4;", 0xab, 0xffffffff, 0, 0xfffffbff},
    {"popc.b32 %r0, %r1;", 0xf00f, 0, 0, 8},
    {"clz.b32 %r0, %r1;", 0x0000f00f, 0, 0, 16},
    {"brev.b32 %r0, %r1;", 0x1, 0, 0, 0x80000000},
    {"lop3.b32 %r0, %r1, %r2, %r3, 0xe8;", 0xf0f0, 0xff00, 0xaaaa, 0xfaa0},
    {"setp.lt.s32 %p1, %r1, %r2; selp.b32 %r0, 1, 2, %p1;", 0xffffffff, 0, 0, 1},
    {"setp.lt.u32 %p1, %r1, %r2; selp.b32 %r0, 1, 2, %p1;", 0xffffffff, 0, 0, 2},
    {"setp.eq.s32 %p0, %r1, 3; setp.ge.and.s32 %p1|%p2, %r2, 7, !%p0; selp.u32 %r0, 1, 0, %p1;"
     "@%p2 add.s32 %r0, %r0, 2;",
     4, 7, 0, 1},
    {"mov.b64 %d2, {%r1, %r2}; shr.u64 %d2, %d2, 16; cvt.u32.u64 %r0, %d2;", 0x11112222, 0x33334444, 0, 0x44441111},
    {"mov.b32 {%h1, %h2}, %r1; mov.b32 %r0, {%h2, %h1};", 0x11112222, 0, 0, 0x22221111},
    {"cvt.u16.u32 %h1, %r1; add.s16 %h1, %h1, 1; cvt.s32.s16 %r0, %h1;", 0x7fff, 0, 0, 0xffff8000},
    {"cvt.s64.s32 %d2, %r1; shr.u64 %d2, %d2, 32; cvt.u32.u64 %r0, %d2;", 0x80000000, 0, 0, 0xffffffff},
    {"cvt.s32.s8 %r0, %r1;", 0x1ff, 0, 0, 0xffffffff},
    {"cvt.sat.u8.s32 %r0, %r1;", 300, 0, 0, 255},
    {"mov.pred %p1, -1; not.pred %p2, %p1; xor.pred %p3, %p1, %p2; selp.b32 %r0, 5, 6, %p3;", 0, 0, 0, 5},
};

const Instructions floats[] = {
    {"add.f32 %r0, %r1, %r2;", bits(16777216.0f), bits(1.0f), 0, bits(16777216.0f)},
    {"sub.rn.f32 %r0, %r1, 0f3F800000;", bits(3.5f), 0, 0, bits(2.5f)},
    // The exact product is 1 + 2^-22 + 2^-46; only fused is its last part not lost.
    {"mul.f32 %r0, %r1, %r1; add.f32 %r0, %r0, %r2;", 0x3f800001, 0xbf800002, 0, 0},
    {"fma.rn.f32 %r0, %r1, %r1, %r2;", 0x3f800001, 0xbf800002, 0, 0x28800000},
    {"div.rn.f32 %r0, %r1, %r2;", bits(1.0f), bits(3.0f), 0, bits(1.0f / 3.0f)},
    {"min.f32 %r0, %r1, %r2;", nan_bits, bits(2.0f), 0, bits(2.0f)},
    {"max.f32 %r0, %r1, %r2;", bits(-0.0f), bits(0.0f), 0, bits(0.0f)},
    {"abs.f32 %r0, %r1;", bits(-2.0f), 0, 0, bits(2.0f)},
    {"neg.f32 %r0, %r1;", bits(2.0f), 0, 0, bits(-2.0f)},
    {"mul.f32 %r0, %r1, %r2;", subnormal, bits(2.0f), 0, 0x00800000},
    {"mul.ftz.f32 %r0, %r1, %r2;", subnormal, bits(2.0f), 0, 0},
    {"fma.rn.ftz.f32 %r0, %r1, %r2, %r3;", bits(-1.5f), 0x00800000, 0x00800000, 0x80000000},
    {"fma.rn.f32 %r0, %r1, %r2, %r3;", bits(-1.5f), 0x00800000, 0x00800000, 0x80400000},
    {"setp.gt.ftz.f32 %p1, %r1, 0f00000000; selp.b32 %r0, 1, 0, %p1;", subnormal, 0, 0, 0},
    {"setp.gt.f32 %p1, %r1, 0f00000000; selp.b32 %r0, 1, 0, %p1;", subnormal, 0, 0, 1},
    {"setp.ne.f32 %p1, %r1, %r2; selp.b32 %r0, 1, 0, %p1;", nan_bits, 0, 0, 0},
    {"setp.neu.f32 %p1, %r1, %r2; selp.b32 %r0, 1, 0, %p1;", nan_bits, 0, 0, 1},
    {"setp.nan.f32 %p1, %r1, %r2; selp.b32 %r0, 1, 0, %p1;", 0, nan_bits, 0, 1},
    {"setp.ltu.f32 %p1, %r1, %r2; selp.b32 %r0, 1, 0, %p1;", bits(2.0f), bits(1.0f), 0, 0},
    {"cvt.rn.f32.s32 %r0, %r1;", 16777217, 0, 0, bits(16777216.0f)},
    {"cvt.rn.f32.u32 %r0, %r1;", 0x80000000, 0, 0, bits(2147483648.0f)},
    {"cvt.rzi.s32.f32 %r0, %r1;", bits(-2.7f), 0, 0, 0xfffffffe},
    {"cvt.rni.s32.f32 %r0, %r1;", bits(2.5f), 0, 0, 2},
    {"cvt.rmi.s32.f32 %r0, %r1;", bits(-2.1f), 0, 0, 0xfffffffd},
    {"cvt.rpi.f32.f32 %r0, %r1;", bits(2.1f), 0, 0, bits(3.0f)},
    {"cvt.rzi.s32.f32 %r0, %r1;", bits(1e20f), 0, 0, 0x7fffffff},
    {"cvt.rzi.u32.f32 %r0, %r1;", bits(-3.0f), 0, 0, 0},
    {"cvt.rzi.s32.f32 %r0, %r1;", nan_bits, 0, 0, 0},
    {"cvt.f64.f32 %d2, %r1; cvt.rzi.s32.f64 %r0, %d2;", nan_bits, 0, 0, 0x80000000},
    {"cvt.f64.f32 %d2, %r1; add.f64 %d2, %d2, 0d3E70000000000000; cvt.rn.f32.f64 %r0, %d2;", bits(1.0f), 0, 0,
     0x3f800000},
    {"cvt.f64.f32 %d2, %r1; add.f64 %d2, %d2, 0d3E70000000000000; cvt.rp.f32.f64 %r0, %d2;", bits(1.0f), 0, 0,
     0x3f800001},
    {"rcp.rn.f32 %r0, %r1;", bits(0.0f), 0, 0, bits(infinity)},
    {"sqrt.rn.f32 %r0, %r1;", bits(2.0f), 0, 0, bits(std::sqrt(2.0f))},
    {"ex2.approx.ftz.f32 %r0, %r1;", bits(3.0f), 0, 0, bits(8.0f)},
};

std::string name_of(const ::testing::TestParamInfo<Instructions>& info) {
  std::string name = std::string(info.param.text).substr(0, std::string(info.param.text).find(' '));
  for (char& c : name) c = c == '.' ? '_' : c;
  return name + '_' + std::to_string(info.index);
}
INSTANTIATE_TEST_SUITE_P(Integer, StandinDriverInstructions, ::testing::ValuesIn(integers), name_of);
INSTANTIATE_TEST_SUITE_P(Float, StandinDriverInstructions, ::testing::ValuesIn(floats), name_of);

TEST_F(StandinDriver, NarrowAndVectorAccessesReadAndWriteTheirBytes) {
  const CUdeviceptr out = upload<std::uint32_t>(std::vector<std::uint32_t>(5, 0));
  const CUdeviceptr in = upload<std::uint32_t>({0x8765f321, 0x22221111});
  ASSERT_EQ(run(kernel("ld.global.s8 %r1, [%d1+1]; ld.global.u8 %r2, [%d1+1]; ld.global.u16 %h1, [%d1+2];\n"
                       "cvt.u32.u16 %r3, %h1; ld.global.v2.u16 {%h2, %h3}, [%d1+4]; cvt.u32.u16 %r4, %h3;\n"
                       "st.global.v4.b32 [%d0], {%r1, %r2, %r3, %r4}; st.global.u8 [%d0+17], %r2;"),
                1, out, in),
            CUDA_SUCCESS);
  EXPECT_EQ(download<std::uint32_t>(out, 5), (std::vector<std::uint32_t>{0xfffffff3, 0xf3, 0x8765, 0x2222, 0xf300}));
}

TEST_F(StandinDriver, LocalMemoryIsEachThreadsOwn) {
  // As compilers write it: the frame by a generic address, indexed with a register.
  const std::string body =
      "mov.u64 %SPL, __local_depot0; cvta.local.u64 %SP, %SPL; add.u64 %d2, %SP, 4; cvta.to.local.u64 %d3, %d2;\n"
      "and.b32 %r1, %t, 3; mad.wide.u32 %d4, %r1, 4, %d3; st.local.u32 [%d4], %t; st.u32 [%SP], 1000;\n"
      "mad.wide.u32 %d5, %r1, 4, %SP; ld.u32 %r2, [%d5+4]; ld.local.u32 %r3, [%SPL]; add.u32 %r0, %r2, %r3;\n"
      "st.global.u32 [%o], %r0;";
  const auto got =
      results(kernel(body, ".local .align 16 .b8 __local_depot0[20]; .reg .b64 %SP; .reg .b64 %SPL;\n"), 40);
  for (unsigned t = 0; t < got.size(); ++t) EXPECT_EQ(got[t], 1000 + t);
}

const char* const exchange =
    "shl.b32 %r1, %t, 2; st.shared.u32 [%r1], %t; bar.sync 0; xor.b32 %r2, %r1, 252; ld.shared.u32 %r0, [%r2];\n"
    "st.global.u32 [%o], %r0;";

TEST_F(StandinDriver, SharedMemoryPassesValuesAcrossABarrier) {
  for (const char* schedule : {"warp", "serial"}) {
    set("STANDIN_CUDA_SCHEDULE", schedule);
    const auto got = results(kernel(exchange), 64, {0}, 256);
    for (unsigned t = 0; t < got.size(); ++t) EXPECT_EQ(got[t], t ^ 63);
  }
}

TEST_F(StandinDriver, ShufflesMoveValuesWithinSegments) {
  struct Row {
    const char* instruction;
    std::uint32_t (*expected)(std::uint32_t);
  };
  const Row rows[] = {
      {"shfl.sync.bfly.b32 %r0, %t, 5, 31, -1;", [](std::uint32_t t) { return t ^ 5U; }},
      {"shfl.sync.idx.b32 %r0, %t, 9, 31, -1;", [](std::uint32_t) { return 9U; }},
      {"shfl.sync.up.b32 %r0|%p1, %t, 3, 0, -1; @!%p1 mov.u32 %r0, 99;",
       [](std::uint32_t t) { return t < 3 ? 99U : t - 3; }},
      {"shfl.sync.down.b32 %r0|%p1, %t, 3, 31, -1; @!%p1 mov.u32 %r0, 99;",
       [](std::uint32_t t) { return t > 28 ? 99U : t + 3; }},
      // Segments of eight lanes.
      {"shfl.sync.idx.b32 %r0, %t, 2, 0x181f, -1;", [](std::uint32_t t) { return (t & 24U) | 2U; }},
  };
  for (const char* schedule : {"warp", "serial"}) {
    set("STANDIN_CUDA_SCHEDULE", schedule);
    for (const Row& row : rows) {
      const auto got = results(kernel(std::string(row.instruction) + "st.global.u32 [%o], %r0;"), 32);
      for (unsigned t = 0; t < got.size(); ++t) EXPECT_EQ(got[t], row.expected(t)) << row.instruction << t;
    }
  }
}

TEST_F(StandinDriver, VotesCountTheLanesThatAreThere) {
  const auto got = results(kernel("setp.lt.u32 %p1, %t, 5; vote.sync.ballot.b32 %r0, %p1, -1;\n"
                                  "vote.sync.any.pred %p2, %p1, -1; vote.sync.all.pred %p3, %p1, -1;\n"
                                  "@%p2 or.b32 %r0, %r0, 0x100; @%p3 or.b32 %r0, %r0, 0x200; st.global.u32 [%o], %r0;"),
                           20);
  EXPECT_EQ(got, std::vector<std::uint32_t>(20, 0x11f));
}

TEST_F(StandinDriver, LanesThatGoApartMeetAgain) {
  // t loops for each thread, then both sides of a branch.
  const std::string body =
      "mov.u32 %r0, 0; mov.u32 %r1, 0;\n"
      "LOOP: setp.ge.u32 %p1, %r1, %t; @%p1 bra DONE; add.u32 %r0, %r0, %r1; add.u32 %r1, %r1, 1; bra.uni LOOP;\n"
      "DONE: and.b32 %r2, %t, 1; setp.eq.u32 %p2, %r2, 0; @%p2 bra EVEN; add.u32 %r0, %r0, 1000; bra JOIN;\n"
      "EVEN: add.u32 %r0, %r0, 2000;\nJOIN: activemask.b32 %r3; popc.b32 %r3, %r3; mad.lo.u32 %r0, %r3, 10000, %r0;\n"
      "st.global.u32 [%o], %r0;";
  const auto got = results(kernel(body), 32);
  for (unsigned t = 0; t < 32; ++t) EXPECT_EQ(got[t], 320000 + t * (t - 1) / 2 + (t % 2 ? 1000 : 2000));
}

TEST_F(StandinDriver, GridsAndBlocksHaveThreeExtents) {
  const std::string body =
      "mov.u32 %r1, %ctaid.x; mov.u32 %r2, %ctaid.y; mov.u32 %r3, %ctaid.z; mov.u32 %r4, %nctaid.x;\n"
      "mov.u32 %r5, %nctaid.y; mad.lo.u32 %r2, %r3, %r5, %r2; mad.lo.u32 %r1, %r2, %r4, %r1;\n"
      "mov.u32 %r6, %tid.y; mov.u32 %r7, %tid.z; mov.u32 %r8, %ntid.x; mov.u32 %r9, %ntid.y; mov.u32 %r12, %ntid.z;\n"
      "mad.lo.u32 %r6, %r7, %r9, %r6; mad.lo.u32 %r6, %r6, %r8, %t; mul.lo.u32 %r8, %r8, %r9; mul.lo.u32 %r8, %r8, "
      "%r12;\n"
      "mad.lo.u32 %r0, %r1, %r8, %r6; mad.wide.u32 %d2, %r0, 4, %d0; st.global.u32 [%d2], %r0;";
  const unsigned count = 2 * 3 * 4 * 5 * 3 * 2;
  const CUdeviceptr out = allocate(count * 4);
  ASSERT_EQ(launch(load(kernel(body)), {2, 3, 4}, {5, 3, 2}, out, out), CUDA_SUCCESS);
  std::vector<std::uint32_t> expected(count);
  std::iota(expected.begin(), expected.end(), 0U);
  EXPECT_EQ(download<std::uint32_t>(out, count), expected);
}

TEST_F(StandinDriver, AtomicsAddUp) {
  const CUdeviceptr out = upload<std::uint32_t>({0, 5});
  ASSERT_EQ(run(kernel("atom.global.add.u32 %r0, [%d0], %t; red.global.max.u32 [%d0+4], %t;"), 64, out, 0, 0, 50),
            CUDA_SUCCESS);
  EXPECT_EQ(download<std::uint32_t>(out, 2), (std::vector<std::uint32_t>{50 * 63 * 32, 63}));
}

}  // namespace
