// Target "cuda" beyond right responses: devices, streams, loading, refusals, failures. The suites say what they need of
// the driver; tests/CMakeLists.txt runs each with a stand-in that is set up so.
#include <cstdlib>
#include <thread>

#include "gpu_memory.h"
#include "testing.h"

using namespace corrbank_test;
using corrbank::Bank;
using corrbank::cuda_device;
using corrbank::Options;
using corrbank::StatusCode;

namespace {

testing::AssertionResult refused(const corrbank::Status& status, StatusCode code, const char* argument) {
  if (status.code() == code && std::strstr(status.message(), argument) != nullptr) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "code " << static_cast<int>(status.code()) << ": \"" << status.message()
                                     << "\" instead of code " << static_cast<int>(code) << " about " << argument;
}

Options on_cuda(int device = 0) {
  Options options;
  options.target = "cuda";
  options.device = device;
  return options;
}

class Stream {
 public:
  Stream() {
    enter_gpu();
    call_driver("cuStreamCreate", &handle_, 1U);  // not synchronised with the default stream
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { driver_result("cuStreamDestroy_v2", handle_); }
  [[nodiscard]] void* handle() const { return handle_; }
  void synchronize() const { call_driver("cuStreamSynchronize", handle_); }

 private:
  void* handle_ = nullptr;
};

std::size_t free_memory() {
  std::size_t free = 0, total = 0;
  call_driver("cuMemGetInfo_v2", &free, &total);
  return free;
}

// A case in the memory of a GPU, and its bank there.
struct GpuCase {
  explicit GpuCase(const Case& made, int ordinal = 0)
      : host(made), image(host.image, ordinal), responses(unwritten(host.shape), ordinal),
        device(cuda_device(ordinal)) {
    created = Bank::create(host.kernels_view(), on_cuda(ordinal), bank);
  }
  [[nodiscard]] corrbank::ImageView image_view() const {
    corrbank::ImageView view = host.image_view().on(device);
    view.data = image.data();
    return view;
  }
  [[nodiscard]] corrbank::ResponsesView responses_view() const {
    return host.responses_view(responses.data()).on(device);
  }
  [[nodiscard]] corrbank::Status correlate(const Options& options = {}) const {
    return corrbank::correlate(image_view(), bank, responses_view(), options);
  }
  [[nodiscard]] testing::AssertionResult right() const {
    return equal(host.shape, responses.values(), integer_reference(host.shape, host.image, host.kernels));
  }
  Case host;
  GpuFloats image, responses;
  corrbank::Device device;
  Bank bank;
  corrbank::Status created;
};

// Nothing of CUDA on the machine, or a driver that finds no GPU.
class NoGpu : public testing::Test {};

TEST_F(NoGpu, TheTargetIsRefusedAndNotListed) {
  const std::vector<std::string> names = usable_targets();
  EXPECT_EQ(std::count(names.begin(), names.end(), "cuda"), 0);
  const Case c = small_case();
  Bank bank;
  EXPECT_TRUE(refused(Bank::create(c.kernels_view(), on_cuda(), bank), StatusCode::target_unavailable, "cuda"));
  EXPECT_TRUE(bank.empty());
  std::vector<float> responses = unwritten(c.shape);
  EXPECT_TRUE(
      refused(corrbank::correlate(c.image_view(), c.kernels_view(), c.responses_view(responses.data()), on_cuda()),
              StatusCode::target_unavailable, "cuda"));
  // Views that claim to be there, without a target named.
  EXPECT_TRUE(refused(corrbank::correlate(c.image_view().on(cuda_device()), c.kernels_view(),
                                          c.responses_view(responses.data()).on(cuda_device())),
                      StatusCode::target_unavailable, "cuda"));
  EXPECT_TRUE(std::all_of(responses.begin(), responses.end(), is_sentinel));
}

TEST_F(NoGpu, TheCpuServesWhoDoesNotAsk) {
  const Case c = small_case();
  std::vector<float> responses = unwritten(c.shape);
  ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), c.kernels_view(), c.responses_view(responses.data()))));
  EXPECT_TRUE(equal(c.shape, responses, integer_reference(c.shape, c.image, c.kernels)));
}

