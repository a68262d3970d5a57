// match() against definitions in f64, on every target of the CPU.
#include "match_scene.h"

using namespace corrbank_test;
using corrbank::FindOptions;
using corrbank::StatusCode;

namespace {

class Matching : public MatchTest {};
CORRBANK_FOR_EACH_CPU_TARGET(Matching);

constexpr Method all_methods[] = {Method::ccorr,  Method::ccorr_normed,  Method::sqdiff, Method::sqdiff_normed,
                                  Method::ccoeff, Method::ccoeff_normed, Method::zncc};

template <typename T>
void expect_definitions(const Scene<T>& scene, const Options& options, const char* what) {
  for (Method method : all_methods) {
    const std::vector<float> scores = scores_of(scene, method, options);
    const std::vector<double> expected = scene.scores(method);
    double largest = 1, error = 0;
    for (double e : expected) largest = std::max(largest, is_normed(method) ? 1 : std::fabs(e));
    for (std::size_t i = 0; i < scores.size(); ++i) {
      error = std::max(error, std::fabs(static_cast<double>(scores[i]) - expected[i]) / largest);
    }
    EXPECT_LE(error, 1e-5) << what << ", method " << static_cast<int>(method);
  }
}

constexpr Shape scene_shapes[] = {{1, 40, 53, 3, 7, 5}, {3, 33, 40, 2, 5, 5}, {2, 60, 47, 2, 17, 12}};

TEST_P(Matching, ScoresAreTheDefinitions) {
  for (const Shape& shape : scene_shapes) {
    expect_definitions(Scene<float>(shape, 0), options(), "f32");
    expect_definitions(Scene<float>(shape, 60000), options(), "f32 on a pedestal");
    expect_definitions(Scene<std::uint8_t>(shape, 0), options(), "u8");
    expect_definitions(Scene<std::uint16_t>(shape, 60000), options(), "u16");
  }
}

TEST_P(Matching, MasksAreTheDefinitions) {
  for (const Shape& shape : scene_shapes) {
    for (bool weights : {false, true}) {
      for (std::int64_t count : {std::int64_t{1}, shape.count}) {
        Scene<float> scene(shape, 0);
        scene.mask(count, weights);
        expect_definitions(scene, options(), weights ? "weights" : "binary mask");
      }
    }
  }
}

TEST_P(Matching, EveryAlgorithmGivesTheDefinitions) {
  for (corrbank::Algorithm algorithm :
       {corrbank::Algorithm::direct, corrbank::Algorithm::winograd, corrbank::Algorithm::fft}) {
    Options forced = options();
    forced.algorithm = algorithm;
    expect_definitions(Scene<float>({2, 40, 53, 5, 5, 5}, 60000), forced, "forced");
  }
}

TEST_P(Matching, FlatWindowsBesideTextureAreTheDefinitions) {
  const std::pair<Shape, float> scenes[] = {{{1, 70, 141, 5, 7, 7}, 0.01f},
                                            {{1, 70, 141, 2, 16, 13}, 0.01f},
                                            {{1, 70, 141, 2, 10, 3}, 1e-4f},
                                            {{2, 50, 90, 3, 5, 5}, 0.01f},
                                            {{2, 50, 90, 3, 5, 5}, 1e-4f}};
  for (const auto& [shape, depth] : scenes) {
    Scene<float> scene(shape, 0);
    scene.flatten(depth);
    for (corrbank::Algorithm algorithm :
         {corrbank::Algorithm::direct, corrbank::Algorithm::winograd, corrbank::Algorithm::fft}) {
      Options forced = options(2);
      forced.algorithm = algorithm;
      const bool exists = algorithm != corrbank::Algorithm::winograd || shape.kernel_height == 5;
      if (exists) expect_definitions(scene, forced, "flat windows");
    }
  }
}

// Widths around whole vectors of windows, heights around groups of rows, windows of a few pixels and of many, odd channels.
TEST_P(Matching, WindowsOfAllExtentsAreTheDefinitions) {
  constexpr Shape shapes[] = {{1, 40, 36, 2, 3, 5},    {1, 34, 33, 2, 8, 2},   {3, 70, 45, 2, 3, 3},
                              {5, 36, 75, 1, 8, 7},    {2, 40, 40, 2, 1, 8},   {4, 33, 300, 1, 2, 2},
                              {1, 60, 90, 2, 9, 16},   {1, 70, 80, 1, 33, 40}, {2, 40, 70, 2, 1, 25},
                              {1, 30, 300, 1, 12, 24}, {9, 150, 70, 2, 3, 3}};
  for (const Shape& shape : shapes) expect_definitions(Scene<float>(shape, 60000), options(), "f32 on a pedestal");
}

// More scores than the caches keep, which are stored past them: as those of templates one by one.
TEST_P(Matching, ScoresPastTheCaches) {
  Scene<float> scene({1, 640, 640, 9, 17, 17}, 0);
  scene.image[scene.at(0, 300, 20)] = std::nanf("");
  const Shape& s = scene.shape;
  Options forced = options();
  forced.algorithm = corrbank::Algorithm::fft;
  const auto windows = static_cast<std::size_t>(s.response_height() * s.response_width());
  for (Method method : {Method::ccoeff_normed, Method::sqdiff_normed}) {
    const std::vector<float> all = scores_of(scene, method, forced);
    for (std::int64_t k : {0, 8}) {
      Scene<float> one = scene;
      one.shape.count = 1;
      one.templates.assign(scene.templates.begin() + k * 289, scene.templates.begin() + (k + 1) * 289);
      const std::vector<float> expected = scores_of(one, method, forced);
      for (std::size_t i = 0; i < windows; ++i) {
        ASSERT_NEAR(static_cast<double>(all[static_cast<std::size_t>(k) * windows + i]),
                    static_cast<double>(expected[i]), 1e-5)
            << k << ", " << i;
      }
    }
  }
}

TEST_P(Matching, NotFiniteReachesItsOwnWindows) {
  const std::tuple<Shape, corrbank::Algorithm> cases[] = {{{1, 40, 80, 3, 5, 5}, corrbank::Algorithm::direct},
                                                          {{9, 40, 80, 3, 3, 3}, corrbank::Algorithm::winograd},
                                                          {{3, 60, 80, 3, 9, 9}, corrbank::Algorithm::fft}};
  for (const auto& [shape, algorithm] : cases) {
    Scene<float> scene(shape, 0);
    scene.image[scene.at(0, 30, 20)] = HUGE_VALF;
    Options forced = options();
    forced.algorithm = algorithm;
    std::vector<std::uint8_t> valid;
    const std::vector<float> scores = scores_of(scene, Method::ccoeff_normed, forced, &valid);
    std::size_t n = 0;
    for (std::int64_t k = 0; k < shape.count; ++k) {
      for (std::int64_t y = 0; y < shape.response_height(); ++y) {
        for (std::int64_t x = 0; x < shape.response_width(); ++x, ++n) {
          const bool holds = y <= 30 && y + shape.kernel_height > 30 && x <= 20 && x + shape.kernel_width > 20;
          const bool constant = y + shape.kernel_height <= shape.height / 4;
          ASSERT_EQ(valid[n] != 0, !holds && !constant) << k << ", " << y << ", " << x;
          const double expected = holds ? 0 : scene.score(Method::ccoeff_normed, k, y, x);
          ASSERT_NEAR(static_cast<double>(scores[n]), expected, 1e-5) << k << ", " << y << ", " << x;
        }
      }
    }
  }
}

TEST_P(Matching, IntegersAreExact) {
  const Scene<std::uint8_t> scene({2, 40, 50, 3, 9, 11}, 0);
  const Shape& s = scene.shape;
  for (Method method : {Method::ccorr, Method::sqdiff}) {
    std::vector<std::int32_t> scores(static_cast<std::size_t>(s.responses_size()), -1);
    ASSERT_TRUE(succeeded(
        corrbank::match(scene.image_view(), scene.prepared(method, options()),
                        ResponsesView(scores.data(), s.count, s.response_height(), s.response_width()), options())));
    const std::vector<double> expected = scene.scores(method);
    for (std::size_t i = 0; i < scores.size(); ++i) ASSERT_EQ(static_cast<double>(scores[i]), expected[i]) << i;
  }
}

TEST_P(Matching, ThreadsDoNotChangeBits) {
  const Scene<float> scene({3, 80, 90, 5, 9, 9}, 0);
  const Options two = options(2), three = options(3);
  for (Method method : {Method::ccoeff_normed, Method::sqdiff}) {
    const std::vector<float> one = scores_of(scene, method, options());
    for (const Options& more : {two, three}) {
      const std::vector<float> many = scores_of(scene, method, more);
      ASSERT_EQ(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)), 0);
    }
  }
}

