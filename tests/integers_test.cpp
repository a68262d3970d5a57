// match() and find() of u8: scores that are integers without any error, the others within f32's rounding of one value.
#include <corrbank/match.hpp>

#include <limits>

#include "guarded_buffer.h"
#include "testing.h"

using namespace corrbank_test;
using corrbank::ImageView;
using corrbank::KernelsView;
using corrbank::Match;
using corrbank::Method;
using corrbank::Options;
using corrbank::ResponsesView;
using corrbank::Templates;

namespace {

class Integers : public TargetTest {
 protected:
  static Options options(int threads = 1) {
    Options options;
    options.target = GetParam().c_str();
    options.threads = threads;
    return options;
  }
};
CORRBANK_FOR_EACH_CPU_TARGET(Integers);

enum class Fill { random, largest, checks };  // checks: image and templates alternate 0 and 255

struct Scene {
  Shape shape;
  std::vector<std::uint8_t> image, templates, mask;  // of one mask for all, or none

  Scene(const Shape& s, Fill fill, bool masked = false)
      : shape(s), image(s.image_size(), 255), templates(s.kernels_size(), 255) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int> values(0, 255);
    const auto value = [&](std::size_t i) {
      return static_cast<std::uint8_t>(fill == Fill::random    ? values(random)
                                       : fill == Fill::largest ? 255
                                                               : i % 2 * 255);
    };
    for (std::size_t i = 0; i < image.size(); ++i) image[i] = value(i);
    for (std::size_t i = 0; i < templates.size(); ++i) templates[i] = value(i);
    if (masked) mask.resize(static_cast<std::size_t>(s.taps()));
    for (std::uint8_t& m : mask) m = static_cast<std::uint8_t>(values(random) % 3);
  }
  [[nodiscard]] Templates prepared(Method method, const Options& options) const {
    const KernelsView view(templates.data(), shape.count, shape.channels, shape.kernel_height, shape.kernel_width);
    const KernelsView masks(mask.data(), 1, shape.channels, shape.kernel_height, shape.kernel_width);
    Templates made;
    EXPECT_TRUE(succeeded(Templates::create(view, method, mask.empty() ? nullptr : &masks, options, made)));
    return made;
  }
  // ccorr, or sqdiff, [k][y][x].
  [[nodiscard]] std::vector<std::int64_t> scores(Method method) const {
    std::vector<std::int64_t> all;
    const Shape& s = shape;
    for (std::int64_t k = 0; k < s.count; ++k) {
      for (std::int64_t y = 0; y < s.response_height(); ++y) {
        for (std::int64_t x = 0; x < s.response_width(); ++x) {
          std::int64_t sum = 0;
          for (std::int64_t tap = 0; tap < s.taps(); ++tap) {
            const std::int64_t j = tap % s.kernel_width, row = tap / s.kernel_width, i = row % s.kernel_height,
                               c = row / s.kernel_height;
            if (!mask.empty() && mask[static_cast<std::size_t>(tap)] == 0) continue;
            const int t = templates[static_cast<std::size_t>(k * s.taps() + tap)];
            const int v = image[static_cast<std::size_t>((c * s.height + y + i) * s.width + x + j)];
            sum += method == Method::ccorr ? t * v : (t - v) * (t - v);
          }
          all.push_back(sum);
        }
      }
    }
    return all;
  }
};

// By match(), with image, scores and workspace between pages that nobody may touch.
template <typename Score>
std::vector<Score> matched(const Scene& scene, Method method, Options options, Edge edge) {
  const Shape& s = scene.shape;
  GuardedBuffer image(scene.image.size(), edge);
  std::memcpy(image.data(), scene.image.data(), scene.image.size());
  image.make_read_only();
  const auto count = static_cast<std::size_t>(s.responses_size());
  const GuardedBuffer out(count * sizeof(Score), edge);
  auto* scores = static_cast<Score*>(out.data());
  std::fill_n(scores, count, Score{-1});
  const Templates templates = scene.prepared(method, options);
  const ImageView view(static_cast<const std::uint8_t*>(image.data()), s.channels, s.height, s.width);
  EXPECT_TRUE(succeeded(corrbank::workspace_bytes(view, templates, options, options.workspace_size)));
  const GuardedBuffer workspace(options.workspace_size, edge);
  options.workspace = workspace.data();
  EXPECT_TRUE(succeeded(corrbank::match(
      view, templates, ResponsesView(scores, s.count, s.response_height(), s.response_width()), options)));
  return {scores, scores + count};
}