TEST_F(NoGpu, AGpusMemoryIsRefusedByABankOfTheCpu) {
  const Case c = small_case();
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(c.kernels_view(), {}, bank)));
  EXPECT_EQ(bank.device(), corrbank::Device{});
  std::vector<float> responses = unwritten(c.shape);
  const auto out = c.responses_view(responses.data());
  EXPECT_TRUE(
      refused(corrbank::correlate(c.image_view().on(cuda_device()), bank, out), StatusCode::bad_device, "image"));
  EXPECT_TRUE(
      refused(corrbank::correlate(c.image_view(), bank, out.on(cuda_device())), StatusCode::bad_device, "responses"));
  const corrbank::Device unknown{static_cast<corrbank::DeviceType>(7), 0};
  EXPECT_TRUE(refused(corrbank::correlate(c.image_view().on(unknown), bank, out), StatusCode::bad_device, "image"));
  Options cpu;
  cpu.target = "portable";
  EXPECT_TRUE(refused(Bank::create(c.kernels_view().on(cuda_device()), cpu, bank), StatusCode::bad_device, "kernels"));
  EXPECT_TRUE(std::all_of(responses.begin(), responses.end(), is_sentinel));
}

// One GPU.
class Gpu : public testing::Test {
 protected:
  void SetUp() override {
    const std::vector<std::string> names = usable_targets();
    ASSERT_EQ(std::count(names.begin(), names.end(), "cuda"), 1) << "no GPU, and no stand-in for its driver";
  }
};

TEST_F(Gpu, ABankTellsWhereItIs) {
  const GpuCase c(small_case());
  ASSERT_TRUE(succeeded(c.created));
  EXPECT_EQ(c.bank.device(), cuda_device(0));
  EXPECT_STREQ(c.bank.target(), "cuda");
  EXPECT_GE(c.bank.bytes(), c.host.kernels.size() * sizeof(float));
}

TEST_F(Gpu, WorkIsPutOnTheStreamAndDoneThere) {
  const Stream stream;
  const GpuCase c(small_case());
  Options options;
  options.stream = stream.handle();
  ASSERT_TRUE(succeeded(c.correlate(options)));
  stream.synchronize();
  EXPECT_TRUE(c.right());
}

TEST_F(Gpu, WorkOfAStreamIsDoneInOrder) {
  const Stream stream;
  Options options;
  options.stream = stream.handle();
  const GpuCase first(integer_case({1, 4, 9, 2, 1, 1}));
  // Its responses are the image of the next.
  Case next = integer_case({2, 4, 9, 3, 2, 2});
  for (float& weight : next.kernels) weight = 1;
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(next.kernels_view(), on_cuda(), bank)));
  const GpuFloats out(next.shape.responses_size());
  const corrbank::ImageView between(first.responses.data(), 2, 4, 9);
  ASSERT_TRUE(succeeded(first.correlate(options)));
  ASSERT_TRUE(succeeded(corrbank::correlate(between.on(cuda_device()), bank,
                                            next.responses_view(out.data()).on(cuda_device()), options)));
  stream.synchronize();
  const std::vector<float> responses = out.values();
  const std::vector<Exact> exact = exact_reference(next.shape, first.responses.values(), next.kernels);
  for (std::size_t r = 0; r < exact.size(); ++r) {
    EXPECT_LE(std::fabs(responses[r] - exact[r].value), gamma_bound(next.shape.taps()) * exact[r].magnitude) << r;
  }
}

TEST_F(Gpu, TheCallersContextStaysTheCurrentOne) {
  const GpuCase c(small_case());
  call_driver("cuCtxSetCurrent", static_cast<void*>(nullptr));
  ASSERT_TRUE(succeeded(c.correlate()));
  void* current = &current;
  call_driver("cuCtxGetCurrent", &current);
  EXPECT_EQ(current, nullptr);
  enter_gpu();
  EXPECT_TRUE(c.right());
}

TEST_F(Gpu, KernelsMayLieThere) {
  const Case c = integer_case({5, 9, 40, 21, 3, 3});
  const std::vector<std::int32_t> expected = integer_reference(c.shape, c.image, c.kernels);
  // Compact, with gaps behind each row and plane, and one row of taps repeated.
  for (const std::int64_t gap : {0, 2}) {
    const Padded kernels = padded(c.kernels, 21 * 5, 3, 3, gap, gap, std::nanf(""));
    const OnGpu<corrbank::KernelsView> there(corrbank::KernelsView(
        kernels.data.data(), 21, 5, 3, 3, 5 * kernels.plane_stride, kernels.plane_stride, kernels.row_stride));
    Bank bank;
    ASSERT_TRUE(succeeded(Bank::create(there.view, {}, bank)));  // no target named: where the kernels are
    EXPECT_EQ(bank.device(), cuda_device());
    std::vector<float> responses = unwritten(c.shape);
    ASSERT_TRUE(succeeded(correlate_anywhere(c.image_view(), bank, c.responses_view(responses.data()), {})));
    EXPECT_TRUE(equal(c.shape, responses, expected)) << "gap " << gap;
  }
}

TEST_F(Gpu, KernelsUsedOnceGoWhereTheImageIs) {
  const GpuCase c(small_case());
  ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), c.host.kernels_view(), c.responses_view())));
  EXPECT_TRUE(c.right());
}

