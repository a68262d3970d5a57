// What the tests share: a fixture for each target of the machine, data, and views with gaps.
#pragma once

#include <gtest/gtest.h>
#include <corrbank/corrbank.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "gpu_memory.h"
#include "reference.h"
#include "shapes.h"

namespace corrbank_test {

// Printed with every failure that random data can have a part in.
constexpr std::uint32_t seed = 20261123;

// What targets() lists: all, or those whose images lie in the host's memory.
inline std::vector<std::string> usable_targets() {
  std::vector<std::string> names;
  for (const char* const* name = corrbank::targets(); *name != nullptr; ++name) names.emplace_back(*name);
  return names;
}
inline std::vector<std::string> cpu_targets() {
  std::vector<std::string> names = usable_targets();
  names.erase(std::remove(names.begin(), names.end(), "cuda"), names.end());
  return names;
}

// Whether the target multiplies and adds with one rounding.
inline bool fuses([[maybe_unused]] const std::string& target) {
#if defined(__aarch64__)
  return true;  // in the instructions that every CPU has
#else
  return target == "x86_avx512" || target == "x86_avx2";
#endif
}

// 32-bit NEON rounds to nearest and takes denormals for zeros, whatever the processor was told.
inline bool has_fixed_float_modes(const std::string& target) { return target == "arm32_neon"; }

struct Case;

// Tests of this fixture run once for each target: TEST_P(SomeTest, ...) and CORRBANK_FOR_EACH_TARGET(SomeTest), or
// CORRBANK_FOR_EACH_CPU_TARGET(SomeTest) for what is different on a GPU.
class TargetTest : public testing::TestWithParam<std::string> {
 protected:
  // Of the direct algorithm, whose integers are exact; algorithms_test.cpp has the tests of the others.
  [[nodiscard]] static corrbank::Options options(int threads = 1) {
    corrbank::Options options;
    options.target = GetParam().c_str();
    options.exactness = corrbank::Exactness::direct;
    options.threads = threads;
    return options;
  }
  // What the target answers; a refusal fails the test.
  static std::vector<float> responses_of(const Case& c);
};

#define CORRBANK_FOR_EACH_OF(Fixture, targets)                            \
  INSTANTIATE_TEST_SUITE_P(Target, Fixture, testing::ValuesIn(targets()), \
                           [](const testing::TestParamInfo<std::string>& target) { return target.param; })
#define CORRBANK_FOR_EACH_TARGET(Fixture) CORRBANK_FOR_EACH_OF(Fixture, ::corrbank_test::usable_targets)
#define CORRBANK_FOR_EACH_CPU_TARGET(Fixture) CORRBANK_FOR_EACH_OF(Fixture, ::corrbank_test::cpu_targets)

inline testing::AssertionResult succeeded(const corrbank::Status& status) {
  if (status.ok()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "refused with code " << static_cast<int>(status.code()) << ": "
                                     << status.message();
}

inline std::vector<float> random_integers(std::size_t size, int range, std::uint32_t own_seed = seed) {
  std::mt19937 random(own_seed);
  std::uniform_int_distribution<int> values(-range, range);
  std::vector<float> data(size);
  for (float& value : data) value = static_cast<float>(values(random));
  return data;
}

inline std::vector<float> random_normal(std::size_t size, std::uint32_t own_seed = seed) {
  std::mt19937 random(own_seed);
  std::normal_distribution<float> values;
  std::vector<float> data(size);
  for (float& value : data) value = values(random);
  return data;
}

// The largest range of integers of which f32 holds every sum of `taps` products exactly.
inline int exact_range(std::int64_t taps) { return static_cast<int>(std::sqrt(0x1p24 / static_cast<double>(taps))); }

// Compact data of a case.
struct Case {
  Shape shape;
  std::vector<float> image, kernels;

  [[nodiscard]] corrbank::ImageView image_view() const {
    return {image.data(), shape.channels, shape.height, shape.width};
  }
  [[nodiscard]] corrbank::KernelsView kernels_view() const {
    return {kernels.data(), shape.count, shape.channels, shape.kernel_height, shape.kernel_width};
  }
  [[nodiscard]] corrbank::ResponsesView responses_view(float* data) const {
    return {data, shape.count, shape.response_height(), shape.response_width()};
  }
};

inline Case integer_case(const Shape& shape, std::uint32_t own_seed = seed) {
  const int range = exact_range(shape.taps());
  return {shape, random_integers(shape.image_size(), range, own_seed),
          random_integers(shape.kernels_size(), range, own_seed + 1)};
}

inline Case normal_case(const Shape& shape, std::uint32_t own_seed = seed) {
  return {shape, random_normal(shape.image_size(), own_seed), random_normal(shape.kernels_size(), own_seed + 1)};
}

// Small shapes that go different ways: whole vectors of columns, fewer columns than a vector, few kernels of 3x3.
constexpr Shape one_of_each_walk[] = {{3, 6, 25, 19, 3, 5}, {3, 6, 7, 19, 3, 5}, {2, 12, 43, 7, 3, 3}};

// For tests that need any valid call: an image of 2x5x10 and three kernels of 2x3x3, a pattern and its multiples.
inline Case small_case() {
  Case made = integer_case({2, 5, 10, 3, 3, 3});
  for (std::size_t tap = 0; tap < 54; ++tap) made.kernels[tap] = static_cast<float>((tap / 18 + 1) * (tap % 18 + 1));
  return made;
}

// A NaN of a pattern that no arithmetic makes: what stands there was not written.
inline float sentinel() {
  const std::uint32_t bits = 0x7fc0a55a;
  float value = 0;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline bool is_sentinel(float value) {
  const float expected = sentinel();
  return std::memcmp(&value, &expected, sizeof value) == 0;
}

// `data` of extents [planes, rows, columns] with `column_gap` unused elements behind each row and `row_gap` rows
// behind each plane. Gaps hold `filling`; the last row of all has no gap behind it.
struct Padded {
  std::vector<float> data;
  std::int64_t planes, rows, columns, plane_stride, row_stride;

  [[nodiscard]] bool is_gap(std::size_t element) const {
    const auto e = static_cast<std::int64_t>(element);
    return e % plane_stride / row_stride >= rows || e % plane_stride % row_stride >= columns;
  }
  // The elements without the gaps.
  [[nodiscard]] std::vector<float> compact() const {
    std::vector<float> values;
    for (std::size_t e = 0; e < data.size(); ++e) {
      if (!is_gap(e)) values.push_back(data[e]);
    }
    return values;
  }
};

inline Padded padded(const std::vector<float>& data, std::int64_t planes, std::int64_t rows, std::int64_t columns,
                     std::int64_t column_gap, std::int64_t row_gap, float filling) {
  Padded made{{}, planes, rows, columns, (rows + row_gap) * (columns + column_gap), columns + column_gap};
  const std::int64_t span = (planes - 1) * made.plane_stride + (rows - 1) * made.row_stride + columns;
  made.data.assign(static_cast<std::size_t>(span), filling);
  auto value = data.begin();
  for (std::size_t e = 0; e < made.data.size(); ++e) {
    if (!made.is_gap(e)) made.data[e] = *value++;
  }
  return made;
}

// Compact responses, full of sentinels until a call writes them.
inline std::vector<float> unwritten(const Shape& shape) {
  return std::vector<float>(shape.responses_size(), sentinel());
}

inline std::vector<float> TargetTest::responses_of(const Case& c) {
  std::vector<float> responses = unwritten(c.shape);
  EXPECT_TRUE(
      succeeded(correlate_anywhere(c.image_view(), c.kernels_view(), c.responses_view(responses.data()), options())));
  return responses;
}

// Whether compact responses are these integers, each of them.
inline testing::AssertionResult equal(const Shape& shape, const std::vector<float>& responses,
                                      const std::vector<std::int32_t>& expected) {
  std::size_t wrong = 0, first = 0;
  for (std::size_t r = expected.size(); r-- > 0;) {
    if (responses[r] == static_cast<float>(expected[r])) continue;
    ++wrong;
    first = r;
  }
  if (wrong == 0) return testing::AssertionSuccess();
  const auto plane = static_cast<std::size_t>(shape.response_height() * shape.response_width());
  const auto width = static_cast<std::size_t>(shape.response_width());
  return testing::AssertionFailure() << shape << ", seed " << seed << ": " << wrong << " of " << expected.size()
                                     << " responses are wrong, the first at kernel " << first / plane << ", row "
                                     << first % plane / width << ", column " << first % width << ": "
                                     << responses[first] << " instead of " << expected[first];
}

}  // namespace corrbank_test
