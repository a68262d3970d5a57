// The stand-in driver as a test sees it: its entry points out of the library, and small PTX kernels to run on it.
#pragma once

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "standin_driver/driver_types.h"

namespace standin_test {

using Handle = void*;  // of contexts, modules, functions, streams and events

// Calls an entry point by its name; arguments have to have exactly the driver's types.
template <class... Arguments>
CUresult cu(const char* name, Arguments... arguments) {
  static void* library = dlopen(STANDIN_DRIVER, RTLD_NOW | RTLD_LOCAL);
  void* symbol = library == nullptr ? nullptr : dlsym(library, name);
  if (symbol == nullptr) {
    ADD_FAILURE() << dlerror();
    std::abort();
  }
  return reinterpret_cast<CUresult (*)(Arguments...)>(symbol)(arguments...);
}

struct Extent {
  unsigned x = 1, y = 1, z = 1;
};

inline std::string ptx_module(const std::string& kernels, const std::string& target = "sm_70") {
  return ".version 6.0\n.target " + target + "\n.address_size 64\n" + kernels;
}

// A kernel named k with pointers as parameters, out first, and registers of all sorts. Before the body, %t is the
// thread's number in its block, %o the address of out[%t] and %i that of in[%t], of four bytes each.
inline std::string kernel(const std::string& body, const std::string& declarations = "") {
  return ptx_module(
      ".visible .entry k(.param .u64 out, .param .u64 in) {\n"
      ".reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<32>; .reg .b32 %t; .reg .b64 %d<16>; .reg .b64 %o, %i;\n" +
      declarations +
      "mov.u32 %t, %tid.x;\n"
      "ld.param.u64 %d0, [out]; cvta.to.global.u64 %d0, %d0; mad.wide.u32 %o, %t, 4, %d0;\n"
      "ld.param.u64 %d1, [in]; cvta.to.global.u64 %d1, %d1; mad.wide.u32 %i, %t, 4, %d1;\n" +
      body + "\nret;\n}\n");
}

class StandinDriver : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(cu("cuInit", 0U), CUDA_SUCCESS);
    ASSERT_EQ(cu("cuDevicePrimaryCtxRetain", &context_, 0), CUDA_SUCCESS);
    ASSERT_EQ(cu("cuCtxSetCurrent", context_), CUDA_SUCCESS);
  }
  void TearDown() override {
    for (const auto& [name, value] : changed_) unsetenv(name.c_str());
    EXPECT_EQ(cu("cuDevicePrimaryCtxReset_v2", 0), CUDA_SUCCESS);
    EXPECT_EQ(cu("cuCtxSetCurrent", Handle{nullptr}), CUDA_SUCCESS);
  }

  // A variable of the environment, until the end of the test.
  void set(const char* name, const std::string& value) {
    setenv(name, value.c_str(), 1);
    changed_[name] = value;
  }

  static CUdeviceptr allocate(std::size_t bytes) {
    CUdeviceptr address = 0;
    EXPECT_EQ(cu("cuMemAlloc_v2", &address, bytes), CUDA_SUCCESS);
    return address;
  }
  template <class T>
  static CUdeviceptr upload(const std::vector<T>& values) {
    const CUdeviceptr address = allocate(values.size() * sizeof(T));
    EXPECT_EQ(cu("cuMemcpyHtoD_v2", address, static_cast<const void*>(values.data()), values.size() * sizeof(T)),
              CUDA_SUCCESS);
    return address;
  }
  template <class T>
  static std::vector<T> download(CUdeviceptr address, std::size_t count) {
    std::vector<T> values(count);
    EXPECT_EQ(cu("cuMemcpyDtoH_v2", static_cast<void*>(values.data()), address, count * sizeof(T)), CUDA_SUCCESS);
    return values;
  }

  static Handle load(const std::string& ptx) {
    Handle module = nullptr, function = nullptr;
    EXPECT_EQ(cu("cuModuleLoadData", &module, static_cast<const void*>(ptx.c_str())), CUDA_SUCCESS);
    if (module != nullptr) {
      EXPECT_EQ(cu("cuModuleGetFunction", &function, module, "k"), CUDA_SUCCESS);
    }
    return function;
  }
  static CUresult launch(Handle function, Extent grid, Extent block, CUdeviceptr out, CUdeviceptr in,
                         unsigned shared = 0, Handle stream = nullptr) {
    void* arguments[] = {&out, &in};
    return cu("cuLaunchKernel", function, grid.x, grid.y, grid.z, block.x, block.y, block.z, shared, stream,
              static_cast<void**>(arguments), static_cast<void**>(nullptr));
  }
  // Runs one block to the end; what the driver answers then.
  static CUresult run(const std::string& ptx, unsigned threads, CUdeviceptr out, CUdeviceptr in = 0,
                      unsigned shared = 0, unsigned blocks = 1) {
    EXPECT_EQ(launch(load(ptx), {blocks}, {threads}, out, in, shared), CUDA_SUCCESS);
    return cu("cuCtxSynchronize");
  }
  // out[t] of a block of threads.
  static std::vector<std::uint32_t> results(const std::string& ptx, unsigned threads,
                                            const std::vector<std::uint32_t>& in = {0}, unsigned shared = 0) {
    const CUdeviceptr out = allocate(threads * sizeof(std::uint32_t));
    EXPECT_EQ(run(ptx, threads, out, upload(in), shared), CUDA_SUCCESS);
    return download<std::uint32_t>(out, threads);
  }
  static Handle new_stream(unsigned flags = 0) {
    Handle stream = nullptr;
    EXPECT_EQ(cu("cuStreamCreate", &stream, flags), CUDA_SUCCESS);
    return stream;
  }

  Handle context_ = nullptr;

 private:
  std::map<std::string, std::string> changed_;
};

}  // namespace standin_test
