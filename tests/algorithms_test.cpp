// What every algorithm keeps to, forced by name: the bound, the caller's memory, its limits, its threads.
#include <corrbank/corrbank.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "accuracy.h"
#include "counted_malloc.h"
#include "guarded_buffer.h"
#include "testing.h"

using namespace corrbank_test;
using corrbank::Algorithm;
using corrbank::Bank;
using corrbank::Options;
using corrbank::Plan;
using corrbank::StatusCode;

namespace {

using Parameter = std::tuple<std::string, Algorithm>;

std::vector<Parameter> parameters() {
  std::vector<Parameter> all;
  for (const std::string& target : cpu_targets()) {
    all.emplace_back(target, Algorithm::winograd);
    all.emplace_back(target, Algorithm::fft);
  }
  return all;
}

class Algorithms : public testing::TestWithParam<Parameter> {
 protected:
  [[nodiscard]] static Options options(int threads = 1) {
    Options options;
    options.target = std::get<0>(GetParam()).c_str();
    options.algorithm = std::get<1>(GetParam());
    options.threads = threads;
    return options;
  }
  [[nodiscard]] static bool is_winograd() { return std::get<1>(GetParam()) == Algorithm::winograd; }
  [[nodiscard]] static double bound() { return is_winograd() ? winograd_bound : fft_bound; }

  static Bank bank_of(const Case& c, const Options& options) {
    Bank bank;
    EXPECT_TRUE(succeeded(Bank::create(c.kernels_view(), options, bank)));
    return bank;
  }
  static std::vector<float> responses_of(const Case& c, const Options& options) {
    std::vector<float> responses = unwritten(c.shape);
    EXPECT_TRUE(succeeded(
        corrbank::correlate(c.image_view(), bank_of(c, options), c.responses_view(responses.data()), options)))
        << c.shape;
    return responses;
  }
  static Plan plan_of(const Case& c, const Bank& bank, const Options& options) {
    Plan plan;
    EXPECT_TRUE(succeeded(corrbank::plan(c.image_view(), bank, options, plan))) << c.shape;
    return plan;
  }
};

INSTANTIATE_TEST_SUITE_P(Target, Algorithms, testing::ValuesIn(parameters()),
                         [](const testing::TestParamInfo<Parameter>& parameter) {
                           return std::get<0>(parameter.param) +
                                  (std::get<1>(parameter.param) == Algorithm::winograd ? "_winograd" : "_fft");
                         });

// Sizes that both take: many channels and few, tiles that fit and tiles shifted inwards, K beside the panels' widths.
const Shape shapes[] = {
    {1, 20, 23, 3, 3, 3},  {3, 40, 61, 9, 5, 5},   {7, 37, 45, 19, 3, 3},   {128, 26, 31, 50, 3, 3},
    {2, 64, 90, 33, 5, 5}, {16, 18, 130, 5, 3, 3}, {300, 14, 14, 40, 3, 3}, {4, 9, 60, 6, 1, 5},
    {4, 60, 9, 6, 5, 1},   {40, 31, 33, 70, 1, 3}, {40, 31, 33, 70, 3, 1},  {9, 33, 47, 12, 1, 7},
};

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

void run_in_reverse(void* /*context*/, int tasks, void (*task)(void* argument, int index), void* argument) {
  for (int i = tasks - 1; i >= 0; --i) task(argument, i);
}

}  // namespace

TEST_P(Algorithms, ErrorsStayWithinThePublishedBound) {
  for (const Shape& shape : shapes) {
    for (const Data data : all_data) {
      const Case c = case_of(shape, data);
      const double error = error_of(c, responses_of(c, options()));
      EXPECT_LE(error, bound()) << shape << ", " << name_of(data) << " data, seed " << seed;
    }
  }
}

