// What calls allocate, and what they do when they cannot.
#include <corrbank/corrbank.h>

#include <algorithm>
#include <thread>

#include "counted_malloc.h"
#include "reference.h"
#include "rules.h"
#include "testing.h"

using namespace corrbank_test;
using corrbank::Bank;
using corrbank::Options;
using corrbank::StatusCode;

namespace {

constexpr int none = -1;  // no allocation fails

class Allocation : public TargetTest {
 protected:
  void SetUp() override {
    for (const std::int32_t value : integer_reference(case_.shape, case_.image, case_.kernels)) {
      expected_.push_back(static_cast<float>(value));
    }
    ASSERT_TRUE(succeeded(Bank::create(case_.kernels_view(), options(), bank_)));
  }
  // Both forms of a call, with the responses forgotten before.
  corrbank::Status correlate(const Options& options) {
    return corrbank::correlate(case_.image_view(), bank_, responses(), options);
  }
  corrbank::Status correlate_once(const Options& options) {
    return corrbank::correlate(case_.image_view(), case_.kernels_view(), responses(), options);
  }
  [[nodiscard]] bool right() const { return responses_ == expected_; }
  [[nodiscard]] bool unwritten() const {
    return std::all_of(responses_.begin(), responses_.end(), [](float value) { return is_sentinel(value); });
  }
  [[nodiscard]] std::size_t workspace_bytes(const Options& options) const {
    std::size_t bytes = 0;
    EXPECT_TRUE(succeeded(corrbank::workspace_bytes(case_.image_view(), bank_, options, bytes)));
    return bytes;
  }

  const Case case_ = integer_case({5, 34, 45, 21, 3, 3});
  std::vector<float> expected_;
  std::vector<float> responses_ = std::vector<float>(case_.shape.responses_size());
  Bank bank_;

 private:
  corrbank::ResponsesView responses() {
    std::fill(responses_.begin(), responses_.end(), sentinel());
    return case_.responses_view(responses_.data());
  }
};

class CountedAllocation : public Allocation {
 protected:
  void SetUp() override {
    if (!CORRBANK_COUNTED_MALLOC)
      GTEST_SKIP() << "allocations cannot be counted: no glibc, or a sanitizer has its malloc";
    Allocation::SetUp();
  }
};
CORRBANK_FOR_EACH_CPU_TARGET(Allocation);
CORRBANK_FOR_EACH_CPU_TARGET(CountedAllocation);

}  // namespace

TEST_P(CountedAllocation, BankIsOneOfItsBytes) {
  Bank bank;
  corrbank::Status status;
  const Allocations packing = counted(none, [&] { status = Bank::create(case_.kernels_view(), options(), bank); });
  ASSERT_TRUE(succeeded(status));
  EXPECT_EQ(packing.made, 1);
  EXPECT_GE(bank.bytes(), 4 * case_.shape.kernels_size());
  EXPECT_LE(bank.bytes(), 4 * case_.shape.kernels_size() + 4096);
  const Allocations moved = counted(none, [&] {
    Bank other = std::move(bank);
    bank = std::move(other);
  });
  EXPECT_EQ(moved.made, 0);
  EXPECT_EQ(counted(none, [&] { bank = Bank(); }).alive, -1) << "a bank that goes gives its memory back";
}

TEST_P(CountedAllocation, NoneWithAWorkspace) {
  std::vector<char> workspace(workspace_bytes(options()));
  Options with = options();
  with.workspace = workspace.data();
  with.workspace_size = workspace.size();
  corrbank::Status status;
  for (int call = 0; call < 3; ++call) {
    EXPECT_EQ(counted(none, [&] { status = correlate(with); }).made, 0) << "call " << call;
    ASSERT_TRUE(succeeded(status));
    EXPECT_TRUE(right());
  }
}