TEST_F(Gpu, WarmupLoadsWhatTheCallRuns) {
  const Stream stream;
  const GpuCase c(small_case());
  corrbank::ImageView extents = c.host.image_view();
  extents.data = nullptr;
  const std::vector<float> before = c.responses.values();
  ASSERT_TRUE(succeeded(corrbank::warmup(extents, c.bank)));
  const std::vector<float> after = c.responses.values();
  EXPECT_EQ(std::memcmp(before.data(), after.data(), before.size() * sizeof(float)), 0) << "warmup() has computed";
  ASSERT_TRUE(succeeded(c.correlate()));
  EXPECT_TRUE(c.right());
}

TEST_F(Gpu, APlanSaysWhatWillRun) {
  for (const Shape& s : {Shape{128, 200, 200, 50, 3, 3}, Shape{1, 1, 1, 1, 1, 1}, Shape{1, 1080, 1920, 16, 7, 7},
                         Shape{64, 30, 30, 129, 11, 11}, Shape{1, 300, 300, 4, 127, 127}}) {
    const std::vector<float> kernels(s.kernels_size());
    Bank bank;
    ASSERT_TRUE(succeeded(
        Bank::create({kernels.data(), s.count, s.channels, s.kernel_height, s.kernel_width}, on_cuda(), bank)));
    corrbank::Plan plan;
    ASSERT_TRUE(succeeded(corrbank::plan({nullptr, s.channels, s.height, s.width}, bank, {}, plan)));
    EXPECT_STREQ(plan.algorithm, "direct");
    EXPECT_STREQ(plan.target, "cuda");
    EXPECT_EQ(plan.threads, 0);
    EXPECT_GE(plan.tasks, 1);
    EXPECT_EQ(plan.workspace_bytes, 0U);
    EXPECT_EQ(plan.flops, 2.0 * static_cast<double>(s.products()));
    EXPECT_GT(plan.predicted_efficiency, 0) << plan.text;
    EXPECT_LE(plan.predicted_efficiency, 1) << plan.text;
  }
}

// The bank is all that a call adds to the device's memory.
TEST_F(Gpu, MemoryIsTheBanksAlone) {
  enter_gpu();
  const Case c = integer_case({128, 40, 40, 50, 3, 3});
  const std::size_t before = free_memory();
  const GpuCase there(c);
  ASSERT_TRUE(succeeded(there.created));
  const std::size_t views = (c.image.size() + c.shape.responses_size()) * sizeof(float);
  ASSERT_TRUE(succeeded(there.correlate()));
  EXPECT_TRUE(there.right());
  const std::size_t used = before - free_memory();
  EXPECT_GE(used, views + there.bank.bytes());
  EXPECT_LE(used, views + there.bank.bytes() + (std::size_t{16} << 20));
}

TEST_F(Gpu, ABankGivesItsMemoryBack) {
  enter_gpu();
  const Case c = small_case();
  {
    Bank first;
    ASSERT_TRUE(succeeded(Bank::create(c.kernels_view(), on_cuda(), first)));
  }
  const std::size_t before = free_memory();
  for (int n = 0; n < 100; ++n) {
    Bank bank;
    ASSERT_TRUE(succeeded(Bank::create(c.kernels_view(), on_cuda(), bank)));
  }
  EXPECT_EQ(free_memory(), before);
}

TEST_F(Gpu, MemoryOfTheHostIsRefused) {
  const GpuCase c(small_case());
  std::vector<float> on_host = unwritten(c.host.shape);
  // Said to be what it is.
  EXPECT_TRUE(
      refused(corrbank::correlate(c.host.image_view(), c.bank, c.responses_view()), StatusCode::bad_device, "image"));
  EXPECT_TRUE(refused(corrbank::correlate(c.image_view(), c.bank, c.host.responses_view(on_host.data())),
                      StatusCode::bad_device, "responses"));
  // Said to be the GPU's.
  EXPECT_TRUE(refused(corrbank::correlate(c.host.image_view().on(cuda_device()), c.bank, c.responses_view()),
                      StatusCode::bad_device, "image"));
  EXPECT_TRUE(
      refused(corrbank::correlate(c.image_view(), c.bank, c.host.responses_view(on_host.data()).on(cuda_device())),
              StatusCode::bad_device, "responses"));
  Bank other;
  EXPECT_TRUE(
      refused(Bank::create(c.host.kernels_view().on(cuda_device()), {}, other), StatusCode::bad_device, "kernels"));
  EXPECT_TRUE(other.empty());
  const std::vector<float> there = c.responses.values();
  EXPECT_TRUE(std::all_of(there.begin(), there.end(), is_sentinel));
  EXPECT_TRUE(std::all_of(on_host.begin(), on_host.end(), is_sentinel));
}