void expect_exact(const Scene& scene, const Options& options) {
  for (Method method : {Method::ccorr, Method::sqdiff}) {
    const std::vector<std::int64_t> expected = scene.scores(method);
    for (Edge edge : {Edge::start, Edge::end}) {
      const auto integers = matched<std::int32_t>(scene, method, options, edge);
      const auto floats = matched<float>(scene, method, options, edge);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_EQ(integers[i], expected[i]) << scene.shape << ", method " << static_cast<int>(method) << ", " << i;
        ASSERT_EQ(floats[i], static_cast<float>(expected[i])) << scene.shape << ", " << i;
      }
    }
  }
}

// Rows and columns of one, fewer and more than a tile's, taps of each remainder, and blocks of 1 to 50 templates.
constexpr Shape shapes[] = {{1, 1, 300, 3, 1, 7},   {1, 300, 1, 3, 7, 1},  {1, 9, 9, 1, 9, 9},
                            {1, 20, 30, 17, 5, 3},  {1, 23, 71, 50, 3, 2}, {3, 14, 66, 3, 4, 6},
                            {1, 40, 131, 7, 1, 1},  {5, 12, 20, 4, 3, 5},  {1, 37, 530, 2, 2, 13},
                            {2, 11, 1100, 6, 3, 4}, {40, 9, 17, 3, 3, 3}};

TEST_P(Integers, AreExactForEveryShape) {
  for (const Shape& shape : shapes) {
    expect_exact(Scene(shape, Fill::random), options());
    expect_exact(Scene(shape, Fill::random, true), options(3));
  }
}

TEST_P(Integers, AreExactForTheLargestValues) {
  for (Fill fill : {Fill::largest, Fill::checks}) {
    expect_exact(Scene({1, 19, 70, 5, 9, 9}, fill), options());
    expect_exact(Scene({1, 183, 199, 1, 181, 181}, fill), options());  // 2^31 - 17 million
  }
}

// More taps than 32 bits hold the sums of.
TEST_P(Integers, AreExactBeyondThirtyTwoBits) {
  const Scene scene({1, 183, 189, 1, 182, 182}, Fill::largest);
  for (Method method : {Method::ccorr, Method::sqdiff}) {
    const std::vector<std::int64_t> expected = scene.scores(method);
    const auto floats = matched<float>(scene, method, options(), Edge::end);
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(floats[i], static_cast<float>(expected[i]));
  }
}

// Wherever they lie: gaps between rows and maps, templates of one mask that are not neighbours.
TEST_P(Integers, GapsStayAsTheyAre) {
  Scene scene({1, 15, 90, 6, 3, 5}, Fill::random);
  const Shape& s = scene.shape;
  std::vector<std::uint8_t> masks;
  for (std::int64_t k = 0; k < s.count; ++k) {
    for (std::int64_t i = 0; i < s.taps(); ++i) masks.push_back(k == 2 ? i % 2 : 1);
  }
  const KernelsView view(scene.templates.data(), s.count, 1, s.kernel_height, s.kernel_width);
  const KernelsView masks_view(masks.data(), s.count, 1, s.kernel_height, s.kernel_width);
  Templates templates;
  ASSERT_TRUE(succeeded(Templates::create(view, Method::ccorr, &masks_view, options(), templates)));
  const std::int64_t pitch = s.response_width() + 3, plane = (s.response_height() + 1) * pitch;
  std::vector<std::int32_t> scores(static_cast<std::size_t>(s.count * plane), -7);
  ResponsesView to(scores.data(), s.count, s.response_height(), s.response_width());
  to.row_stride = pitch, to.kernel_stride = plane;
  ASSERT_TRUE(succeeded(corrbank::match({scene.image.data(), 1, s.height, s.width}, templates, to, options())));
  const std::vector<std::int64_t> all = scene.scores(Method::ccorr);
  scene.mask.assign(masks.begin() + 2 * s.taps(), masks.begin() + 3 * s.taps());
  const std::vector<std::int64_t> some = scene.scores(Method::ccorr);
  for (std::int64_t at = 0; at < s.count * plane; ++at) {
    const std::int64_t k = at / plane, y = at % plane / pitch, x = at % pitch;
    const bool gap = y >= s.response_height() || x >= s.response_width();
    const auto i = static_cast<std::size_t>((k * s.response_height() + y) * s.response_width() + x);
    ASSERT_EQ(scores[static_cast<std::size_t>(at)], gap ? -7 : k == 2 ? some[i] : all[i]) << at;
  }
}