// The first call of a thread may start workers.
TEST_P(CountedAllocation, NoneWithAWorkspaceAndWorkersFromTheSecondCallOn) {
  std::vector<char> workspace(workspace_bytes(options(2)));
  Options with = options(2);
  with.workspace = workspace.data();
  with.workspace_size = workspace.size();
  corrbank::Status status = correlate(with);
  ASSERT_TRUE(succeeded(status));
  for (int call = 1; call < 4; ++call) {
    EXPECT_EQ(counted(none, [&] { status = correlate(with); }).made, 0) << "call " << call;
    ASSERT_TRUE(succeeded(status));
    EXPECT_TRUE(right());
  }
}

TEST_P(CountedAllocation, OneWithoutAWorkspace) {
  corrbank::Status status;
  const Allocations own = counted(none, [&] { status = correlate(options()); });
  ASSERT_TRUE(succeeded(status));
  EXPECT_EQ(own.made, 1);
  EXPECT_EQ(own.alive, 0);
}

TEST_P(CountedAllocation, NoneForQuestionsAndRefusals) {
  corrbank::Plan plan;
  std::size_t bytes = 0;
  corrbank::ImageView wrong = case_.image_view();
  wrong.channels += 1;
  const Allocations asked = counted(none, [&] {
    static_cast<void>(corrbank::plan(case_.image_view(), bank_, options(), plan));
    static_cast<void>(corrbank::workspace_bytes(case_.image_view(), bank_, options(), bytes));
    static_cast<void>(corrbank::targets());
    static_cast<void>(corrbank::version());
    static_cast<void>(
        corrbank::correlate(wrong, case_.kernels_view(), case_.responses_view(responses_.data()), options()));
  });
  EXPECT_EQ(asked.made, 0);
  EXPECT_GT(bytes, 0u);
}

// As many bytes as were asked for are enough, one less is refused, and what lies around them stays as it is.
TEST_P(Allocation, WorkspaceIsNotOverrun) {
  for (const int threads : {1, 2}) {
    Options with = options(threads);
    const std::size_t bytes = workspace_bytes(with);
    constexpr std::size_t margin = 256;
    std::vector<unsigned char> memory(margin + bytes + margin, 0xa5);
    with.workspace = memory.data() + margin;
    with.workspace_size = bytes - 1;
    EXPECT_TRUE(follows(correlate(with), {{StatusCode::workspace_too_small, "options.workspace_size"}}));
    EXPECT_TRUE(unwritten());
    EXPECT_EQ(memory, std::vector<unsigned char>(memory.size(), 0xa5)) << "a refused call wrote the workspace";
    with.workspace_size = bytes;
    ASSERT_TRUE(succeeded(correlate(with)));
    EXPECT_TRUE(right());
    for (std::size_t i = 0; i < margin; ++i) {
      ASSERT_EQ(memory[i], 0xa5) << "before the workspace";
      ASSERT_EQ(memory[margin + bytes + i], 0xa5) << "behind the workspace";
    }
  }
}

TEST_P(CountedAllocation, FailureInCreateKeepsTheBank) {
  corrbank::Status status;
  const Allocations failed = counted(0, [&] { status = Bank::create(case_.kernels_view(), options(), bank_); });
  EXPECT_TRUE(follows(status, {{StatusCode::out_of_memory, "bank"}}));
  EXPECT_EQ(failed.alive, 0);
  ASSERT_TRUE(succeeded(correlate(options()))) << "with the bank of before";
  EXPECT_TRUE(right());
  ASSERT_TRUE(succeeded(Bank::create(case_.kernels_view(), options(), bank_)));
  ASSERT_TRUE(succeeded(correlate(options())));
  EXPECT_TRUE(right());
}

// One kernel stands for 2^60: a legal view, whose bank no address space holds. In 32 bits its size wraps to 128 bytes.
TEST_P(CountedAllocation, ABankLargerThanTheAddressSpaceIsRefused) {
  const float weight = 1;
  Bank bank;
  EXPECT_TRUE(follows(Bank::create({&weight, std::int64_t{1} << 60, 1, 1, 1, 0, 0, 0}, options(), bank),
                      {{StatusCode::out_of_memory, "bank"}}));
  EXPECT_TRUE(bank.empty());
}