TEST_P(Algorithms, NothingOutsideTheBuffersIsTouched) {
  for (const Shape& s : shapes) {
    const Case c = normal_case(s);
    for (const Edge edge : {Edge::start, Edge::end}) {
      GuardedBuffer image(c.image, edge), responses(unwritten(s), edge);
      image.make_read_only();
      const corrbank::ImageView view(image.floats(), s.channels, s.height, s.width);
      const Bank bank = bank_of(c, options());
      for (const int threads : {1, 3}) {
        Options with = options(threads);
        with.workspace_size = plan_of(c, bank, with).workspace_bytes;
        const GuardedBuffer workspace(with.workspace_size, edge);
        with.workspace = workspace.data();
        ASSERT_TRUE(succeeded(corrbank::correlate(view, bank, c.responses_view(responses.floats()), with)));
        const std::vector<float> written(responses.floats(), responses.floats() + s.responses_size());
        ASSERT_LE(error_of(c, written), bound()) << s;
      }
    }
  }
}

TEST_P(Algorithms, GapsAreNeitherReadNorWritten) {
  for (const Shape& s : shapes) {
    const Case c = normal_case(s);
    const Padded image = padded(c.image, s.channels, s.height, s.width, 5, 2, std::nanf(""));
    Padded out = padded(unwritten(s), s.count, s.response_height(), s.response_width(), 9, 2, sentinel());
    const corrbank::ImageView view(image.data.data(), s.channels, s.height, s.width, image.plane_stride,
                                   image.row_stride);
    const corrbank::ResponsesView responses(out.data.data(), s.count, s.response_height(), s.response_width(),
                                            out.plane_stride, out.row_stride);
    ASSERT_TRUE(succeeded(corrbank::correlate(view, bank_of(c, options()), responses, options(2))));
    for (std::size_t e = 0; e < out.data.size(); ++e) {
      ASSERT_EQ(is_sentinel(out.data[e]), out.is_gap(e)) << s << ", element " << e;
    }
    EXPECT_TRUE(same_bits(out.compact(), responses_of(c, options()))) << s;
  }
}

TEST_P(Algorithms, ThreadsDoNotChangeABit) {
  for (const Shape& s : shapes) {
    const Case c = normal_case(s);
    const Bank bank = bank_of(c, options());
    const std::vector<float> alone = responses_of(c, options());
    const corrbank::Executor executor{run_in_reverse, nullptr};
    for (const int threads : {2, 3, 5, 16}) {
      Options with = options(threads);
      for (const bool own : {true, false}) {
        with.executor = own ? nullptr : &executor;
        std::vector<float> responses = unwritten(s);
        ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(responses.data()), with)));
        ASSERT_TRUE(same_bits(responses, alone)) << s << ", " << threads << " threads";
      }
    }
  }
}

// Elements that are not finite reach the responses whose window holds them, and no others.
TEST_P(Algorithms, SpecialElementsStayInTheirWindow) {
  for (const float special : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    for (const Shape& s : shapes) {
      const Case finite = normal_case(s);
      const std::vector<float> expected = responses_of(finite, options());
      Case c = finite;
      const std::int64_t y = s.height / 2, x = s.width / 3;
      c.image[static_cast<std::size_t>((s.channels - 1) * s.height * s.width + y * s.width + x)] = special;
      for (const int threads : {1, 2}) {
        std::vector<float> responses = unwritten(s);
        const Bank bank = bank_of(c, options());
        ASSERT_TRUE(
            succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(responses.data()), options(threads))));
        const double largest = static_cast<double>(*std::max_element(expected.begin(), expected.end()));
        std::size_t r = 0;
        for (std::int64_t k = 0; k < s.count; ++k) {
          for (std::int64_t i = 0; i < s.response_height(); ++i) {
            for (std::int64_t j = 0; j < s.response_width(); ++j, ++r) {
              const bool holds = i <= y && y < i + s.kernel_height && j <= x && x < j + s.kernel_width;
              if (holds) {
                ASSERT_FALSE(std::isfinite(responses[r])) << s << ", response " << r;
              } else {
                ASSERT_NEAR(responses[r], expected[r], 1e-4 * largest) << s << ", response " << r;
              }
            }
          }
        }
      }
    }
  }
}