TEST_P(Integers, AlgorithmsAndThreadsDoNotChangeThem) {
  const Scene scene({1, 60, 150, 9, 7, 7}, Fill::random);
  const auto expected = matched<float>(scene, Method::sqdiff, options(), Edge::end);
  for (corrbank::Algorithm algorithm : {corrbank::Algorithm::direct, corrbank::Algorithm::fft}) {
    Options other = options(3);
    other.algorithm = algorithm;
    ASSERT_EQ(matched<float>(scene, Method::sqdiff, other, Edge::end), expected);
  }
  Options one = options(), two = options(2);
  one.algorithm = two.algorithm = corrbank::Algorithm::direct;
  ASSERT_EQ(matched<float>(scene, Method::ccoeff_normed, one, Edge::end),
            matched<float>(scene, Method::ccoeff_normed, two, Edge::end));
}

TEST_P(Integers, TheBestIsTheLargestOrTheNearest) {
  const Scene scene({1, 20, 75, 7, 5, 5}, Fill::random);
  const Shape& s = scene.shape;
  const auto windows = static_cast<std::size_t>(s.response_height() * s.response_width());
  for (Method method : {Method::ccorr, Method::sqdiff}) {
    const std::vector<std::int64_t> expected = scene.scores(method);
    std::vector<float> scores(windows);
    std::vector<std::int32_t> whose(windows);
    ASSERT_TRUE(succeeded(
        corrbank::match_best({scene.image.data(), 1, s.height, s.width}, scene.prepared(method, options()),
                             {scores.data(), 1, s.response_height(), s.response_width()}, whose.data(), options())));
    for (std::size_t i = 0; i < windows; ++i) {
      std::size_t best = 0;
      for (std::size_t k = 1; k < 7; ++k) {
        const std::int64_t a = expected[k * windows + i], b = expected[best * windows + i];
        if (method == Method::ccorr ? a > b : a < b) best = k;
      }
      ASSERT_EQ(whose[i], static_cast<std::int32_t>(best)) << i;
      ASSERT_EQ(scores[i], static_cast<float>(expected[best * windows + i])) << i;
    }
  }
}

// Where f32 rounds away what matters, integers do not: noise of one level on a bright picture.
TEST_P(Integers, FlatWindowsHaveTheirScores) {
  Scene scene({2, 30, 80, 5, 7, 9}, Fill::random);
  const Shape& s = scene.shape;
  std::mt19937 random(seed);
  for (std::uint8_t& v : scene.image) v = static_cast<std::uint8_t>(250 + random() % 2);
  Options direct = options();
  direct.algorithm = corrbank::Algorithm::direct;
  for (bool masked : {false, true}) {
    if (masked) scene.mask.assign(static_cast<std::size_t>(s.taps()), 1), scene.mask[3] = scene.mask[40] = 0;
    for (Method method : {Method::ccorr_normed, Method::sqdiff_normed, Method::ccoeff_normed, Method::zncc}) {
      const std::vector<float> scores = matched<float>(scene, method, direct, Edge::end);
      corrbank::FindOptions f;
      f.top = 0, f.threshold = method == Method::sqdiff_normed ? 1e9 : -2, f.min_distance = 0;
      std::vector<Match> found;  // by f64
      ASSERT_TRUE(succeeded(corrbank::find({scene.image.data(), s.channels, s.height, s.width},
                                           scene.prepared(method, direct), f, found, direct)));
      ASSERT_FALSE(found.empty());
      for (const Match& m : found) {
        const auto i =
            static_cast<std::size_t>((m.template_index * s.response_height() + m.y) * s.response_width() + m.x);
        ASSERT_NEAR(static_cast<double>(scores[i]), m.score, 1e-6) << static_cast<int>(method);
      }
    }
  }
}

}  // namespace
