// The products of spectra of each row against complex sums in float64.
#include "fft/products.h"

#include <gtest/gtest.h>
#include <corrbank/corrbank.hpp>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <string>
#include <vector>

#include "guarded_buffer.h"
#include "testing.h"

using namespace corrbank_test;
using namespace corrbank::detail;

namespace {

using Value = std::complex<float>;

// One call: its elements by tile, channel, kernel and bin, whatever their lanes are.
struct Problem {
  const FftProduct& row;
  int bins, channels, position_blocks, kernel_blocks;

  [[nodiscard]] bool over_tiles() const { return row.over == FftLanes::tiles; }
  [[nodiscard]] int element() const { return 2 * row.lanes; }
  [[nodiscard]] int groups() const { return (channels + row.lanes - 1) / row.lanes; }
  [[nodiscard]] int positions() const { return position_blocks * row.positions; }
  [[nodiscard]] int vectors() const { return kernel_blocks * row.kernels; }
  [[nodiscard]] int tiles() const { return positions() * (over_tiles() ? row.lanes : 1); }
  [[nodiscard]] int kernels() const { return vectors() * (over_tiles() ? 1 : row.lanes); }
  [[nodiscard]] int w_element() const { return over_tiles() ? 3 : element(); }
  [[nodiscard]] int w_channels() const { return over_tiles() ? channels : groups() * row.lanes; }
  // Floats of a bin; those of the next follow behind a gap.
  [[nodiscard]] int x_floats() const { return element() * positions() * (over_tiles() ? channels : groups()); }
  [[nodiscard]] int w_floats() const { return w_element() * vectors() * w_channels(); }
  [[nodiscard]] int y_floats() const { return element() * positions() * vectors(); }
  [[nodiscard]] std::size_t x_at(int tile, int channel) const {
    const int in_lanes = over_tiles() ? tile : channel;
    const int outer = over_tiles() ? channel * positions() + tile / row.lanes : tile * groups() + channel / row.lanes;
    return static_cast<std::size_t>(outer * element() + in_lanes % row.lanes);
  }
  [[nodiscard]] std::size_t w_at(int kernel, int channel) const {
    const int vector = over_tiles() ? kernel : kernel / row.lanes;
    const int outer = (vector / row.kernels * w_channels() + channel) * row.kernels + vector % row.kernels;
    return static_cast<std::size_t>(outer * w_element() + (over_tiles() ? 0 : kernel % row.lanes));
  }
  [[nodiscard]] std::size_t y_at(int tile, int kernel) const {
    const int in_lanes = over_tiles() ? tile : kernel;
    const int outer = over_tiles() ? kernel * positions() + tile / row.lanes : tile * vectors() + kernel / row.lanes;
    return static_cast<std::size_t>(outer * element() + in_lanes % row.lanes);
  }
};

constexpr int gap = 24;  // floats behind a bin

// The values of an operand: of `count` tiles or kernels, each channel, each bin.
struct Operand {
  int count, channels;
  std::vector<float> values;

