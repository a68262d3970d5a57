// Data to measure errors on, and the published bounds.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "testing.h"

namespace corrbank_test {

// |computed - exact| <= bound * norm of the kernel * largest norm of a window, of the image less its channels' means;
// and a rounding of the response (corrbank.hpp).
constexpr double winograd_bound = 4e-6;
constexpr double fft_bound = 1e-6;

enum class Data { random, image_like, large_offset };
constexpr Data all_data[] = {Data::random, Data::image_like, Data::large_offset};

inline const char* name_of(Data data) {
  return data == Data::random ? "random" : data == Data::image_like ? "image-like" : "large-offset";
}

inline Case case_of(const Shape& s, Data data) {
  Case c = normal_case(s);
  if (data == Data::random) return c;
  if (data == Data::large_offset) {
    // As a camera's pedestal; each channel has its own.
    for (std::size_t e = 0; e < c.image.size(); ++e) {
      const auto channel = static_cast<std::int64_t>(e) / (s.height * s.width);
      c.image[e] += 60000.0f + 1000.0f * static_cast<float>(channel % 7);
    }
    return c;
  }
  // Positive and smooth with an edge: a spectrum that falls with frequency. The kernels are of no mean, as templates are
  // before they are matched.
  for (std::size_t e = 0; e < c.image.size(); ++e) {
    const auto pixel = static_cast<std::int64_t>(e) % (s.height * s.width);
    const double y = static_cast<double>(pixel / s.width), x = static_cast<double>(pixel % s.width);
    const double wave = 90 + 60 * std::sin(0.21 * x + 0.13 * y) + 30 * std::cos(0.05 * x - 0.17 * y);
    c.image[e] = static_cast<float>(wave + (x > 0.6 * y + 5 ? 50 : 0)) + 2 * c.image[e];
  }
  const auto taps = static_cast<std::size_t>(s.taps());
  for (std::size_t k = 0; k < c.kernels.size(); k += taps) {
    double sum = 0;
    for (std::size_t t = 0; t < taps; ++t) sum += static_cast<double>(c.kernels[k + t]);
    for (std::size_t t = 0; t < taps; ++t) c.kernels[k + t] -= static_cast<float>(sum / static_cast<double>(taps));
  }
  return c;
}

// Largest norm of a window of the image less its channels' means.
inline double window_norm(const Case& c) {
  const Shape& s = c.shape;
  const std::int64_t plane = s.height * s.width;
  std::vector<double> squares(static_cast<std::size_t>(plane));
  for (std::int64_t channel = 0; channel < s.channels; ++channel) {
    const float* elements = c.image.data() + channel * plane;
    double mean = 0;
    for (std::int64_t e = 0; e < plane; ++e) mean += static_cast<double>(elements[e]) / static_cast<double>(plane);
    for (std::int64_t e = 0; e < plane; ++e) {
      const double difference = static_cast<double>(elements[e]) - mean;
      squares[static_cast<std::size_t>(e)] += difference * difference;
    }
  }
  double largest = 0;
  for (std::int64_t y = 0; y < s.response_height(); ++y) {
    for (std::int64_t x = 0; x < s.response_width(); ++x) {
      double sum = 0;
      for (std::int64_t i = 0; i < s.kernel_height; ++i) {
        for (std::int64_t j = 0; j < s.kernel_width; ++j) {
          sum += squares[static_cast<std::size_t>((y + i) * s.width + x + j)];
        }
      }
      largest = std::max(largest, sum);
    }
  }
  return std::sqrt(largest);
}

// The largest error of compact responses, as a multiple of what the bounds are relative to.
inline double error_of(const Case& c, const std::vector<float>& responses) {
  const Shape& s = c.shape;
  const double window = window_norm(c);
  double worst = 0;
  std::size_t r = 0;
  for (std::int64_t k = 0; k < s.count; ++k) {
    double kernel = 0;
    for (std::int64_t t = 0; t < s.taps(); ++t) {
      const double tap = static_cast<double>(c.kernels[static_cast<std::size_t>(k * s.taps() + t)]);
      kernel += tap * tap;
    }
    const double scale = window * std::sqrt(kernel);
    for (std::int64_t y = 0; y < s.response_height(); ++y) {
      for (std::int64_t x = 0; x < s.response_width(); ++x, ++r) {
        const double exact = exact_response(s, c.image, c.kernels, k, y, x).value;
        const double rounding = 0x1p-23 * std::fabs(exact);
        const double error = std::fabs(static_cast<double>(responses[r]) - exact) - rounding;
        worst = error / scale <= worst ? worst : error / scale;  // keeps a NaN
      }
    }
  }
  return worst;
}

}  // namespace corrbank_test
