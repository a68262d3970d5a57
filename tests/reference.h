// What responses must be, by loops too plain to be wrong. Images, kernels and responses are compact.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "shapes.h"

namespace corrbank_test {

// Exact for integer data whose sums fit 32 bits. The innermost loop is one row, which compilers vectorise: the shape
// sweep spends most of its time here.
inline std::vector<std::int32_t> integer_reference(const Shape& s, const std::vector<float>& image,
                                                   const std::vector<float>& kernels) {
  const std::vector<std::int16_t> pixels(image.begin(), image.end());
  const std::vector<std::int16_t> weights(kernels.begin(), kernels.end());
  const std::int64_t width = s.response_width();
  std::vector<std::int32_t> responses(s.responses_size());
  std::int32_t* out = responses.data();
  for (std::int64_t k = 0; k < s.count; ++k) {
    for (std::int64_t y = 0; y < s.response_height(); ++y, out += width) {
      const std::int16_t* weight = weights.data() + k * s.taps();
      for (std::int64_t c = 0; c < s.channels; ++c) {
        for (std::int64_t i = 0; i < s.kernel_height; ++i) {
          const std::int16_t* row = pixels.data() + (c * s.height + y + i) * s.width;
          for (std::int64_t j = 0; j < s.kernel_width; ++j) {
            const std::int16_t w = *weight++;
            for (std::int64_t x = 0; x < width; ++x) out[x] += w * row[x + j];
          }
        }
      }
    }
  }
  return responses;
}

// A response in float64, and the sum of the magnitudes of its products, to which error bounds are relative.
struct Exact {
  double value = 0, magnitude = 0;
};

inline Exact exact_response(const Shape& s, const std::vector<float>& image, const std::vector<float>& kernels,
                            std::int64_t k, std::int64_t y, std::int64_t x) {
  Exact exact;
  const float* weight = kernels.data() + k * s.taps();
  for (std::int64_t c = 0; c < s.channels; ++c) {
    for (std::int64_t i = 0; i < s.kernel_height; ++i) {
      const float* row = image.data() + (c * s.height + y + i) * s.width + x;
      for (std::int64_t j = 0; j < s.kernel_width; ++j) {
        const double product = static_cast<double>(*weight++) * static_cast<double>(row[j]);
        exact.value += product;
        exact.magnitude += std::fabs(product);
      }
    }
  }
  return exact;
}

// A response in f32, summed in the order c, i, j with one rounding a tap (`fused`) or two.
inline float ordered_response(const Shape& s, const std::vector<float>& image, const std::vector<float>& kernels,
                              std::int64_t k, std::int64_t y, std::int64_t x, bool fused) {
  float sum = 0;
  const float* weight = kernels.data() + k * s.taps();
  for (std::int64_t c = 0; c < s.channels; ++c) {
    for (std::int64_t i = 0; i < s.kernel_height; ++i) {
      const float* row = image.data() + (c * s.height + y + i) * s.width + x;
      for (std::int64_t j = 0; j < s.kernel_width; ++j, ++weight) {
        sum = fused ? std::fma(*weight, row[j], sum) : sum + *weight * row[j];
      }
    }
  }
  return sum;
}

inline std::vector<Exact> exact_reference(const Shape& s, const std::vector<float>& image,
                                          const std::vector<float>& kernels) {
  std::vector<Exact> responses;
  responses.reserve(s.responses_size());
  for (std::int64_t k = 0; k < s.count; ++k) {
    for (std::int64_t y = 0; y < s.response_height(); ++y) {
      for (std::int64_t x = 0; x < s.response_width(); ++x) {
        responses.push_back(exact_response(s, image, kernels, k, y, x));
      }
    }
  }
  return responses;
}

// Higham's gamma_n for n = taps: |computed - exact| <= gamma_n * magnitude, whatever the order of the sum.
inline double gamma_bound(std::int64_t taps) {
  const double nu = static_cast<double>(taps) * 0x1p-24;
  return nu / (1 - nu);
}

}  // namespace corrbank_test
