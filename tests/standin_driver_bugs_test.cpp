// The stand-in driver finds what is wrong with kernels, and answers calls as the driver would.
#include "standin_driver_testing.h"

using namespace standin_test;
using ::testing::internal::CaptureStderr;
using ::testing::internal::GetCapturedStderr;

namespace {

class StandinDriverBugs : public StandinDriver {
 protected:
  // What one block of the kernel ends with; what was said goes to messages_.
  CUresult outcome(const std::string& ptx, unsigned threads, unsigned shared = 0, unsigned blocks = 1) {
    const CUdeviceptr out = allocate(threads * 4), in = allocate(threads * 4);
    CaptureStderr();
    const CUresult result = run(ptx, threads, out, in, shared, blocks);
    messages_ = GetCapturedStderr();
    // As on the device, nothing goes on in a context after its kernel has failed.
    EXPECT_EQ(cu("cuMemFree_v2", out), result);
    EXPECT_EQ(cu("cuDevicePrimaryCtxReset_v2", 0), CUDA_SUCCESS);
    EXPECT_EQ(cu("cuDevicePrimaryCtxRetain", &context_, 0), CUDA_SUCCESS);
    return result;
  }
  [[nodiscard]] bool said(const char* text) const { return messages_.find(text) != std::string::npos; }