TEST_P(Matching, DegenerateCasesAreZeroAndInvalid) {
  Scene<float> scene({1, 40, 40, 3, 5, 5}, 0);
  std::fill_n(scene.templates.begin(), 25, 3.0f);    // a constant template
  scene.image[scene.at(0, 30, 20)] = std::nanf("");  // reaches 25 windows
  const Shape& s = scene.shape;
  std::vector<std::uint8_t> valid;
  const std::vector<float> scores = scores_of(scene, Method::ccoeff_normed, options(), &valid);
  std::size_t n = 0;
  for (std::int64_t k = 0; k < s.count; ++k) {
    for (std::int64_t y = 0; y < s.response_height(); ++y) {
      for (std::int64_t x = 0; x < s.response_width(); ++x, ++n) {
        const bool constant = y + 5 <= s.height / 4, holds_nan = y <= 30 && y > 25 && x <= 20 && x > 15;
        const bool expected = k > 0 && !constant && !holds_nan;
        ASSERT_EQ(valid[n] != 0, expected) << k << ", " << y << ", " << x;
        ASSERT_TRUE(expected ? std::fabs(scores[n]) <= 1 : scores[n] == 0) << k << ", " << y << ", " << x;
        if (expected) {
          ASSERT_NEAR(static_cast<double>(scores[n]), scene.score(Method::ccoeff_normed, k, y, x), 1e-5);
        }
      }
    }
  }
  FindOptions all;
  all.top = 0, all.threshold = -2;
  std::vector<Match> matches;
  ASSERT_TRUE(succeeded(
      corrbank::find(scene.image_view(), scene.prepared(Method::ccoeff_normed, options()), all, matches, options())));
  ASSERT_FALSE(matches.empty());
  for (const Match& m : matches) {
    ASSERT_NE(
        valid[static_cast<std::size_t>((m.template_index * s.response_height() + m.y) * s.response_width() + m.x)], 0);
  }
}