TEST_P(Algorithms, ASpecialTapStaysInItsKernel) {
  const Shape s{7, 37, 45, 19, 3, 3};
  Case c = normal_case(s);
  const std::vector<float> expected = responses_of(c, options());
  const std::size_t kernel = 4, plane = s.responses_size() / 19;
  c.kernels[kernel * 63 + 17] = std::nanf("");
  const std::vector<float> responses = responses_of(c, options());
  for (std::size_t r = 0; r < responses.size(); ++r) {
    if (r / plane == kernel) {
      ASSERT_TRUE(std::isnan(responses[r])) << "response " << r;
    } else {
      ASSERT_NEAR(responses[r], expected[r], 1e-3) << "response " << r;
    }
  }
}

// What a limit leaves is kept to, or the refusal says what is needed, and that is then enough.
TEST_P(Algorithms, AWorkspaceLimitIsKept) {
  for (const Shape& s : {Shape{128, 60, 64, 50, 3, 3}, Shape{1, 200, 210, 9, 5, 5}, Shape{300, 30, 30, 33, 3, 3}}) {
    const Case c = normal_case(s);
    const Bank bank = bank_of(c, options());
    for (const int threads : {1, 4}) {
      std::size_t limit = plan_of(c, bank, options(threads)).workspace_bytes;
      for (int halvings = 0; halvings < 20 && limit > 1; ++halvings, limit /= 2) {
        Options with = options(threads);
        with.workspace_limit = limit;
        Plan plan;
        const corrbank::Status status = corrbank::plan(c.image_view(), bank, with, plan);
        if (status.ok()) {
          ASSERT_LE(plan.workspace_bytes, limit) << s << ": " << plan.text;
          std::vector<float> responses = unwritten(s);
          ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(responses.data()), with)));
          ASSERT_LE(error_of(c, responses), bound()) << s << ": " << plan.text;
          continue;
        }
        ASSERT_EQ(status.code(), StatusCode::workspace_too_small) << status.message();
        std::size_t given = 0, needed = 0;
        ASSERT_EQ(
            std::sscanf(status.message(), "options.workspace_limit is %zu but this call needs %zu", &given, &needed), 2)
            << status.message();
        ASSERT_EQ(given, limit);
        ASSERT_GT(needed, limit) << s;
        with.workspace_limit = needed;
        ASSERT_TRUE(succeeded(corrbank::plan(c.image_view(), bank, with, plan))) << s;
      }
    }
  }
}

TEST_P(Algorithms, TheDefaultWorkspaceIsBounded) {
  for (const Shape& s :
       {Shape{128, 200, 200, 50, 3, 3}, Shape{512, 100, 100, 64, 3, 3}, Shape{1, 2048, 2048, 64, 5, 5}}) {
    const std::vector<float> kernels(s.kernels_size());
    Bank bank;
    ASSERT_TRUE(succeeded(
        Bank::create({kernels.data(), s.count, s.channels, s.kernel_height, s.kernel_width}, options(), bank)));
    for (const int threads : {1, 2, 8}) {
      Plan plan;
      ASSERT_TRUE(succeeded(corrbank::plan({nullptr, s.channels, s.height, s.width}, bank, options(threads), plan)));
      const std::size_t tables = (64 << 10) + 8 * static_cast<std::size_t>(s.channels + s.count);
      const std::size_t most = is_winograd() ? static_cast<std::size_t>(threads) * (3 << 19) : 32 << 20;
      EXPECT_LE(plan.workspace_bytes, most + tables) << s << ": " << plan.text;
    }
  }
}

