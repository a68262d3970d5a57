// The responses are right: exactly where f32 can be exact, within the published bound elsewhere.
#include "testing.h"

namespace corrbank_test {
namespace {

class Correctness : public TargetTest {};

CORRBANK_FOR_EACH_TARGET(Correctness);

// Every way of cutting taps, kernels and columns at least once, and the deepest sums that f32 holds.
const Shape shapes[] = {
    {1, 1, 1, 1, 1, 1},       {2, 5, 10, 3, 3, 3},       {1, 20, 300, 11, 1, 1}, {3, 30, 67, 11, 11, 11},
    {5, 12, 70, 17, 1, 7},    {64, 11, 21, 50, 3, 3},    {128, 7, 37, 50, 3, 3}, {128, 8, 39, 50, 5, 5},
    {128, 9, 41, 50, 7, 7},   {128, 12, 45, 50, 11, 11}, {256, 7, 7, 100, 1, 1}, {2, 70, 90, 3, 66, 70},
    {1, 100, 100, 5, 31, 31}, {4, 9, 8, 33, 9, 8},
};

TEST_P(Correctness, IntegersAreExact) {
  for (const Shape& shape : shapes) {
    const Case c = integer_case(shape);
    EXPECT_TRUE(equal(shape, responses_of(c), integer_reference(shape, c.image, c.kernels)));
  }
}

TEST_P(Correctness, ErrorsStayWithinThePublishedBound) {
  for (const Shape& shape : shapes) {
    const Case c = normal_case(shape);
    const std::vector<float> responses = responses_of(c);
    const std::vector<Exact> exact = exact_reference(shape, c.image, c.kernels);
    // The bound holds for any data. Rounding errors of random data cancel, so that half a precision lost, or a small
    // tap, would hide below it: hence the second line.
    const double bound =
        std::min(gamma_bound(shape.taps()), 8 * std::sqrt(static_cast<double>(shape.taps())) * 0x1p-24);
    double worst = 0;
    for (std::size_t r = 0; r < exact.size(); ++r) {
      const double error = std::fabs(static_cast<double>(responses[r]) - exact[r].value) / exact[r].magnitude;
      worst = error <= worst ? worst : error;  // keeps a NaN
    }
    EXPECT_LE(worst, bound) << shape << ", seed " << seed;
  }
}

TEST_P(Correctness, OneTapReachesOneResponse) {
  for (const Shape& shape : one_of_each_walk) {
    const std::int64_t rows = shape.kernel_height, columns = shape.kernel_width;
    const std::int64_t width = shape.response_width(), plane = shape.response_height() * width;
    Case c{shape, std::vector<float>(shape.image_size()), std::vector<float>(shape.kernels_size())};
    for (std::size_t tap = 0; tap < shape.kernels_size(); ++tap) {
      const auto t = static_cast<std::int64_t>(tap);
      const std::int64_t k = t / shape.taps(), j = t % columns, i = t / columns % rows;
      const std::int64_t channel = t / (columns * rows) % shape.channels;
      const std::int64_t y = t % plane / width, x = t % width;  // where the response shall be
      const auto pixel = static_cast<std::size_t>((channel * shape.height + y + i) * shape.width + x + j);
      c.kernels[tap] = c.image[pixel] = 1;
      std::vector<std::int32_t> expected(shape.responses_size());
      expected[static_cast<std::size_t>(k * plane + y * width + x)] = 1;
      ASSERT_TRUE(equal(shape, responses_of(c), expected)) << "channel " << channel << ", tap " << i << ", " << j;
      c.kernels[tap] = c.image[pixel] = 0;
    }
  }
}

TEST_P(Correctness, APatternAndItsMultiplesInThreeImages) {
  Case c = small_case();
  corrbank::Bank bank;
  ASSERT_TRUE(succeeded(corrbank::Bank::create(c.kernels_view(), options(), bank)));
  for (std::uint32_t n = 0; n < 3; ++n) {
    c.image = random_integers(c.shape.image_size(), 100, seed + n);
    if (n == 1) {
      // The pattern itself, at row 1 and column 4 of an empty image.
      std::fill(c.image.begin(), c.image.end(), 0.0f);
      for (std::size_t t = 0; t < 18; ++t) c.image[t / 9 * 50 + (1 + t / 3 % 3) * 10 + 4 + t % 3] = c.kernels[t];
    }
    std::vector<float> responses = unwritten(c.shape);
    ASSERT_TRUE(succeeded(correlate_anywhere(c.image_view(), bank, c.responses_view(responses.data()), options())));
    EXPECT_TRUE(equal(c.shape, responses, integer_reference(c.shape, c.image, c.kernels)));
    for (std::size_t r = 0; r < 24; ++r) {
      EXPECT_EQ(responses[24 + r], 2 * responses[r]);
      EXPECT_EQ(responses[48 + r], 3 * responses[r]);
    }
    if (n == 1) {
      const auto peak = std::max_element(responses.begin(), responses.begin() + 24);
      EXPECT_EQ(peak - responses.begin(), 1 * 8 + 4);
      EXPECT_EQ(*peak, 2109);  // 1 + 4 + ... + 18 * 18
    }
  }
}

TEST_P(Correctness, AnImageOf128ChannelsWithFiftyKernels) {
  const Case c = integer_case({128, 200, 200, 50, 3, 3});
  const std::vector<float> responses = responses_of(c);
  const auto check = [&](std::int64_t k, std::int64_t y, std::int64_t x) {
    ASSERT_EQ(responses[static_cast<std::size_t>((k * 198 + y) * 198 + x)],
              exact_response(c.shape, c.image, c.kernels, k, y, x).value)
        << "kernel " << k << ", row " << y << ", column " << x << ", seed " << seed;
  };
  for (std::int64_t k = 0; k < 50; ++k) {
    for (std::int64_t y = 0; y < 198; ++y) {
      check(k, y, 0);
      check(k, y, 197);
    }
  }
  std::mt19937 random(seed);
  for (int n = 0; n < 2000; ++n) check(random() % 50, random() % 198, random() % 198);
}

}  // namespace
}  // namespace corrbank_test
