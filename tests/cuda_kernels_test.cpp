// Every kernel row of target "cuda": right wherever it runs, and the best for something.
#include <cstdlib>
#include <set>

#include "testing.h"

using namespace corrbank_test;

namespace {

const char* const kernel_rows[] = {
#define CORRBANK_CUDA_KERNEL(name, walk, columns, rows, kernels, threads, size, channels, symbol, fatbin) name,
#define CORRBANK_CUDA_FATBIN(symbol)
#include "cuda_kernels.inc"
#undef CORRBANK_CUDA_KERNEL
#undef CORRBANK_CUDA_FATBIN
};

corrbank::Options on_cuda() {
  corrbank::Options options;
  options.target = "cuda";
  return options;
}

std::string row_for(const Shape& s) {
  corrbank::Bank bank;
  const std::vector<float> kernels(static_cast<std::size_t>(s.taps()));
  corrbank::Plan plan;
  EXPECT_TRUE(succeeded(corrbank::Bank::create({kernels.data(), s.count, s.channels, s.kernel_height, s.kernel_width, 0,
                                                s.kernel_height * s.kernel_width, s.kernel_width},
                                               on_cuda(), bank)));
  EXPECT_TRUE(succeeded(corrbank::plan({nullptr, s.channels, s.height, s.width}, bank, {}, plan)));
  const std::string text = plan.text;
  const std::size_t name = text.find(" by ") + 4;
  return text.substr(name, text.find(';') - name);
}

// Tests of this fixture run once for each row, which is forced.
class CudaKernels : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    ASSERT_EQ(usable_targets().back(), "cuda") << "no GPU, and no stand-in for its driver";
    setenv("CORRBANK_CUDA_KERNEL", GetParam(), 1);
  }
  void TearDown() override { unsetenv("CORRBANK_CUDA_KERNEL"); }
};

INSTANTIATE_TEST_SUITE_P(Row, CudaKernels, testing::ValuesIn(kernel_rows),
                         [](const testing::TestParamInfo<const char*>& row) { return std::string(row.param); });

// Some of the sweep that runs on the row, in memory with gaps of NaN.
TEST_P(CudaKernels, EveryResponseIsExact) {
  const float nan = std::nanf("");
  const std::vector<Shape> all = sweep_shapes();
  int checked = 0;
  for (std::size_t n = 0; n < all.size() && checked < 40; n += 5) {
    const Shape& s = all[n];
    if (row_for(s) != GetParam()) continue;
    ++checked;
    const Case c = integer_case(s, seed + static_cast<std::uint32_t>(n));
    const Padded image = padded(c.image, s.channels, s.height, s.width, checked % 5, checked % 3, nan);
    Padded responses =
        padded(unwritten(s), s.count, s.response_height(), s.response_width(), checked % 7, checked % 2, sentinel());
    ASSERT_TRUE(succeeded(correlate_anywhere(
        {image.data.data(), s.channels, s.height, s.width, image.plane_stride, image.row_stride}, c.kernels_view(),
        {responses.data.data(), s.count, s.response_height(), s.response_width(), responses.plane_stride,
         responses.row_stride},
        on_cuda())))
        << s;
    ASSERT_TRUE(equal(s, responses.compact(), integer_reference(s, c.image, c.kernels))) << "shape number " << n;
    for (std::size_t e = 0; e < responses.data.size(); ++e) {
      ASSERT_EQ(is_sentinel(responses.data[e]), responses.is_gap(e)) << s << ", element " << e;
    }
  }
  EXPECT_GE(checked, 10) << "too few shapes of the sweep run on this row";
}

// No pixel outside a window reaches its response, not by a product with zero either.
TEST_P(CudaKernels, SpecialPixelsReachTheirWindowsAlone) {
  int checked = 0;
  for (const std::int64_t size : {1, 3, 5, 7}) {
    const Shape s{6, 6 + size, 37 + size, 5, size, size};
    if (row_for(s) != GetParam()) continue;
    ++checked;
    Case c = integer_case(s);
    for (float& weight : c.kernels) weight = weight == 0 ? 1 : weight;
    const std::vector<std::int32_t> expected = integer_reference(s, c.image, c.kernels);
    const std::int64_t channel = 5, pixel_y = 3, pixel_x = 20;
    c.image[static_cast<std::size_t>((channel * s.height + pixel_y) * s.width + pixel_x)] = INFINITY;
    std::vector<float> responses = unwritten(s);
    ASSERT_TRUE(
        succeeded(correlate_anywhere(c.image_view(), c.kernels_view(), c.responses_view(responses.data()), on_cuda())));
    std::size_t r = 0;
    for (std::int64_t k = 0; k < s.count; ++k) {
      for (std::int64_t y = 0; y < s.response_height(); ++y) {
        for (std::int64_t x = 0; x < s.response_width(); ++x, ++r) {
          const bool held = pixel_y >= y && pixel_y < y + size && pixel_x >= x && pixel_x < x + size;
          ASSERT_EQ(std::isinf(responses[r]), held) << s << ", response " << r << " is " << responses[r];
          ASSERT_TRUE(held || responses[r] == static_cast<float>(expected[r])) << s << ", response " << r;
        }
      }
    }
  }
  EXPECT_GE(checked, 1);
}

// A row that no plan prefers is dead weight.
TEST(CudaPlans, PreferEachKernelForSomething) {
  ASSERT_EQ(usable_targets().back(), "cuda") << "no GPU, and no stand-in for its driver";
  std::set<std::string> reached;
  for (const std::int64_t channels : {1, 3, 16, 128}) {
    for (const std::int64_t size : {1, 3, 4, 5, 7, 9, 15, 31}) {
      for (const std::int64_t count : {1, 4, 8, 16, 50, 256}) {
        for (const std::int64_t width : {1, 5, 8, 14, 24, 28, 40, 56, 198, 512, 1920}) {
          for (const std::int64_t height : {std::min<std::int64_t>(width, 1080), std::int64_t{300}}) {
            reached.insert(row_for({channels, height + size - 1, width + size - 1, count, size, size}));
          }
        }
      }
    }
  }
  for (const char* const row : kernel_rows) EXPECT_EQ(reached.count(row), 1U) << "no plan prefers " << row;
}

}  // namespace