TEST_P(Matching, TheBestOfAllTemplates) {
  const Scene<std::uint8_t> scene({1, 40, 44, 4, 6, 6}, 0);
  const Shape& s = scene.shape;
  for (Method method : {Method::sqdiff, Method::ccoeff_normed}) {
    const std::vector<float> scores = scores_of(scene, method, options());
    std::vector<float> best(static_cast<std::size_t>(s.response_height() * s.response_width()));
    std::vector<std::int32_t> whose(best.size(), -7);
    ASSERT_TRUE(succeeded(corrbank::match_best(scene.image_view(), scene.prepared(method, options()),
                                               ResponsesView(best.data(), 1, s.response_height(), s.response_width()),
                                               whose.data(), options(2))));
    for (std::size_t i = 0; i < best.size(); ++i) {
      if (whose[i] < 0) continue;
      ASSERT_EQ(best[i], scores[static_cast<std::size_t>(whose[i]) * best.size() + i]);
      for (std::size_t k = 0; k < 4; ++k) {
        const float other = scores[k * best.size() + i];
        ASSERT_TRUE(is_distance(method) ? other >= best[i] : other <= best[i]) << i;
      }
    }
  }
}

TEST_P(Matching, AWorkspaceOfTheCallersIsEnough) {
  const Scene<std::uint8_t> scene({2, 50, 60, 3, 9, 7}, 0);
  const Templates templates = scene.prepared(Method::ccoeff_normed, options());
  std::size_t bytes = 0;
  ASSERT_TRUE(succeeded(corrbank::workspace_bytes(scene.image_view(), templates, options(), bytes)));
  const std::size_t guard = 64;
  std::vector<unsigned char> memory(bytes + guard, 0xa5);
  Options own = options();
  own.workspace = memory.data(), own.workspace_size = bytes;
  std::vector<Match> with, without;
  ASSERT_TRUE(succeeded(corrbank::find(scene.image_view(), templates, {}, with, own)));
  ASSERT_TRUE(succeeded(corrbank::find(scene.image_view(), templates, {}, without, options())));
  ASSERT_EQ(with.size(), without.size());
  for (std::size_t i = bytes; i < memory.size(); ++i) ASSERT_EQ(memory[i], 0xa5);
  own.workspace_size = bytes - 1;
  EXPECT_EQ(corrbank::find(scene.image_view(), templates, {}, with, own).code(), StatusCode::workspace_too_small);
  Options limited = options();
  limited.workspace_limit = 1000;
  EXPECT_EQ(corrbank::find(scene.image_view(), templates, {}, with, limited).code(), StatusCode::workspace_too_small);
}