  Operand(const Problem& p, int own_count, std::uint32_t own_seed)
      : count(own_count), channels(p.channels),
        values(random_normal(static_cast<std::size_t>(2 * own_count * p.channels * p.bins), own_seed)) {}
  [[nodiscard]] Value at(int bin, int index, int channel) const {
    const auto e = static_cast<std::size_t>(2 * ((bin * channels + channel) * count + index));
    return {values[e], values[e + 1]};
  }
};

// The products [bin][tile][kernel]. Tile t stands at place (t + shift) of the call, kernels likewise.
std::vector<Value> multiplied(const Problem& p, const Operand& tiles, const Operand& kernels, Edge edge, int shift) {
  const auto span = [&](int floats) { return static_cast<std::size_t>(p.bins * (floats + gap) - gap); };
  std::vector<float> x(span(p.x_floats())), w(span(p.w_floats()));
  const auto place = [shift](int index, int count) { return (index + shift) % count; };
  const int lanes = p.row.lanes;
  for (int b = 0; b < p.bins; ++b) {
    const int x_first = b * (p.x_floats() + gap), w_first = b * (p.w_floats() + gap);
    for (int c = 0; c < p.channels; ++c) {
      for (int t = 0; t < p.tiles(); ++t) {
        float* to = &x[static_cast<std::size_t>(x_first)] + p.x_at(place(t, p.tiles()), c);
        to[0] = tiles.at(b, t, c).real();
        to[lanes] = tiles.at(b, t, c).imag();
      }
      for (int k = 0; k < p.kernels(); ++k) {
        float* to = &w[static_cast<std::size_t>(w_first)] + p.w_at(place(k, p.kernels()), c);
        const Value value = kernels.at(b, k, c);
        to[0] = value.real();
        if (p.over_tiles()) {
          to[1] = value.imag() - value.real();
          to[2] = value.real() + value.imag();
        } else {
          to[lanes] = value.imag();
        }
      }
    }
  }
  GuardedBuffer x_memory(x, edge), w_memory(w, edge);
  x_memory.make_read_only();
  w_memory.make_read_only();
  const GuardedBuffer y(std::vector<float>(span(p.y_floats()), sentinel()), edge);
  multiply(p.row, {x_memory.floats(), w_memory.floats(), y.floats(), p.x_floats() + gap, p.w_floats() + gap,
                   p.y_floats() + gap, p.bins, p.channels, p.positions(), p.vectors()});

  std::vector<Value> out;
  for (int b = 0; b < p.bins; ++b) {
    const float* first = y.floats() + b * (p.y_floats() + gap);
    for (int t = 0; t < p.tiles(); ++t) {
      for (int k = 0; k < p.kernels(); ++k) {
        const float* from = first + p.y_at(place(t, p.tiles()), place(k, p.kernels()));
        out.emplace_back(from[0], from[lanes]);
      }
    }
    for (int e = 0; b + 1 < p.bins && e < gap; ++e) EXPECT_TRUE(is_sentinel(first[p.y_floats() + e])) << "bin " << b;
  }
  return out;
}

class Products : public testing::TestWithParam<int> {
 protected:
  const FftProduct& row_ = all_fft_products().rows[GetParam()];
  void SetUp() override {
    const std::vector<std::string> names = cpu_targets();
    if (std::find(names.begin(), names.end(), row_.target) == names.end()) {
      GTEST_SKIP() << row_.target << " is not of this machine";
    }
  }
  template <typename Visit>
  void each_problem(Visit visit) const {
    for (const int channels : {1, 2, row_.lanes, 3 * row_.lanes + 1}) {
      for (const int blocks : {1, 3}) visit(Problem{row_, 3, channels, blocks, 4 - blocks});
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Row, Products, testing::Range(0, all_fft_products().count),
                         [](const testing::TestParamInfo<int>& index) {
                           const FftProduct& row = all_fft_products().rows[index.param];
                           return std::string(row.target) + (row.over == FftLanes::tiles ? "_tiles_" : "_kernels_") +
                                  std::to_string(row.positions) + "x" + std::to_string(row.kernels);
                         });

}  // namespace

TEST_P(Products, AreSumsOverChannels) {
  each_problem([](const Problem& p) {
    const Operand tiles(p, p.tiles(), seed), kernels(p, p.kernels(), seed + 1);
    for (const Edge edge : {Edge::start, Edge::end}) {
      const std::vector<Value> made = multiplied(p, tiles, kernels, edge, 0);
      auto value = made.begin();
      for (int b = 0; b < p.bins; ++b) {
        for (int t = 0; t < p.tiles(); ++t) {
          for (int k = 0; k < p.kernels(); ++k, ++value) {
            std::complex<double> expected = 0;
            double size = 0;
            for (int c = 0; c < p.channels; ++c) {
              const std::complex<double> x = tiles.at(b, t, c), w = kernels.at(b, k, c);
              expected += x * w;
              size += std::abs(x) * std::abs(w);
            }
            // Each of Gauss's products is at most 2 |x| |w|, rounded as often as there are channels, and a few more.
            ASSERT_LE(std::abs(std::complex<double>(*value) - expected), 4 * (p.channels + 4) * 0x1p-24 * size)
                << p.channels << " channels, bin " << b << ", tile " << t << ", kernel " << k;
          }
        }
      }
    }
  });
}

// Of every tile and kernel by the same operations, wherever it stands.
TEST_P(Products, DoNotDependOnThePlaceInABlock) {
  each_problem([](const Problem& p) {
    const Operand tiles(p, p.tiles(), seed), kernels(p, p.kernels(), seed + 1);
    const std::vector<Value> expected = multiplied(p, tiles, kernels, Edge::end, 0);
    for (const int shift : {1, 2, 5, p.row.lanes}) {
      const std::vector<Value> made = multiplied(p, tiles, kernels, Edge::end, shift);
      ASSERT_EQ(std::memcmp(made.data(), expected.data(), made.size() * sizeof(Value)), 0)
          << p.channels << " channels, " << shift << " places on";
    }
  });
}
