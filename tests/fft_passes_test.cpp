// The passes of the FFT against Fourier's sums in float64, of each size and target.
#include "fft/passes.h"

#include <gtest/gtest.h>
#include <corrbank/corrbank.hpp>

#include <cmath>
#include <complex>
#include <random>
#include <string>
#include <vector>

#include "testing.h"

using namespace corrbank_test;
using namespace corrbank::detail;

namespace {

using Value = std::complex<double>;

constexpr double tolerance = 2e-6;  // of the largest value

bool usable(const char* target) {
  const std::vector<std::string> names = cpu_targets();
  return std::find(names.begin(), names.end(), target) != names.end();
}

int lanes_of(const char* target) {
  for (const FftTarget& t : all_fft_targets()) {
    if (std::string(t.name) == target) return t.lanes;
  }
  return 0;
}

std::vector<Value> fourier(const std::vector<Value>& x, int sign) {
  std::vector<Value> out(x.size());
  const double turn = sign * 2 * 3.14159265358979323846 / static_cast<double>(x.size());
  for (std::size_t k = 0; k < x.size(); ++k) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      out[k] += x[j] * std::polar(1.0, turn * static_cast<double>(j * k % x.size()));
    }
  }
  return out;
}

Value at(const Spectra& s, int lanes, int lane, std::ptrdiff_t y, std::ptrdiff_t x) {
  const float* element = s.data + y * s.y_stride + x * s.x_stride + lane;
  return {element[0], element[lanes]};
}

class Passes : public testing::TestWithParam<int> {
 protected:
  const FftSize& size_ = all_fft_sizes().rows[GetParam()];
  const int lanes_ = lanes_of(size_.target);
  const int n_ = size_.size;
  void SetUp() override {
    if (!usable(size_.target)) GTEST_SKIP() << size_.target << " is not of this machine";
  }
};

INSTANTIATE_TEST_SUITE_P(Size, Passes, testing::Range(0, all_fft_sizes().count),
                         [](const testing::TestParamInfo<int>& index) {
                           const FftSize& size = all_fft_sizes().rows[index.param];
                           return std::string(size.target) + "_" + std::to_string(size.size);
                         });

}  // namespace

TEST_P(Passes, ColumnsAreFouriersSums) {
  const int count = 3;
  const std::ptrdiff_t y_in = 2 * lanes_ + 16, x_in = y_in * n_ + 32, y_out = 2 * lanes_ * count, x_out = 2 * lanes_;
  std::vector<float> from = random_normal(static_cast<std::size_t>(x_in * count));
  std::vector<float> to(static_cast<std::size_t>(y_out * n_), sentinel());
  const Spectra in{from.data(), y_in, x_in}, out{to.data(), y_out, x_out};
  for (const int sign : {-1, 1}) {
    (sign < 0 ? columns_forward : columns_inverse)(size_, lanes_, in, out, count);
    for (int b = 0; b < count; ++b) {
      for (int lane = 0; lane < lanes_; ++lane) {
        std::vector<Value> column;
        for (int y = 0; y < n_; ++y) column.push_back(at(in, lanes_, lane, y, b));
        const std::vector<Value> expected = fourier(column, sign);
        for (int k = 0; k < n_; ++k) {
          ASSERT_NEAR(std::abs(at(out, lanes_, lane, k, b) - expected[static_cast<std::size_t>(k)]), 0,
                      tolerance * 5 * std::sqrt(n_))
              << "sign " << sign << ", element " << k << ", lane " << lane;
        }
      }
    }
  }
}

TEST_P(Passes, RowsGoThereAndBack) {
  const int rows = 3, stride = n_ * lanes_ + 7;
  const std::vector<float> image = random_normal(static_cast<std::size_t>(stride * rows));
  std::vector<std::int32_t> offsets;
  std::vector<float> shifts;
  for (int lane = 0; lane < lanes_; ++lane) {
    offsets.push_back((lanes_ - 1 - lane) * n_);  // any order
    shifts.push_back(0.25f * static_cast<float>(lane));
  }
  const std::ptrdiff_t y_stride = 2 * lanes_, x_stride = y_stride * rows;
  std::vector<float> spectra(static_cast<std::size_t>(x_stride * size_.bins()), sentinel());
  const Spectra s{spectra.data(), y_stride, x_stride};
  rows_forward(size_, lanes_, image.data(), offsets.data(), shifts.data(), stride, rows, s);
  std::vector<std::vector<Value>> elements;
  for (int y = 0; y < rows; ++y) {
    for (int lane = 0; lane < lanes_; ++lane) {
      std::vector<Value> row;
      for (int x = 0; x < n_; ++x) {
        row.emplace_back(image[static_cast<std::size_t>(offsets[static_cast<std::size_t>(lane)] + y * stride + x)] +
                         shifts[static_cast<std::size_t>(lane)]);
      }
      const std::vector<Value> expected = fourier(row, -1);
      for (int k = 0; k <= n_ / 2; ++k) {
        ASSERT_NEAR(std::abs(at(s, lanes_, lane, y, k) / size_.forward_scale() - expected[static_cast<std::size_t>(k)]),
                    0, tolerance * 5 * std::sqrt(n_))
            << "row " << y << ", bin " << k << ", lane " << lane;
      }
      elements.push_back(row);
    }
  }
  for (int columns = lanes_; columns <= n_; columns += columns < 2 * lanes_ + 2 ? 1 : 7) {
    // Lanes lie with a gap of one element, rows with another.
    std::vector<std::int32_t> to;
    for (int lane = 0; lane < lanes_; ++lane) to.push_back(lane * (columns + 1));
    const int step = lanes_ * (columns + 1) + 3;
    std::vector<float> panel(static_cast<std::size_t>(step * rows), sentinel());
    rows_inverse(size_, lanes_, s, panel.data(), to.data(), step, rows, columns);
    for (int e = 0; e < step * rows; ++e) {
      const int y = e / step, lane = e % step / (columns + 1), x = e % step % (columns + 1);
      const float value = panel[static_cast<std::size_t>(e)];
      if (lane >= lanes_ || x == columns) {
        ASSERT_TRUE(is_sentinel(value)) << columns << " columns, element " << e;
        continue;
      }
      const double expected = elements[static_cast<std::size_t>(y * lanes_ + lane)][static_cast<std::size_t>(x)].real();
      ASSERT_NEAR(static_cast<double>(value) / (size_.forward_scale() * size_.inverse_scale()), expected,
                  tolerance * 10)
          << columns << " columns, row " << y << ", lane " << lane << ", column " << x;
    }
  }
}