TEST_F(Gpu, OtherGpusThanThereAreAreRefused) {
  const Case c = small_case();
  Bank bank;
  for (const int ordinal : {-1, 1, 63, 64, 1 << 30}) {
    EXPECT_TRUE(refused(Bank::create(c.kernels_view(), on_cuda(ordinal), bank), StatusCode::bad_device, "GPU"));
    EXPECT_TRUE(
        refused(Bank::create(c.kernels_view().on(cuda_device(ordinal)), {}, bank), StatusCode::bad_device, "GPU"));
  }
  EXPECT_TRUE(bank.empty());
}

TEST_F(Gpu, ThreadsMayShareABank) {
  const GpuCase c(integer_case({3, 12, 40, 9, 3, 3}));
  const std::vector<std::int32_t> expected = integer_reference(c.host.shape, c.host.image, c.host.kernels);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      const Stream stream;
      Options options;
      options.stream = stream.handle();
      const GpuFloats out(c.host.shape.responses_size());
      for (int n = 0; n < 5; ++n) {
        const auto view = c.host.responses_view(out.data()).on(cuda_device());
        if (corrbank::correlate(c.image_view(), c.bank, view, options)) ++wrong[t];
        stream.synchronize();
        if (!equal(c.host.shape, out.values(), expected)) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

// A driver that answers with errors: the first launch fails (STANDIN_CUDA_FAIL).
class FailingLaunch : public Gpu {};

TEST_F(FailingLaunch, IsADeviceErrorAndTheNextCallGoesOn) {
  const GpuCase c(small_case());
  ASSERT_TRUE(succeeded(c.created));
  EXPECT_TRUE(refused(c.correlate(), StatusCode::device_error, "cuLaunchKernel"));
  ASSERT_TRUE(succeeded(c.correlate()));
  EXPECT_TRUE(c.right());
}

// The first module cannot be loaded.
class FailingLoad : public Gpu {};

TEST_F(FailingLoad, IsADeviceErrorAndTheNextCallLoads) {
  const GpuCase c(small_case());
  ASSERT_TRUE(succeeded(c.created));
  EXPECT_TRUE(refused(corrbank::warmup(c.image_view(), c.bank), StatusCode::device_error, "cuModuleLoadDataEx"));
  ASSERT_TRUE(succeeded(c.correlate()));
  EXPECT_TRUE(c.right());
}

// A GPU of 1 MiB.
class LittleMemory : public Gpu {};

TEST_F(LittleMemory, ABankThatDoesNotFitIsRefused) {
  const Case large = integer_case({64, 9, 9, 200, 9, 9});
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(small_case().kernels_view(), on_cuda(), bank)));
  EXPECT_TRUE(refused(Bank::create(large.kernels_view(), on_cuda(), bank), StatusCode::out_of_memory, "cuMemAlloc"));
  EXPECT_EQ(bank.count(), 3) << "a refused create changed the bank";
  const GpuCase c(small_case());
  ASSERT_TRUE(succeeded(c.correlate()));
  EXPECT_TRUE(c.right());
}

// Two GPUs.
class TwoGpus : public Gpu {};

TEST_F(TwoGpus, EachHasItsBank) {
  for (const int ordinal : {1, 0, 1}) {
    const GpuCase c(small_case(), ordinal);
    ASSERT_TRUE(succeeded(c.created));
    EXPECT_EQ(c.bank.device(), cuda_device(ordinal));
    ASSERT_TRUE(succeeded(c.correlate()));
    EXPECT_TRUE(c.right());
  }
}

TEST_F(TwoGpus, MemoryOfTheOtherIsRefused) {
  const GpuCase first(small_case(), 0), second(small_case(), 1);
  EXPECT_TRUE(refused(corrbank::correlate(second.image_view(), first.bank, first.responses_view()),
                      StatusCode::bad_device, "image"));
  EXPECT_TRUE(refused(corrbank::correlate(first.image_view(), first.bank, second.responses_view()),
                      StatusCode::bad_device, "responses"));
  // Named as the bank's, and yet not its memory.
  corrbank::ImageView wrong = second.image_view().on(cuda_device(0));
  EXPECT_TRUE(
      refused(corrbank::correlate(wrong, first.bank, first.responses_view()), StatusCode::bad_device, "image.data"));
  const std::vector<float> there = first.responses.values();
  EXPECT_TRUE(std::all_of(there.begin(), there.end(), is_sentinel));
}

// A GPU older than the kernels.
class OldGpu : public Gpu {};

TEST_F(OldGpu, IsRefused) {
  const Case c = small_case();
  Bank bank;
  EXPECT_TRUE(refused(Bank::create(c.kernels_view(), on_cuda(), bank), StatusCode::target_unavailable, "capability"));
}

}  // namespace