TEST_P(CountedAllocation, FailureInCorrelate) {
  corrbank::Status status;
  const Allocations failed = counted(0, [&] { status = correlate(options()); });
  EXPECT_TRUE(follows(status, {{StatusCode::out_of_memory, "workspace"}}));
  EXPECT_EQ(failed.alive, 0);
  EXPECT_TRUE(unwritten());
  ASSERT_TRUE(succeeded(correlate(options())));
  EXPECT_TRUE(right());
}

TEST_P(CountedAllocation, FailureInCorrelateOnce) {
  corrbank::Status status;
  const Allocations all = counted(none, [&] { status = correlate_once(options()); });
  ASSERT_TRUE(succeeded(status));
  EXPECT_TRUE(right());
  EXPECT_EQ(all.made, 2) << "a bank and a workspace";
  EXPECT_EQ(all.alive, 0);
  for (int nth = 0; nth < all.made; ++nth) {
    const Allocations failed = counted(nth, [&] { status = correlate_once(options()); });
    EXPECT_TRUE(follows(status, {{StatusCode::out_of_memory, nth == 0 ? "bank" : "workspace"}}))
        << "allocation " << nth;
    EXPECT_EQ(failed.alive, 0) << "allocation " << nth;
    EXPECT_TRUE(unwritten());
    ASSERT_TRUE(succeeded(correlate_once(options())));
    EXPECT_TRUE(right());
  }
}

// Threads that cannot be had are no error: the caller does their share. Each attempt is a new thread's first call.
TEST_P(CountedAllocation, FailureToStartWorkersLeavesTheWorkToTheCaller) {
  std::vector<char> workspace(workspace_bytes(options(3)));
  Options with = options(3);
  with.workspace = workspace.data();
  with.workspace_size = workspace.size();
  const auto first_call = [&](int fail) {
    Allocations allocations{};
    std::thread([&] {
      corrbank::Status status;
      allocations = counted(fail, [&] { status = correlate(with); });
      EXPECT_TRUE(succeeded(status)) << "allocation " << fail;
      EXPECT_TRUE(right()) << "allocation " << fail;
      EXPECT_TRUE(succeeded(correlate(with))) << "the call after the failure of allocation " << fail;
      EXPECT_TRUE(right()) << "the call after the failure of allocation " << fail;
    }).join();
    return allocations.made;
  };
  const int made = first_call(none);
  ASSERT_GT(made, 0) << "no worker was started";
  for (int nth = 0; nth < made; ++nth) first_call(nth);
}

TEST_P(CountedAllocation, FailureInTheCInterface) {
  const corrbank::KernelsView view = case_.kernels_view();
  corrbank_kernels kernels{};
  kernels.size = sizeof kernels;
  kernels.data = view.data;
  kernels.count = view.count, kernels.channels = view.channels, kernels.height = view.height,
  kernels.width = view.width;
  kernels.kernel_stride = view.kernel_stride, kernels.channel_stride = view.channel_stride;
  kernels.row_stride = view.row_stride;
  corrbank_options with{};
  with.size = sizeof with;
  with.target = GetParam().c_str();
  char message[224] = "?";
  // A bank made, if none of its allocations failed, and destroyed.
  const auto create = [&](int fail) {
    corrbank_bank* bank = nullptr;
    corrbank_status status = CORRBANK_OK;
    const Allocations allocations = counted(fail, [&] {
      status = corrbank_bank_create(&kernels, &with, &bank, message);
      corrbank_bank_destroy(bank);
    });
    EXPECT_EQ(allocations.alive, 0) << "allocation " << fail;
    EXPECT_EQ(status, fail == none ? CORRBANK_OK : CORRBANK_OUT_OF_MEMORY) << "allocation " << fail;
    EXPECT_EQ(bank == nullptr, fail != none) << "a refused create made a bank";
    return allocations.made;
  };
  const int made = create(none);
  EXPECT_STREQ(message, "");
  ASSERT_EQ(made, 2) << "the packed kernels and the handle";
  for (int nth = 0; nth < made; ++nth) {
    create(nth);
    EXPECT_NE(std::strstr(message, "bank"), nullptr) << message;
    create(none);
  }
}