TEST_P(Matching, WarmupPreparesAllThatACallNeeds) {
  const Scene<float> scene({1, 90, 90, 8, 15, 15}, 0);
  Options fft = options();
  fft.algorithm = corrbank::Algorithm::fft;
  const Templates templates = scene.prepared(Method::ccoeff_normed, fft);
  const std::size_t before = templates.bytes();
  ASSERT_TRUE(succeeded(corrbank::warmup(scene.image_view(), templates, fft)));
  const std::size_t warm = templates.bytes();
  EXPECT_GT(warm, before);
  std::vector<Match> matches;
  ASSERT_TRUE(succeeded(corrbank::find(scene.image_view(), templates, {}, matches, fft)));
  EXPECT_EQ(templates.bytes(), warm);
}

TEST_P(Matching, BadInputIsRefused) {
  Scene<float> scene({1, 20, 20, 2, 5, 5}, 0);
  Templates made;
  const KernelsView view = scene.templates_view();
  KernelsView none = view;
  none.count = 0;
  EXPECT_EQ(Templates::create(none, Method::ccorr, nullptr, options(), made).code(), StatusCode::bad_extent);
  EXPECT_EQ(Templates::create(view, static_cast<Method>(7), nullptr, options(), made).code(), StatusCode::bad_option);
  const KernelsView wrong_mask(scene.templates.data(), 1, 1, 4, 5);
  EXPECT_EQ(Templates::create(view, Method::ccorr, &wrong_mask, options(), made).code(), StatusCode::bad_extent);
  const std::vector<float> bad(25, HUGE_VALF);
  const KernelsView infinite(bad.data(), 1, 1, 5, 5);
  EXPECT_EQ(Templates::create(view, Method::ccorr, &infinite, options(), made).code(), StatusCode::bad_option);
  EXPECT_TRUE(made.empty());
  std::vector<Match> matches(3);
  EXPECT_EQ(corrbank::find(scene.image_view(), made, {}, matches, options()).code(), StatusCode::bank_mismatch);
  made = scene.prepared(Method::ccorr, options());
  const ImageView small(scene.image.data(), 1, 4, 20);
  EXPECT_EQ(corrbank::find(small, made, {}, matches, options()).code(), StatusCode::bad_extent);
  const ImageView two(scene.image.data(), 2, 10, 20);
  EXPECT_EQ(corrbank::find(two, made, {}, matches, options()).code(), StatusCode::bad_extent);
  FindOptions f;
  f.top = 0;
  EXPECT_EQ(corrbank::find(scene.image_view(), made, f, matches, options()).code(), StatusCode::bad_option);
  f.top = -1;
  EXPECT_EQ(corrbank::find(scene.image_view(), made, f, matches, options()).code(), StatusCode::bad_option);
  f = {};
  f.region = {10, 10, 11, 5};
  EXPECT_EQ(corrbank::find(scene.image_view(), made, f, matches, options()).code(), StatusCode::bad_extent);
  EXPECT_EQ(matches.size(), 3u);
  std::vector<float> scores(2 * 16 * 16, sentinel());
  EXPECT_EQ(corrbank::match(scene.image_view(), made, {scores.data(), 2, 16, 15}, options()).code(),
            StatusCode::bad_extent);
  EXPECT_EQ(corrbank::match(scene.image_view(), made, {scene.image.data(), 2, 16, 16}, options()).code(),
            StatusCode::overlap);
  std::vector<std::int32_t> integers(scores.size());
  EXPECT_EQ(corrbank::match(scene.image_view(), made, {integers.data(), 2, 16, 16}, options()).code(),
            StatusCode::bad_option);
  EXPECT_TRUE(std::all_of(scores.begin(), scores.end(), is_sentinel));
}

}  // namespace