TEST_P(Algorithms, ABankKeepsItsForms) {
  const Case c = normal_case({7, 37, 45, 19, 3, 3});
  const Bank bank = bank_of(c, options());
  const std::size_t packed = bank.bytes();
  EXPECT_LE(packed, 4 * c.shape.kernels_size() + 4096);
  const std::size_t expected = plan_of(c, bank, options()).bank_bytes;
  EXPECT_GT(expected, packed);
  ASSERT_TRUE(succeeded(corrbank::warmup(c.image_view(), bank, options())));
  const std::size_t warm = bank.bytes();
  EXPECT_GE(warm, expected);
  std::vector<float> responses = unwritten(c.shape);
  ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(responses.data()), options())));
  EXPECT_EQ(bank.bytes(), warm) << "warmup() prepares all that the call needs";
  EXPECT_EQ(plan_of(c, bank, options()).bank_bytes, warm);
}

TEST_P(Algorithms, ManyThreadsMayMakeTheFirstCall) {
  const Case c = normal_case({7, 37, 45, 19, 3, 3});
  const std::vector<float> expected = responses_of(c, options());
  for (int repeat = 0; repeat < 10; ++repeat) {
    const Bank bank = bank_of(c, options());
    std::vector<std::vector<float>> responses(8, unwritten(c.shape));
    std::vector<std::thread> threads;
    for (std::vector<float>& own : responses) {
      threads.emplace_back([&] {
        EXPECT_TRUE(succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(own.data()), options(2))));
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::vector<float>& own : responses) ASSERT_TRUE(same_bits(own, expected));
  }
}

TEST_P(Algorithms, WithAWorkspaceOnlyTheFirstCallAllocates) {
  if (!CORRBANK_COUNTED_MALLOC)
    GTEST_SKIP() << "allocations cannot be counted: no glibc, or a sanitizer has its malloc";
  const Case c = normal_case({7, 37, 45, 19, 3, 3});
  std::vector<float> responses = unwritten(c.shape);
  corrbank::Status status;
  Options with = options();
  std::vector<char> workspace(plan_of(c, bank_of(c, options()), with).workspace_bytes);
  with.workspace = workspace.data();
  with.workspace_size = workspace.size();
  const auto correlate = [&](const Bank& bank, const Options& how) {
    status = corrbank::correlate(c.image_view(), bank, c.responses_view(responses.data()), how);
  };
  {
    const Bank bank = bank_of(c, options());
    const Allocations first = counted(-1, [&] { correlate(bank, with); });
    ASSERT_TRUE(succeeded(status));
    EXPECT_GT(first.made, 0);
    EXPECT_EQ(counted(-1, [&] { correlate(bank, with); }).made, 0);
    ASSERT_TRUE(succeeded(status));
  }
  // Each allocation of a first call fails in turn: nothing is written, and the next call succeeds.
  const Bank counting = bank_of(c, options());
  const int all = counted(-1, [&] { correlate(counting, options()); }).made;
  for (int nth = 0; nth < all; ++nth) {
    const Bank bank = bank_of(c, options());
    responses = unwritten(c.shape);
    static_cast<void>(counted(nth, [&] { correlate(bank, options()); }));
    EXPECT_EQ(status.code(), StatusCode::out_of_memory) << "allocation " << nth;
    EXPECT_TRUE(std::all_of(responses.begin(), responses.end(), is_sentinel)) << "allocation " << nth;
    correlate(bank, options());
    EXPECT_TRUE(succeeded(status)) << "after the failure of allocation " << nth;
  }
}

TEST_P(Algorithms, WhatItCannotDoIsRefusedWithTheReason) {
  const auto refused = [&](const Shape& s, const char* reason) {
    const Case c = normal_case(s);
    std::vector<float> responses = unwritten(s);
    const corrbank::Status status =
        corrbank::correlate(c.image_view(), bank_of(c, options()), c.responses_view(responses.data()), options());
    EXPECT_EQ(status.code(), StatusCode::algorithm_unavailable) << s << ": " << status.message();
    EXPECT_NE(std::strstr(status.message(), reason), nullptr) << s << ": " << status.message();
    EXPECT_TRUE(std::all_of(responses.begin(), responses.end(), is_sentinel));
  };
  if (is_winograd()) {
    refused({2, 30, 30, 4, 7, 7}, "7x7");
    refused({2, 30, 30, 4, 1, 1}, "1x1");
    refused({2, 30, 30, 4, 2, 3}, "2x3");
    refused({2, 3, 30, 4, 3, 3}, "response");
  } else {
    refused({1, 300, 300, 2, 257, 5}, "256");
    refused({1, 300, 300, 2, 5, 257}, "256");
  }
}