  std::string messages_;
};

std::string exchange(const char* barrier) {
  return kernel(std::string("shl.b32 %r1, %t, 2; st.shared.u32 [%r1], %t;") + barrier +
                "xor.b32 %r2, %r1, 4; ld.shared.u32 %r0, [%r2]; st.global.u32 [%o], %r0;");
}

TEST_F(StandinDriverBugs, AMissingBarrierIsFound) {
  for (const char* schedule : {"warp", "serial"}) {
    set("STANDIN_CUDA_SCHEDULE", schedule);
    EXPECT_EQ(outcome(exchange("bar.sync 0;"), 64, 256), CUDA_SUCCESS);
    EXPECT_EQ(outcome(exchange("bar.warp.sync -1;"), 64, 256), CUDA_SUCCESS);
    EXPECT_EQ(outcome(exchange(""), 64, 256), CUDA_ERROR_LAUNCH_FAILED);
  }
  set("STANDIN_CUDA_SCHEDULE", "warp");
  EXPECT_EQ(outcome(exchange(""), 64, 256), CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_TRUE(said("races with a write of another thread")) << messages_;
  EXPECT_TRUE(said("kernel k, PTX line") && said("'ld.shared.u32 %r0, [%r2]', block (0,0,0), thread (0,0,0)"))
      << messages_;
  set("STANDIN_CUDA_CHECK", "bounds");
  EXPECT_EQ(outcome(exchange(""), 64, 256), CUDA_SUCCESS);
}

TEST_F(StandinDriverBugs, ABarrierOfAWarpDoesNotOrderWarps) {
  const auto ptx = [](const char* barrier) {
    return kernel(std::string("shl.b32 %r1, %t, 2; and.b32 %r1, %r1, 127; setp.lt.u32 %p1, %t, 32;"
                              "@%p1 st.shared.u32 [%r1], %t;") +
                  barrier + "ld.shared.u32 %r0, [%r1];");
  };
  EXPECT_EQ(outcome(ptx("bar.sync 0;"), 64, 256), CUDA_SUCCESS);
  EXPECT_EQ(outcome(ptx("bar.warp.sync -1;"), 64, 256), CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_TRUE(said("races with a write of another thread")) << messages_;
}

TEST_F(StandinDriverBugs, WhatAWarpReadsTogetherIsCheckedToo) {
  const auto ptx = [](const char* barrier) {
    return kernel(std::string("shl.b32 %r1, %t, 2; st.shared.u32 [%r1], %t;") + barrier + "ld.shared.u32 %r0, [12];");
  };
  EXPECT_EQ(outcome(ptx("bar.sync 0;"), 32, 128), CUDA_SUCCESS);
  EXPECT_EQ(outcome(ptx(""), 32, 128), CUDA_ERROR_LAUNCH_FAILED);
}

TEST_F(StandinDriverBugs, AWriteAfterAReadNeedsABarrierToo) {
  const auto ptx = [](const char* barrier) {
    return kernel(std::string("shl.b32 %r1, %t, 2; st.shared.u32 [%r1], %t; bar.sync 0; ld.shared.u32 %r2, [12];") +
                  barrier + "setp.eq.u32 %p1, %t, 3; @%p1 st.shared.u32 [%r1], %r2;");
  };
  EXPECT_EQ(outcome(ptx("bar.sync 0;"), 40, 160), CUDA_SUCCESS);
  EXPECT_EQ(outcome(ptx(""), 40, 160), CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_TRUE(said("races with a read of another thread")) << messages_;
}

TEST_F(StandinDriverBugs, SharedMemoryHasToBeWrittenBeforeItIsRead) {
  const std::string body =
      "shl.b32 %r1, %t, 2; setp.ne.u32 %p1, %t, 5; @%p1 st.shared.u32 [%r1], %t;"
      "bar.sync 0; ld.shared.u32 %r0, [%r1];";
  EXPECT_EQ(outcome(kernel(body), 5, 128), CUDA_SUCCESS);
  EXPECT_EQ(outcome(kernel(body), 32, 128), CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_TRUE(said("thread (5,0,0): reads shared memory that was never written, at byte 20")) << messages_;
}

TEST_F(StandinDriverBugs, AddressesBeyondSharedMemoryAreIllegal) {
  const std::string body = "shl.b32 %r1, %t, 2; st.shared.u32 [%r1], %t;";
  EXPECT_EQ(outcome(kernel(body, ".shared .align 4 .b8 s[64];\n"), 32, 64), CUDA_SUCCESS);
  EXPECT_EQ(outcome(kernel(body, ".shared .align 4 .b8 s[64];\n"), 32, 60), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_TRUE(said("byte 124 of 124 bytes of shared memory")) << messages_;
}

TEST_F(StandinDriverBugs, AddressesBeyondAnAllocationAreIllegal) {
  EXPECT_EQ(outcome(kernel("st.global.u32 [%o], %t;"), 33), CUDA_SUCCESS);
  EXPECT_EQ(outcome(kernel("st.global.u32 [%o+4], %t;"), 33), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_TRUE(
      said("'st.global.u32 [%o+4], %t', block (0,0,0), thread (32,0,0): writes 4 bytes at "
           "0 bytes past the end of an allocation of 132 bytes"))
      << messages_;
  EXPECT_EQ(outcome(kernel("ld.global.nc.u32 %r1, [%i+-4];"), 33), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_TRUE(said("thread (0,0,0): reads 4 bytes at 4 bytes before an allocation of 132 bytes")) << messages_;
}

TEST_F(StandinDriverBugs, AccessesHaveToEndInTheAllocation) {
  EXPECT_EQ(outcome(kernel("ld.global.v2.u32 {%r1, %r2}, [%d1+120];"), 33), CUDA_SUCCESS);
  EXPECT_EQ(outcome(kernel("ld.global.v2.u32 {%r1, %r2}, [%d1+128];"), 33), CUDA_ERROR_ILLEGAL_ADDRESS);
}

TEST_F(StandinDriverBugs, FreedMemoryIsIllegal) {
  const CUdeviceptr freed = allocate(400);
  ASSERT_EQ(cu("cuMemFree_v2", freed), CUDA_SUCCESS);
  CaptureStderr();
  EXPECT_EQ(run(kernel("ld.global.u32 %r1, [%d0+8];"), 1, freed), CUDA_ERROR_ILLEGAL_ADDRESS);
  EXPECT_NE(GetCapturedStderr().find("byte 8 of memory that was freed (400 bytes)"), std::string::npos);
}

TEST_F(StandinDriverBugs, MisalignedAccessesAreFound) {
  EXPECT_EQ(outcome(kernel("ld.global.v2.u32 {%r1, %r2}, [%d1+8];"), 8), CUDA_SUCCESS);
  EXPECT_EQ(outcome(kernel("ld.global.v2.u32 {%r1, %r2}, [%d1+4];"), 8), CUDA_ERROR_MISALIGNED_ADDRESS);
  EXPECT_EQ(outcome(kernel("st.shared.u32 [2], %t;"), 1, 64), CUDA_ERROR_MISALIGNED_ADDRESS);
}

TEST_F(StandinDriverBugs, ThreadsMayWriteOnlyTheSameToOnePlace) {
  EXPECT_EQ(outcome(kernel("mov.u32 %r1, 7; st.global.u32 [%d0], %r1;"), 64, 0, 3), CUDA_SUCCESS);
  EXPECT_EQ(outcome(kernel("st.global.u32 [%d0], %t;"), 64), CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_TRUE(said("writes another value than thread 0 of the grid")) << messages_;
  EXPECT_EQ(outcome(kernel("mov.u32 %r1, %ctaid.x; st.global.u32 [%o], %r1;"), 64, 0, 2), CUDA_ERROR_LAUNCH_FAILED);
}

TEST_F(StandinDriverBugs, BarriersNeedTheWholeWarp) {
  const auto ptx = [](const char* condition, const char* instead) {
    return kernel(std::string("setp.lt.u32 %p1, %t, 16;") + condition + " bra A; " + instead + "A: bar.sync 0; ret;");
  };
  EXPECT_EQ(outcome(ptx("@%p1", "ret;"), 32), CUDA_SUCCESS);
  for (const char* schedule : {"warp", "serial"}) {
    set("STANDIN_CUDA_SCHEDULE", schedule);
    EXPECT_EQ(outcome(ptx("@%p1", "bar.sync 0; ret;"), 32), CUDA_ERROR_LAUNCH_FAILED);
    EXPECT_TRUE(said("waits at another barrier than its warp")) << messages_;
  }
}

TEST_F(StandinDriverBugs, ShufflesNeedTheLanesTheyName) {
  const std::string body = "setp.lt.u32 %p1, %t, 16; @%p1 shfl.sync.idx.b32 %r0, %t, 0, 31, ";
  EXPECT_EQ(outcome(kernel(body + "0xffff;"), 32), CUDA_SUCCESS);
  EXPECT_EQ(outcome(kernel(body + "-1; bar.warp.sync -1;"), 32), CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_TRUE(said("named in the mask, but does not get here")) << messages_;
}

TEST_F(StandinDriverBugs, WhatIsNotSupportedIsNamedWhenItIsLoaded) {
  Handle module = nullptr;
  for (const char* instruction : {"wmma.sync.x %r0, %r1;", "add.rz.f32 %r0, %r1, %r2;", "mov.u32 %r0, %clock;",
                                  "add.s32 %r0, %d1, %r2;", "bra NOWHERE;", "ld.global.b128 %r0, [%d1];"}) {
    CaptureStderr();
    const std::string ptx = kernel(instruction);
    EXPECT_EQ(cu("cuModuleLoadData", &module, static_cast<const void*>(ptx.c_str())), CUDA_ERROR_INVALID_PTX);
    EXPECT_NE(GetCapturedStderr().find("module refused: PTX line"), std::string::npos) << instruction;
  }
}

TEST_F(StandinDriverBugs, WorkWaitsForACallThatSynchronises) {
  const Handle function = load(kernel("st.global.u32 [%o], %t;")), stream = new_stream();
  const CUdeviceptr out = upload<std::uint32_t>({9, 9});
  std::uint32_t got[2] = {8, 8};
  const auto start = [&] {
    ASSERT_EQ(launch(function, {1}, {2}, out, 0, 0, stream), CUDA_SUCCESS);
    ASSERT_EQ(cu("cuMemcpyDtoHAsync_v2", static_cast<void*>(got), out, sizeof got, stream), CUDA_SUCCESS);
  };
  start();
  EXPECT_EQ(got[1], 8U);
  EXPECT_EQ(cu("cuStreamQuery", stream), CUDA_ERROR_NOT_READY);
  EXPECT_EQ(cu("cuStreamQuery", stream), CUDA_SUCCESS);
  EXPECT_EQ(got[1], 1U);
  got[1] = 8;
  start();
  EXPECT_EQ(cu("cuStreamSynchronize", stream), CUDA_SUCCESS);
  EXPECT_EQ(got[1], 1U);
  got[1] = 8;
  set("STANDIN_CUDA_STREAMS", "immediate");
  start();
  EXPECT_EQ(got[1], 1U);
}

TEST_F(StandinDriverBugs, OnlyAnEventOrdersNonBlockingStreams) {
  const Handle function = load(kernel("st.global.u32 [%o], %t;")), one = new_stream(1), other = new_stream(1);
  Handle event = nullptr;
  ASSERT_EQ(cu("cuEventCreate", &event, 0U), CUDA_SUCCESS);
  for (const bool waits : {false, true}) {
    const CUdeviceptr out = upload<std::uint32_t>({9, 9});
    std::uint32_t got[2] = {};
    ASSERT_EQ(launch(function, {1}, {2}, out, 0, 0, one), CUDA_SUCCESS);
    ASSERT_EQ(cu("cuEventRecord", event, one), CUDA_SUCCESS);
    if (waits) {
      ASSERT_EQ(cu("cuStreamWaitEvent", other, event, 0U), CUDA_SUCCESS);
    }
    ASSERT_EQ(cu("cuMemcpyDtoHAsync_v2", static_cast<void*>(got), out, sizeof got, other), CUDA_SUCCESS);
    ASSERT_EQ(cu("cuStreamSynchronize", other), CUDA_SUCCESS);
    EXPECT_EQ(got[1], waits ? 1U : 9U);
    ASSERT_EQ(cu("cuCtxSynchronize"), CUDA_SUCCESS);
  }
}

TEST_F(StandinDriverBugs, TheDefaultStreamIsInOrderWithBlockingStreamsOnly) {
  const Handle function = load(kernel("st.global.u32 [%o], %t;"));
  for (const unsigned flags : {0U, 1U}) {
    const CUdeviceptr out = upload<std::uint32_t>({9, 9});
    ASSERT_EQ(launch(function, {1}, {2}, out, 0, 0, new_stream(flags)), CUDA_SUCCESS);
    EXPECT_EQ(download<std::uint32_t>(out, 2)[1], flags == 0 ? 1U : 9U);
  }
}

TEST_F(StandinDriverBugs, FatbinsHoldPtx) {
  const std::string ptx = kernel("mov.u32 %r0, 42; st.global.u32 [%o], %r0;");
  const auto fatbin = [&](std::uint16_t kind, std::uint32_t compressed, std::uint32_t architecture) {
    std::string image(16 + 64, '\0');
    const auto put = [&](std::size_t at, auto value) { std::memcpy(&image[at], &value, sizeof value); };
    put(0, std::uint32_t{0xba55ed50});
    put(4, std::uint16_t{1});
    put(6, std::uint16_t{16});
    put(8, std::uint64_t{64 + ptx.size() + 1});
    put(16, kind);
    put(20, std::uint32_t{64});
    put(24, std::uint64_t{ptx.size() + 1});
    put(32, compressed);
    put(44, architecture);
    return image + ptx + '\0';
  };
  EXPECT_EQ(results(fatbin(1, 0, 70), 1), std::vector<std::uint32_t>{42});
  Handle module = nullptr;
  CaptureStderr();
  for (const std::string& image : {fatbin(2, 0, 70), fatbin(1, 100, 70), fatbin(1, 0, 100),
                                   std::string("\x7f"
                                               "ELF"),
                                   ptx_module("", "sm_100")}) {
    EXPECT_EQ(cu("cuModuleLoadData", &module, static_cast<const void*>(image.data())), CUDA_ERROR_NO_BINARY_FOR_GPU);
  }
  EXPECT_NE(GetCapturedStderr().find("fatbinary --compress=false"), std::string::npos);
  EXPECT_EQ(cu("cuModuleLoadData", &module, static_cast<const void*>("text")), CUDA_ERROR_INVALID_IMAGE);
}

TEST_F(StandinDriverBugs, LaunchesBeyondTheDevicesLimitsAreRefused) {
  const Handle function = load(kernel(""));
  EXPECT_EQ(launch(function, {1}, {32, 33}, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(function, {1, 65536}, {1}, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(function, {0}, {1}, 0, 0), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(function, {1}, {1}, 0, 0, 49153), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cu("cuFuncSetAttribute", function, 8, 232448), CUDA_SUCCESS);
  EXPECT_EQ(launch(function, {1}, {1}, 0, 0, 49153), CUDA_SUCCESS);
  EXPECT_EQ(cu("cuFuncSetAttribute", function, 8, 232449), CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(launch(Handle{&context_}, {1}, {1}, 0, 0), CUDA_ERROR_INVALID_HANDLE);
}

TEST_F(StandinDriverBugs, MemoryEndsWhereTheEnvironmentSays) {
  set("STANDIN_CUDA_MEMORY", "1000000");
  const CUdeviceptr first = allocate(600000);
  CUdeviceptr second = 0;
  EXPECT_EQ(cu("cuMemAlloc_v2", &second, std::size_t{600000}), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cu("cuMemFree_v2", first), CUDA_SUCCESS);
  EXPECT_EQ(cu("cuMemAlloc_v2", &second, std::size_t{600000}), CUDA_SUCCESS);
  EXPECT_EQ(download<std::uint32_t>(second, 1)[0], 0xffffffffU);
  EXPECT_EQ(cu("cuMemcpyHtoD_v2", second, static_cast<const void*>(&first), std::size_t{600001}),
            CUDA_ERROR_INVALID_VALUE);
}

TEST_F(StandinDriverBugs, PointersAreKnownAndNotTheHosts) {
  const CUdeviceptr address = allocate(1000), inside = address + 999;
  std::size_t bytes = 0;
  CUdeviceptr start = 0;
  unsigned type = 0;
  EXPECT_EQ(cu("cuPointerGetAttribute", static_cast<void*>(&type), 2, inside), CUDA_SUCCESS);
  EXPECT_EQ(type, 2U);
  EXPECT_EQ(cu("cuPointerGetAttribute", static_cast<void*>(&type), 2, reinterpret_cast<CUdeviceptr>(&type)),
            CUDA_ERROR_INVALID_VALUE);
  EXPECT_EQ(cu("cuMemGetAddressRange_v2", &start, &bytes, inside), CUDA_SUCCESS);
  EXPECT_EQ(start, address);
  EXPECT_EQ(bytes, 1000U);
  EXPECT_EQ(cu("cuMemGetAddressRange_v2", &start, &bytes, inside + 1), CUDA_ERROR_NOT_FOUND);
  EXPECT_DEATH(*reinterpret_cast<volatile int*>(address) = 1, "");
}

TEST_F(StandinDriverBugs, CallsFailWhereTheEnvironmentSays) {
  set("STANDIN_CUDA_FAIL", "cuMemAlloc:2:2,cuLaunchKernel:1:719");
  CUdeviceptr address = 0;
  EXPECT_EQ(cu("cuMemAlloc_v2", &address, std::size_t{4}), CUDA_SUCCESS);
  EXPECT_EQ(cu("cuMemAlloc_v2", &address, std::size_t{4}), CUDA_ERROR_OUT_OF_MEMORY);
  EXPECT_EQ(cu("cuMemAlloc_v2", &address, std::size_t{4}), CUDA_SUCCESS);
  const Handle function = load(kernel(""));
  EXPECT_EQ(launch(function, {1}, {1}, 0, 0), CUDA_ERROR_LAUNCH_FAILED);
  EXPECT_EQ(launch(function, {1}, {1}, 0, 0), CUDA_SUCCESS);
}

TEST_F(StandinDriverBugs, DevicesAreThoseOfTheEnvironment) {
  int value = 0;
  EXPECT_EQ(cu("cuDeviceGetAttribute", &value, 75, 0), CUDA_SUCCESS);
  EXPECT_EQ(value, 9);
  set("STANDIN_CUDA_CAPABILITY", "8.6");
  EXPECT_EQ(cu("cuDeviceGetAttribute", &value, 76, 0), CUDA_SUCCESS);
  EXPECT_EQ(value, 6);
  EXPECT_EQ(cu("cuDeviceGet", &value, 1), CUDA_ERROR_INVALID_DEVICE);
  set("STANDIN_CUDA_DEVICES", "0");
  EXPECT_EQ(cu("cuInit", 0U), CUDA_ERROR_NO_DEVICE);
  EXPECT_EQ(cu("cuDeviceGetCount", &value), CUDA_ERROR_NOT_INITIALIZED);
  set("STANDIN_CUDA_DEVICES", "2");
  EXPECT_EQ(cu("cuInit", 0U), CUDA_SUCCESS);
  EXPECT_EQ(cu("cuDeviceGet", &value, 1), CUDA_SUCCESS);
}

}  // namespace
