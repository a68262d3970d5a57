// An image with templates cut from it, and their scores by the definitions of match.hpp, in f64.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "testing.h"

namespace corrbank_test {

using corrbank::ImageView;
using corrbank::KernelsView;
using corrbank::Match;
using corrbank::Method;
using corrbank::Options;
using corrbank::ResponsesView;
using corrbank::Templates;

class MatchTest : public TargetTest {
 protected:
  static Options options(int threads = 1) {
    Options options;
    options.target = GetParam().c_str();
    options.threads = threads;
    return options;
  }
};

inline bool is_normed(Method m) { return m != Method::ccorr && m != Method::sqdiff && m != Method::ccoeff; }
inline bool is_distance(Method m) { return m == Method::sqdiff || m == Method::sqdiff_normed; }

// Noise with a flat part and a pedestal, and templates cut from it, with a mask for each.
template <typename T>
struct Scene {
  Shape shape;
  std::vector<T> image, templates;
  std::vector<float> masks;  // [K][1][h][w]; may be empty
  std::int64_t mask_count = 1;

  Scene(const Shape& s, double pedestal) : shape(s), image(s.image_size()) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> values(0, 99);
    for (std::size_t i = 0; i < image.size(); ++i) {
      const std::size_t row = i / static_cast<std::size_t>(s.width) % static_cast<std::size_t>(s.height);
      image[i] = static_cast<T>(pedestal + (row < static_cast<std::size_t>(s.height) / 4 ? 7 : values(random)));
    }
    for (std::int64_t k = 0; k < s.count; ++k) {
      const std::int64_t y = s.height / 3 + k % 3, x = (k * 5) % s.response_width();
      for (std::int64_t c = 0; c < s.channels; ++c) {
        for (std::int64_t i = 0; i < s.kernel_height; ++i) {
          for (std::int64_t j = 0; j < s.kernel_width; ++j) templates.push_back(image[at(c, y + i, x + j)]);
        }
      }
    }
  }
  // Here and there windows that are flat beside texture, and parts of other brightness: what f32 is too coarse for.
  void flatten(float depth = 0.01f) {
    for (std::size_t i = 0; i < image.size(); ++i) {
      const auto width = static_cast<std::size_t>(shape.width), x = i % width, y = i / width;
      const bool flat = (x / 23 + y / 19) % 3 == 0;
      image[i] = image[i] * (flat ? depth : 1.0f) + (x / 50 % 2 == 0 ? 30.0f : 190.0f);
    }
  }
  [[nodiscard]] std::size_t at(std::int64_t c, std::int64_t y, std::int64_t x) const {
    return static_cast<std::size_t>((c * shape.height + y) * shape.width + x);
  }
  void mask(std::int64_t count, bool weights) {
    mask_count = count;
    masks.resize(static_cast<std::size_t>(count * shape.kernel_height * shape.kernel_width));
    std::mt19937 random(seed + 1);
    std::uniform_real_distribution<float> values(0, 1);
    for (float& m : masks) {
      const float v = values(random);
      m = weights ? v : static_cast<float>(v > 0.3f);
    }
  }
  [[nodiscard]] ImageView image_view() const { return {image.data(), shape.channels, shape.height, shape.width}; }
  [[nodiscard]] KernelsView templates_view() const {
    return {templates.data(), shape.count, shape.channels, shape.kernel_height, shape.kernel_width};
  }
  [[nodiscard]] KernelsView masks_view() const {
    return {masks.data(), mask_count, 1, shape.kernel_height, shape.kernel_width};
  }
  [[nodiscard]] Templates prepared(Method method, const Options& options) const {
    Templates made;
    const KernelsView view = masks_view();
    EXPECT_TRUE(succeeded(Templates::create(templates_view(), method, masks.empty() ? nullptr : &view, options, made)));
    return made;
  }

  // The definitions of match.hpp, in two passes.
  [[nodiscard]] double score(Method method, std::int64_t k, std::int64_t y, std::int64_t x) const {
    const std::int64_t plane = shape.kernel_height * shape.kernel_width, taps = shape.channels * plane;
    std::vector<double> i(static_cast<std::size_t>(taps)), t(i), m(i);
    std::size_t n = 0;
    for (std::int64_t c = 0; c < shape.channels; ++c) {
      for (std::int64_t p = 0; p < plane; ++p, ++n) {
        i[n] = static_cast<double>(image[at(c, y + p / shape.kernel_width, x + p % shape.kernel_width)]);
        t[n] = static_cast<double>(templates[static_cast<std::size_t>(k * taps) + n]);
        m[n] = masks.empty()
                   ? 1
                   : static_cast<double>(masks[static_cast<std::size_t>((mask_count > 1 ? k * plane : 0) + p)]);
      }
    }
    const bool centred = method == Method::ccoeff || method == Method::ccoeff_normed || method == Method::zncc;
    const std::int64_t groups = method == Method::zncc ? 1 : shape.channels;
    for (std::int64_t g = 0; g < groups && centred; ++g) {
      const auto first = static_cast<std::size_t>(g * taps / groups),
                 end = static_cast<std::size_t>((g + 1) * taps / groups);
      double sum_i = 0, sum_t = 0, sum_m = 0;
      for (n = first; n < end; ++n) sum_i += m[n] * i[n], sum_t += m[n] * t[n], sum_m += m[n];
      for (n = first; n < end; ++n) i[n] -= sum_i / sum_m, t[n] -= sum_t / sum_m;
    }
    double product = 0, difference = 0, energy_i = 0, energy_t = 0;
    for (n = 0; n < i.size(); ++n) {
      const double mm = m[n] * m[n];
      product += mm * t[n] * i[n], difference += mm * (t[n] - i[n]) * (t[n] - i[n]);
      energy_i += mm * i[n] * i[n], energy_t += mm * t[n] * t[n];
    }
    const double value = is_distance(method) ? difference : product;
    if (!is_normed(method)) return value;
    return energy_i > 1e-9 && energy_t > 1e-9 ? value / std::sqrt(energy_i * energy_t) : 0;
  }
  [[nodiscard]] std::vector<double> scores(Method method) const {
    std::vector<double> all;
    for (std::int64_t k = 0; k < shape.count; ++k) {
      for (std::int64_t y = 0; y < shape.response_height(); ++y) {
        for (std::int64_t x = 0; x < shape.response_width(); ++x) all.push_back(score(method, k, y, x));
      }
    }
    return all;
  }
};

template <typename T>
std::vector<float> scores_of(const Scene<T>& scene, Method method, const Options& options,
                             std::vector<std::uint8_t>* valid = nullptr) {
  std::vector<float> scores = unwritten(scene.shape);
  if (valid != nullptr) valid->resize(scores.size());
  const Shape& s = scene.shape;
  EXPECT_TRUE(succeeded(corrbank::match(scene.image_view(), scene.prepared(method, options),
                                        ResponsesView(scores.data(), s.count, s.response_height(), s.response_width()),
                                        options, valid != nullptr ? valid->data() : nullptr)));
  return scores;
}

}  // namespace corrbank_test
