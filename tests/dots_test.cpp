// Every row that correlates u8 in integers, also those that a better one stands in for on this machine.
#include "match/dots.h"

#include <gtest/gtest.h>

#include <climits>
#include <cstring>
#include <random>
#include <vector>

#include "guarded_buffer.h"
#include "targets.h"
#include "testing.h"

using namespace corrbank_test;
using corrbank::detail::DotsRow;
using corrbank::detail::Target;

namespace {

const Target& target_of(const DotsRow& row) {
  for (const Target& target : corrbank::detail::all_targets()) {
    if (std::strcmp(target.name, row.target) == 0) return target;
  }
  throw std::logic_error("a row of no target");
}

template <typename Element, typename Weight>
void expect_sums(const DotsRow& row, int least, int most, Edge edge) {
  constexpr int rows = 3, groups = 5, reach = 7;
  const int columns = 2 * corrbank::detail::dots_columns(target_of(row)), pitch = columns + reach;
  std::mt19937 random(seed);
  // Mostly the extremes.
  const auto value = [&](int low, int high) {
    const auto which = random() % 4;
    return which == 0 ? low : which == 1 ? high : std::uniform_int_distribution<int>(low, high)(random);
  };
  const auto windows = static_cast<std::size_t>(rows * pitch * row.taps);
  const auto weights = static_cast<std::size_t>(groups * row.kernels * row.taps);
  const auto sums = static_cast<std::size_t>(row.kernels * rows * columns);
  const GuardedBuffer window_memory(windows * sizeof(Element), edge), weight_memory(weights * sizeof(Weight), edge);
  const GuardedBuffer sum_memory(sums * sizeof(std::int32_t), edge);
  auto* pixel = static_cast<Element*>(window_memory.data());
  auto* weight = static_cast<Weight*>(weight_memory.data());
  for (std::size_t i = 0; i < windows; ++i) pixel[i] = static_cast<Element>(value(least, most));
  for (std::size_t i = 0; i < weights; ++i) weight[i] = static_cast<Weight>(value(0, 255));
  const std::int32_t offsets[groups] = {0, 7, 3, 1, 4};
  const std::vector<std::int32_t> bias{11, -5, INT_MIN, 1 << 30};
  auto* sum = static_cast<std::int32_t*>(sum_memory.data());
  corrbank::detail::sum_dots(row, {pixel, pitch, offsets, groups, weight, bias.data(), rows, columns, sum, columns,
                                   std::ptrdiff_t{rows} * columns});
  for (int k = 0; k < row.kernels; ++k) {
    for (int y = 0; y < rows; ++y) {
      for (int x = 0; x < columns; ++x) {
        auto expected = static_cast<std::uint32_t>(bias[static_cast<std::size_t>(k)]);
        for (int g = 0; g < groups; ++g) {
          for (int j = 0; j < row.taps; ++j) {
            const int w = weight[(g * row.kernels + k) * row.taps + j];
            expected += static_cast<std::uint32_t>(w * pixel[row.taps * (x + y * pitch + offsets[g]) + j]);
          }
        }
        ASSERT_EQ(sum[(k * rows + y) * columns + x], static_cast<std::int32_t>(expected))
            << row.target << " " << row.extension << " " << row.kernels << ": " << k << ", " << y << ", " << x;
      }
    }
  }
}

TEST(Dots, EveryRowSumsWithoutError) {
  int run = 0;
  for (const DotsRow& row : corrbank::detail::all_dots()) {
    const std::vector<std::string> usable = cpu_targets();
    if (std::find(usable.begin(), usable.end(), row.target) == usable.end()) continue;
    if (!corrbank::detail::cpu_has(row.extension)) continue;
    ++run;
    for (Edge edge : {Edge::start, Edge::end}) {
      if (row.taps == 4) {
        expect_sums<std::int8_t, std::uint8_t>(row, -128, 127, edge);
      } else {
        expect_sums<std::int16_t, std::int16_t>(row, 0, 255, edge);
      }
    }
  }
  EXPECT_GT(run, 0);
}

}  // namespace