class Automatic : public TargetTest {};
CORRBANK_FOR_EACH_CPU_TARGET(Automatic);

TEST_P(Automatic, RunsWhatThePlanSays) {
  for (const Shape& s : {Shape{128, 60, 60, 50, 3, 3}, Shape{1, 150, 150, 16, 31, 31}, Shape{64, 60, 60, 40, 1, 1},
                         Shape{64, 40, 40, 20, 7, 7}}) {
    const Case c = normal_case(s);
    Options with = options();
    with.exactness = corrbank::Exactness::fast;
    Bank bank;
    ASSERT_TRUE(succeeded(Bank::create(c.kernels_view(), with, bank)));
    Plan plan;
    ASSERT_TRUE(succeeded(corrbank::plan(c.image_view(), bank, with, plan)));
    std::vector<float> chosen = unwritten(s), forced = unwritten(s);
    ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(chosen.data()), with)));
    with.algorithm = plan.algorithm == std::string("direct")     ? Algorithm::direct
                     : plan.algorithm == std::string("winograd") ? Algorithm::winograd
                                                                 : Algorithm::fft;
    ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(forced.data()), with)));
    EXPECT_TRUE(same_bits(chosen, forced)) << s << ": " << plan.text;
    EXPECT_GT(plan.predicted_seconds, 0) << s;
    for (const char* name : {"direct", "winograd", "fft"}) {
      const char* text = std::strcmp(name, plan.algorithm) == 0 ? plan.text : plan.others;
      EXPECT_NE(std::strstr(text, name), nullptr) << s << ": " << text;
    }
  }
}

TEST_P(Automatic, TheChoiceDoesNotDependOnThreads) {
  for (const Shape& s : {Shape{128, 60, 60, 50, 3, 3}, Shape{1, 150, 150, 16, 31, 31}, Shape{64, 40, 40, 20, 7, 7}}) {
    const Case c = normal_case(s);
    Options with = options();
    with.exactness = corrbank::Exactness::fast;
    Bank bank;
    ASSERT_TRUE(succeeded(Bank::create(c.kernels_view(), with, bank)));
    std::vector<float> alone = unwritten(s);
    ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(alone.data()), with)));
    for (const int threads : {2, 7}) {
      with.threads = threads;
      std::vector<float> responses = unwritten(s);
      ASSERT_TRUE(succeeded(corrbank::correlate(c.image_view(), bank, c.responses_view(responses.data()), with)));
      EXPECT_TRUE(same_bits(responses, alone)) << s << ", " << threads << " threads";
    }
  }
}

TEST_P(Automatic, ALimitThatOnlyDirectKeepsToLeavesDirect) {
  const Case c = normal_case({128, 60, 60, 50, 3, 3});
  Options with = options();
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(c.kernels_view(), with, bank)));
  Plan direct, plan;
  ASSERT_TRUE(succeeded(corrbank::plan(c.image_view(), bank, with, direct)));
  with.exactness = corrbank::Exactness::fast;
  with.workspace_limit = direct.workspace_bytes;
  ASSERT_TRUE(succeeded(corrbank::plan(c.image_view(), bank, with, plan)));
  EXPECT_STREQ(plan.algorithm, "direct");
  with.workspace_limit = direct.workspace_bytes - 1;
  EXPECT_EQ(corrbank::plan(c.image_view(), bank, with, plan).code(), StatusCode::workspace_too_small);
}
