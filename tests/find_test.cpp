// find() against the peaks of definitions in f64, on every target of the CPU.
#include "match_scene.h"

using namespace corrbank_test;
using corrbank::FindOptions;

namespace {

class Finding : public MatchTest {
 protected:
  // The same by every algorithm, of `wanted` tops and distances.
  static void expect_same_of_all(const Shape& shape,
                                 std::initializer_list<std::pair<std::int64_t, std::int64_t>> wanted) {
    const Scene<float> scene(shape, 0);
    for (const auto& [top, distance] : wanted) {
      FindOptions f;
      f.top = top, f.min_distance = distance;
      std::vector<Match> first;
      for (corrbank::Algorithm algorithm :
           {corrbank::Algorithm::direct, corrbank::Algorithm::winograd, corrbank::Algorithm::fft}) {
        Options forced = options(algorithm == corrbank::Algorithm::direct ? 1 : 2);
        forced.algorithm = algorithm;
        std::vector<Match> found;
        ASSERT_TRUE(succeeded(
            corrbank::find(scene.image_view(), scene.prepared(Method::ccoeff_normed, forced), f, found, forced)));
        if (algorithm == corrbank::Algorithm::direct) first = found;
        ASSERT_EQ(found.size(), first.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          ASSERT_TRUE(found[i].y == first[i].y && found[i].x == first[i].x && found[i].score == first[i].score) << i;
        }
      }
    }
  }
};
CORRBANK_FOR_EACH_CPU_TARGET(Finding);

// Peaks of the definitions: no worse than eight neighbours, from the best on, none too close to a better one.
template <typename T>
std::vector<Match> expected_peaks(const Scene<T>& scene, Method method, const FindOptions& f, std::int64_t distance) {
  const Shape& s = scene.shape;
  const double sign = is_distance(method) ? -1 : 1;
  std::vector<Match> found;
  for (std::int64_t k = 0; k < s.count; ++k) {
    const auto merit = [&](std::int64_t y, std::int64_t x) { return sign * scene.score(method, k, y, x); };
    std::vector<std::tuple<double, std::int64_t, std::int64_t>> peaks;
    for (std::int64_t y = 0; y < s.response_height(); ++y) {
      for (std::int64_t x = 0; x < s.response_width(); ++x) {
        const double m = merit(y, x);
        bool peak = std::isnan(f.threshold) || m >= sign * f.threshold;
        for (std::int64_t v = std::max<std::int64_t>(0, y - 1); v <= std::min(s.response_height() - 1, y + 1) && peak;
             ++v) {
          for (std::int64_t u = std::max<std::int64_t>(0, x - 1); u <= std::min(s.response_width() - 1, x + 1); ++u) {
            const double other = merit(v, u);
            if (other > m || (other == m && (v < y || (v == y && u < x)))) peak = false;
          }
        }
        if (peak) peaks.emplace_back(-m, y, x);
      }
    }
    std::sort(peaks.begin(), peaks.end());
    const std::size_t begin = found.size();
    for (const auto& [cost, y, x] : peaks) {
      if (f.top > 0 && found.size() - begin == static_cast<std::size_t>(f.top)) break;
      const auto close = [y = y, x = x, distance](const Match& m) {
        return std::abs(m.y - y) <= distance && std::abs(m.x - x) <= distance;
      };
      if (std::any_of(found.begin() + static_cast<std::ptrdiff_t>(begin), found.end(), close)) continue;
      Match match;
      match.template_index = k, match.y = y, match.x = x, match.score = -cost * sign;
      found.push_back(match);
    }
  }
  return found;
}

TEST_P(Finding, IsWhatTheMapsWouldGive) {
  const Scene<std::uint8_t> scene({2, 70, 61, 3, 6, 5}, 0);
  for (Method method : {Method::sqdiff, Method::ccorr, Method::ccorr_normed}) {
    for (std::int64_t top : {1, 5, 0}) {
      FindOptions f;
      f.top = top;
      f.min_distance = top == 0 ? 0 : 3;
      if (top == 0) f.threshold = method == Method::sqdiff ? 90000 : method == Method::ccorr ? 1.5e5 : 0.8;
      const std::vector<Match> expected = expected_peaks(scene, method, f, f.min_distance);
      for (int threads : {1, 3}) {
        std::vector<Match> found;
        ASSERT_TRUE(succeeded(
            corrbank::find(scene.image_view(), scene.prepared(method, options()), f, found, options(threads))));
        ASSERT_EQ(found.size(), expected.size()) << static_cast<int>(method) << ", top " << top;
        for (std::size_t i = 0; i < found.size(); ++i) {
          ASSERT_EQ(found[i].template_index, expected[i].template_index);
          ASSERT_EQ(found[i].y, expected[i].y);
          ASSERT_EQ(found[i].x, expected[i].x);
          ASSERT_NEAR(found[i].score, expected[i].score, 1e-9 * std::max(1.0, std::fabs(expected[i].score)));
        }
      }
    }
  }
}

TEST_P(Finding, DoesNotDependOnTheAlgorithm) {
  // Of many peaks, or of some far from each other, there are enough to tell what is worse only after several tiles.
  expect_same_of_all({1, 150, 170, 4, 5, 5}, {{1, 1}, {5, 1}, {300, 1}, {5, 30}, {2000, 0}});
}

TEST_P(Finding, WideImagesAreSearchedInPieces) {
  expect_same_of_all({1, 40, 1700, 2, 5, 5}, {{1, 0}, {5, 40}, {5, 300}, {40, 10}, {2000, 0}});
}

TEST_P(Finding, FlatWindowsBesideTexture) {
  for (const Shape& shape : {Shape{1, 60, 141, 3, 7, 7}, Shape{2, 50, 120, 2, 5, 5}}) {
    Scene<float> scene(shape, 0);
    scene.flatten();
    for (const auto& [top, distance] : {std::pair{1, 0}, {5, 3}, {9, 25}, {60, 2}}) {
      FindOptions f;
      f.top = top, f.min_distance = distance;
      const std::vector<Match> expected = expected_peaks(scene, Method::ccoeff_normed, f, distance);
      for (corrbank::Algorithm algorithm : {corrbank::Algorithm::direct, corrbank::Algorithm::fft}) {
        Options forced = options(2);
        forced.algorithm = algorithm;
        std::vector<Match> found;
        ASSERT_TRUE(succeeded(
            corrbank::find(scene.image_view(), scene.prepared(Method::ccoeff_normed, forced), f, found, forced)));
        ASSERT_EQ(found.size(), expected.size());
        for (std::size_t i = 0; i < found.size(); ++i) {
          ASSERT_TRUE(found[i].y == expected[i].y && found[i].x == expected[i].x) << "top " << top << ", match " << i;
          ASSERT_NEAR(found[i].score, expected[i].score, 1e-7);
        }
      }
    }
  }
}

TEST_P(Finding, RegionAndOverlap) {
  const Scene<float> scene({1, 60, 60, 2, 7, 7}, 0);
  FindOptions f;
  f.region = {20, 10, 30, 40};
  std::vector<Match> inside, all;
  const Templates templates = scene.prepared(Method::ccoeff_normed, options());
  ASSERT_TRUE(succeeded(corrbank::find(scene.image_view(), templates, f, inside, options())));
  for (const Match& m : inside) {
    EXPECT_TRUE(m.y >= 20 && m.x >= 10 && m.y + 7 <= 50 && m.x + 7 <= 50);
    EXPECT_NEAR(m.score, scene.score(Method::ccoeff_normed, m.template_index, m.y, m.x), 1e-9);
  }
  f = {};
  f.top = 20, f.max_overlap = 0;
  ASSERT_TRUE(succeeded(corrbank::find(scene.image_view(), templates, f, all, options())));
  for (const Match& a : all) {
    for (const Match& b : all) {
      if (a.template_index == b.template_index) continue;
      EXPECT_TRUE(std::abs(a.y - b.y) >= 7 || std::abs(a.x - b.x) >= 7);
    }
  }
}

TEST_P(Finding, SubpixelFindsAShiftedBell) {
  const Shape s{1, 41, 43, 1, 11, 11};
  Scene<float> scene(s, 0);
  const auto bell = [](double y, double x) { return static_cast<float>(std::exp(-(y * y + x * x) / 18)); };
  for (std::int64_t y = 0; y < 41; ++y) {
    for (std::int64_t x = 0; x < 43; ++x) {
      scene.image[scene.at(0, y, x)] = bell(static_cast<double>(y) - 20.3, static_cast<double>(x) - 19.75);
    }
  }
  for (int i = 0; i < 121; ++i) scene.templates[static_cast<std::size_t>(i)] = bell(i / 11 - 5, i % 11 - 5);
  for (corrbank::Refinement refinement : {corrbank::Refinement::parabola, corrbank::Refinement::log_gaussian}) {
    FindOptions f;
    f.refinement = refinement;
    std::vector<Match> found;
    ASSERT_TRUE(succeeded(
        corrbank::find(scene.image_view(), scene.prepared(Method::ccoeff_normed, options()), f, found, options())));
    ASSERT_EQ(found.size(), 1u);
    EXPECT_NEAR(found[0].refined_y, 15.3, 0.05);
    EXPECT_NEAR(found[0].refined_x, 14.75, 0.05);
  }
}

}  // namespace
