// Values that arithmetic treats apart, and what a plan says.
#include <cstring>
#include <limits>

#include "testing.h"

namespace corrbank_test {
namespace {

class Numerics : public TargetTest {};

CORRBANK_FOR_EACH_TARGET(Numerics);

constexpr float infinity = std::numeric_limits<float>::infinity();

std::uint32_t bits_of(float value) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

// Integers without zeros: no product with Inf is a NaN.
Case case_without_zeros(const Shape& shape) {
  Case c = integer_case(shape);
  for (float& weight : c.kernels) weight = weight == 0 ? 1 : weight;
  return c;
}

TEST_P(Numerics, ASpecialPixelReachesTheResponsesWhoseWindowHoldsIt) {
  for (const Shape& s : one_of_each_walk) {
    const Case finite = case_without_zeros(s);
    const std::vector<std::int32_t> expected = integer_reference(s, finite.image, finite.kernels);
    for (const float special : {std::nanf(""), infinity, -infinity}) {
      for (const std::int64_t pixel_y : {std::int64_t{0}, s.height / 2, s.height - 1}) {
        for (std::int64_t pixel_x = 0; pixel_x < s.width; ++pixel_x) {
          Case c = finite;
          const std::int64_t channel = pixel_x % s.channels;
          c.image[static_cast<std::size_t>((channel * s.height + pixel_y) * s.width + pixel_x)] = special;
          const std::vector<float> responses = responses_of(c);
          std::size_t r = 0;
          for (std::int64_t k = 0; k < s.count; ++k) {
            for (std::int64_t y = 0; y < s.response_height(); ++y) {
              for (std::int64_t x = 0; x < s.response_width(); ++x, ++r) {
                const std::int64_t i = pixel_y - y, j = pixel_x - x;
                const bool held = i >= 0 && i < s.kernel_height && j >= 0 && j < s.kernel_width;
                if (!held) {
                  ASSERT_EQ(responses[r], static_cast<float>(expected[r])) << s << ", response " << r;
                } else if (std::isnan(special)) {
                  ASSERT_TRUE(std::isnan(responses[r])) << s << ", response " << r << " is " << responses[r];
                } else {
                  const auto tap = ((k * s.channels + channel) * s.kernel_height + i) * s.kernel_width + j;
                  ASSERT_EQ(responses[r], special * c.kernels[static_cast<std::size_t>(tap)])
                      << s << ", response " << r;
                }
              }
            }
          }
        }
      }
    }
  }
}

TEST_P(Numerics, ASpecialTapStaysInItsKernel) {
  for (const Shape& s : one_of_each_walk) {
    const Case finite = integer_case(s);
    const std::vector<std::int32_t> expected = integer_reference(s, finite.image, finite.kernels);
    const auto plane = static_cast<std::size_t>(s.response_height() * s.response_width());
    const auto taps = static_cast<std::size_t>(s.taps());
    for (std::size_t kernel = 0; kernel * taps < finite.kernels.size(); ++kernel) {
      Case c = finite;
      c.kernels[kernel * taps + kernel % taps] = std::nanf("");
      const std::vector<float> responses = responses_of(c);
      for (std::size_t r = 0; r < responses.size(); ++r) {
        if (r / plane == kernel) {
          ASSERT_TRUE(std::isnan(responses[r])) << s << ", response " << r << " is " << responses[r];
        } else {
          ASSERT_EQ(responses[r], static_cast<float>(expected[r])) << s << ", response " << r;
        }
      }
    }
  }
}

TEST_P(Numerics, DenormalsAreNumbersOrZeros) {
  for (const Shape& s : one_of_each_walk) {
    // Integers times the smallest denormal: all sums are exact. Bits are compared, since a comparison of floats takes
    // denormals for zeros where the processor was told to.
    Case c = integer_case(s);
    std::vector<std::uint32_t> expected;
    for (const std::int32_t sum : integer_reference(s, c.image, c.kernels)) {
      expected.push_back(has_fixed_float_modes(GetParam()) ? 0 : bits_of(std::ldexp(static_cast<float>(sum), -149)));
    }
    for (float& pixel : c.image) pixel = std::ldexp(pixel, -149);
    const std::vector<float> responses = responses_of(c);
    for (std::size_t r = 0; r < expected.size(); ++r) {
      std::uint32_t bits = bits_of(responses[r]);
      if (bits == bits_of(-0.0f)) bits = 0;  // the sign of a zero is not promised
      ASSERT_EQ(bits, expected[r]) << s << ", response " << r << ", seed " << seed;
    }
  }
}

TEST_P(Numerics, NegativeZeroIsZero) {
  const Shape s{2, 6, 40, 18, 3, 3};
  Case c = integer_case(s);
  for (std::size_t e = 0; e < c.image.size(); e += 3) c.image[e] = 0;
  const std::vector<std::int32_t> expected = integer_reference(s, c.image, c.kernels);
  for (std::size_t e = 0; e < c.image.size(); e += 3) c.image[e] = -0.0f;
  EXPECT_TRUE(equal(s, responses_of(c), expected));
  std::fill(c.image.begin(), c.image.end(), -0.0f);
  EXPECT_TRUE(equal(s, responses_of(c), std::vector<std::int32_t>(s.responses_size())));
}

TEST_P(Numerics, OverflowIsInfinite) {
  const Shape s{2, 4, 40, 17, 1, 1};
  Case c = integer_case(s);
  std::fill(c.image.begin(), c.image.end(), 3e38f);
  std::fill(c.kernels.begin(), c.kernels.end(), -1.0f);
  for (const float response : responses_of(c)) ASSERT_EQ(response, -infinity);
}

TEST_P(Numerics, ALargeOffsetStaysWithinTheBound) {
  // Sums cancel almost entirely: what is left must still be right relative to what was added.
  for (const Shape& s : {Shape{16, 9, 40, 18, 5, 5}, Shape{1, 25, 30, 5, 19, 19}}) {
    Case c = normal_case(s);
    for (float& pixel : c.image) pixel += 1e6f;
    const std::vector<float> responses = responses_of(c);
    const std::vector<Exact> exact = exact_reference(s, c.image, c.kernels);
    for (std::size_t r = 0; r < exact.size(); ++r) {
      ASSERT_LE(std::fabs(static_cast<double>(responses[r]) - exact[r].value),
                gamma_bound(s.taps()) * exact[r].magnitude)
          << s << ", response " << r << ", seed " << seed;
    }
  }
}

// On a GPU columns of the kernels can come before channels.
class CpuSums : public TargetTest {};

CORRBANK_FOR_EACH_CPU_TARGET(CpuSums);

TEST_P(CpuSums, GoChannelByChannelWithOneRoundingATap) {
  const bool fused = fuses(GetParam());
  for (Shape s : one_of_each_walk) {
    s.channels = 9;
    // One tap a channel: the order of the taps of a channel is not promised, and adding zeros rounds nothing.
    Case c = normal_case(s);
    const std::size_t plane = static_cast<std::size_t>(s.kernel_height * s.kernel_width);
    for (std::size_t w = 0; w < c.kernels.size(); ++w) {
      if (w % plane != w / plane * 7 % plane) c.kernels[w] = 0;
    }
    const std::vector<float> responses = responses_of(c);
    std::size_t r = 0;
    for (std::int64_t k = 0; k < s.count; ++k) {
      for (std::int64_t y = 0; y < s.response_height(); ++y) {
        for (std::int64_t x = 0; x < s.response_width(); ++x, ++r) {
          ASSERT_EQ(responses[r], ordered_response(s, c.image, c.kernels, k, y, x, fused))
              << s << ", response " << r << ", seed " << seed;
        }
      }
    }
  }
}

TEST_P(Numerics, TheSameCallGivesTheSameBits) {
  const Shape s{8, 20, 50, 21, 5, 5};
  const Case c = normal_case(s);
  const std::vector<float> first = responses_of(c), second = responses_of(c);
  EXPECT_EQ(std::memcmp(first.data(), second.data(), first.size() * sizeof(float)), 0) << "seed " << seed;
}

class CpuPlans : public TargetTest {};

CORRBANK_FOR_EACH_CPU_TARGET(CpuPlans);

TEST_P(CpuPlans, SayWhatWillRun) {
  for (const Shape& s : {Shape{128, 200, 200, 50, 3, 3}, Shape{1, 1, 1, 1, 1, 1}, Shape{128, 30, 30, 129, 11, 11},
                         Shape{3, 7, 8, 17, 7, 8}, Shape{1, 1080, 1920, 16, 7, 7}}) {
    const std::vector<float> kernels(s.kernels_size());
    corrbank::Bank bank;
    ASSERT_TRUE(succeeded(corrbank::Bank::create({kernels.data(), s.count, s.channels, s.kernel_height, s.kernel_width},
                                                 options(), bank)));
    EXPECT_GE(bank.bytes(), 4 * s.kernels_size()) << s;
    EXPECT_LE(bank.bytes(), 4 * s.kernels_size() + 4096) << s;
    const corrbank::ImageView extents(nullptr, s.channels, s.height, s.width);
    for (const int threads : {1, 2, 7}) {
      corrbank::Plan plan;
      ASSERT_TRUE(succeeded(corrbank::plan(extents, bank, options(threads), plan)));
      EXPECT_STREQ(plan.algorithm, "direct") << s;
      EXPECT_EQ(plan.target, GetParam()) << s;
      EXPECT_GE(plan.threads, 1) << s;
      EXPECT_LE(plan.threads, threads) << s;
      EXPECT_GE(plan.tasks, plan.threads) << s;
      EXPECT_EQ(plan.flops, 2.0 * static_cast<double>(s.products())) << s;
      EXPECT_GT(plan.predicted_efficiency, 0) << s;
      EXPECT_LE(plan.predicted_efficiency, 1) << s;
      EXPECT_NE(std::strstr(plan.text, plan.target), nullptr) << plan.text;
      EXPECT_GT(plan.workspace_bytes, 0U) << s;
      EXPECT_LE(plan.workspace_bytes, 1U << 20) << s;
      std::size_t bytes = 0;
      ASSERT_TRUE(succeeded(corrbank::workspace_bytes(extents, bank, options(threads), bytes)));
      EXPECT_EQ(bytes, plan.workspace_bytes) << s;
    }
  }
}

}  // namespace
}  // namespace corrbank_test
