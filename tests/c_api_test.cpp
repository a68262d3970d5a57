// The C ABI: the same answers as the C++ verbs, and refusals that a C caller can read.
#include "c_api_test.h"

#include <corrbank/corrbank.h>
#include <corrbank/match.h>
#include <corrbank/match.hpp>

#include <cstddef>

#include "testing.h"

namespace corrbank_test {
namespace {

#define CORRBANK_SAME(c_name, cpp_name) \
  static_assert(static_cast<int>(c_name) == static_cast<int>(corrbank::cpp_name), "one value, two names")
CORRBANK_SAME(CORRBANK_OK, StatusCode::ok);
CORRBANK_SAME(CORRBANK_NULL_POINTER, StatusCode::null_pointer);
CORRBANK_SAME(CORRBANK_BAD_EXTENT, StatusCode::bad_extent);
CORRBANK_SAME(CORRBANK_BAD_STRIDE, StatusCode::bad_stride);
CORRBANK_SAME(CORRBANK_MISALIGNED, StatusCode::misaligned);
CORRBANK_SAME(CORRBANK_OVERLAP, StatusCode::overlap);
CORRBANK_SAME(CORRBANK_TOO_LARGE, StatusCode::too_large);
CORRBANK_SAME(CORRBANK_BAD_OPTION, StatusCode::bad_option);
CORRBANK_SAME(CORRBANK_UNKNOWN_TARGET, StatusCode::unknown_target);
CORRBANK_SAME(CORRBANK_TARGET_UNAVAILABLE, StatusCode::target_unavailable);
CORRBANK_SAME(CORRBANK_BANK_MISMATCH, StatusCode::bank_mismatch);
CORRBANK_SAME(CORRBANK_WORKSPACE_TOO_SMALL, StatusCode::workspace_too_small);
CORRBANK_SAME(CORRBANK_OUT_OF_MEMORY, StatusCode::out_of_memory);
CORRBANK_SAME(CORRBANK_BAD_DEVICE, StatusCode::bad_device);
CORRBANK_SAME(CORRBANK_DEVICE_ERROR, StatusCode::device_error);
CORRBANK_SAME(CORRBANK_CPU, DeviceType::cpu);
CORRBANK_SAME(CORRBANK_CUDA, DeviceType::cuda);
CORRBANK_SAME(CORRBANK_F32, DType::f32);
CORRBANK_SAME(CORRBANK_U8, DType::u8);
CORRBANK_SAME(CORRBANK_U16, DType::u16);
CORRBANK_SAME(CORRBANK_I32, DType::i32);
CORRBANK_SAME(CORRBANK_CCORR, Method::ccorr);
CORRBANK_SAME(CORRBANK_CCORR_NORMED, Method::ccorr_normed);
CORRBANK_SAME(CORRBANK_SQDIFF, Method::sqdiff);
CORRBANK_SAME(CORRBANK_SQDIFF_NORMED, Method::sqdiff_normed);
CORRBANK_SAME(CORRBANK_CCOEFF, Method::ccoeff);
CORRBANK_SAME(CORRBANK_CCOEFF_NORMED, Method::ccoeff_normed);
CORRBANK_SAME(CORRBANK_ZNCC, Method::zncc);
CORRBANK_SAME(CORRBANK_NO_REFINEMENT, Refinement::none);
CORRBANK_SAME(CORRBANK_PARABOLA, Refinement::parabola);
CORRBANK_SAME(CORRBANK_LOG_GAUSSIAN, Refinement::log_gaussian);
CORRBANK_SAME(CORRBANK_AUTOMATIC, Algorithm::automatic);
CORRBANK_SAME(CORRBANK_DIRECT, Algorithm::direct);

class CApiTargets : public TargetTest {};

CORRBANK_FOR_EACH_CPU_TARGET(CApiTargets);

TEST_P(CApiTargets, AProgramInC) {
  const Case c = small_case();
  std::vector<float> responses = unwritten(c.shape);
  ASSERT_STREQ(c_small_case(GetParam().c_str(), c.image.data(), c.kernels.data(), responses.data()), "");
  EXPECT_TRUE(equal(c.shape, responses, integer_reference(c.shape, c.image, c.kernels)));
}

// An image of 20x30, and two parts of it of 5x6.
struct SmallScene {
  std::vector<std::uint8_t> image, parts;

  SmallScene() : image(600) {
    std::mt19937 random(seed);
    for (std::uint8_t& v : image) v = static_cast<std::uint8_t>(random());
    for (const std::size_t first : {4 * 30 + 7, 11 * 30 + 20}) {
      for (std::size_t i = 0; i < 30; ++i) parts.push_back(image[first + i / 6 * 30 + i % 6]);
    }
  }
};

TEST_P(CApiTargets, AProgramInCThatMatches) {
  const SmallScene scene;
  std::vector<int> scores(800);
  int places[4] = {};
  ASSERT_STREQ(c_match_case(GetParam().c_str(), scene.image.data(), scene.parts.data(), scores.data(), places), "");
  EXPECT_EQ(std::vector<int>(places, places + 4), (std::vector<int>{4, 7, 11, 20}));
  for (std::size_t at = 0; at < scores.size(); ++at) {
    int expected = 0;
    for (std::size_t i = 0; i < 30; ++i) {
      expected += scene.parts[at / 400 * 30 + i] * scene.image[(at % 400 / 25 + i / 6) * 30 + at % 25 + i % 6];
    }
    ASSERT_EQ(scores[at], expected) << at;
  }
}

// Valid calls of matching.
class CApiMatching : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(corrbank_templates_create(&parts, CORRBANK_CCOEFF_NORMED, nullptr, nullptr, &templates, message),
              CORRBANK_OK)
        << message;
  }
  void TearDown() override { corrbank_templates_destroy(templates); }
  corrbank_status find() {
    return corrbank_find(&image, templates, &wanted, peaks.data(), peaks.size(), &count, nullptr, message);
  }
  void expect_refused(corrbank_status expected, corrbank_status status, const char* argument) {
    EXPECT_EQ(status, expected) << message;
    EXPECT_NE(std::strstr(message, argument), nullptr) << "\"" << message << "\" does not name " << argument;
    EXPECT_TRUE(std::all_of(written.begin(), written.end(), is_sentinel));
    EXPECT_EQ(count, 12345U);
  }

  const SmallScene scene;
  corrbank_image image{sizeof image, scene.image.data(), CORRBANK_U8, 1, 20, 30, 600, 30, CORRBANK_CPU, 0};
  corrbank_kernels parts{sizeof parts, scene.parts.data(), CORRBANK_U8, 2, 1, 5, 6, 30, 30, 6, CORRBANK_CPU, 0};
  std::vector<float> written = std::vector<float>(800, sentinel());
  corrbank_responses scores{sizeof scores, written.data(), CORRBANK_F32, 2, 16, 25, 400, 25, CORRBANK_CPU, 0};
  corrbank_find_options wanted{sizeof wanted, 0, 0, CORRBANK_NO_REFINEMENT, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  std::vector<corrbank_peak> peaks = std::vector<corrbank_peak>(3);
  std::size_t count = 12345;
  corrbank_templates* templates = nullptr;
  char message[224] = {};
};

TEST_F(CApiMatching, AnswersAreThoseOfCpp) {
  corrbank::Templates made;
  const corrbank::KernelsView view(scene.parts.data(), 2, 1, 5, 6);
  const corrbank::ImageView pixels(scene.image.data(), 1, 20, 30);
  ASSERT_TRUE(succeeded(corrbank::Templates::create(view, corrbank::Method::ccoeff_normed, nullptr, {}, made)));
  std::vector<float> expected(800), best(400);
  std::vector<std::uint8_t> valid(800), expected_valid(800);
  std::vector<std::int32_t> whose(400), expected_whose(400);
  ASSERT_TRUE(succeeded(corrbank::match(pixels, made, {expected.data(), 2, 16, 25}, {}, expected_valid.data())));
  ASSERT_EQ(corrbank_match(&image, templates, &scores, valid.data(), nullptr, message), CORRBANK_OK) << message;
  EXPECT_EQ(written, expected);
  EXPECT_EQ(valid, expected_valid);
  ASSERT_TRUE(succeeded(corrbank::match_best(pixels, made, {best.data(), 1, 16, 25}, expected_whose.data())));
  scores.count = 1;
  ASSERT_EQ(corrbank_match_best(&image, templates, &scores, whose.data(), nullptr, message), CORRBANK_OK) << message;
  EXPECT_TRUE(std::equal(best.begin(), best.end(), written.begin()));
  EXPECT_EQ(whose, expected_whose);

  corrbank::FindOptions options;
  options.top = 0, options.threshold = 0.2, options.min_distance = 0, options.max_overlap = 0.5;
  options.refinement = corrbank::Refinement::parabola, options.region = {2, 3, 15, 26};
  wanted = {sizeof wanted, CORRBANK_ALL, 1, CORRBANK_PARABOLA, 0.2, 1, 1, 0, 0.5, 2, 3, 15, 26};
  std::vector<corrbank::Match> found;
  ASSERT_TRUE(succeeded(corrbank::find(pixels, made, options, found)));
  ASSERT_EQ(find(), CORRBANK_OK) << message;
  ASSERT_EQ(count, found.size());
  ASSERT_GT(count, peaks.size());  // only the first are written
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    EXPECT_EQ(peaks[i].template_index, found[i].template_index);
    EXPECT_EQ(peaks[i].y, found[i].y);
    EXPECT_EQ(peaks[i].x, found[i].x);
    EXPECT_EQ(peaks[i].score, found[i].score);
    EXPECT_EQ(peaks[i].refined_y, found[i].refined_y);
    EXPECT_EQ(peaks[i].refined_x, found[i].refined_x);
  }

  std::size_t bytes = 0, expected_bytes = 0;
  ASSERT_TRUE(succeeded(corrbank::workspace_bytes(pixels, made, {}, expected_bytes)));
  ASSERT_EQ(corrbank_match_workspace_bytes(&image, templates, nullptr, &bytes, message), CORRBANK_OK) << message;
  EXPECT_EQ(bytes, expected_bytes);
  corrbank_plan_info plan{sizeof plan, nullptr, nullptr, 0, 0, 0, 0, 0, {}, 0, 0, {}};
  ASSERT_EQ(corrbank_match_plan(&image, templates, nullptr, &plan, message), CORRBANK_OK) << message;
  EXPECT_EQ(corrbank_match_warmup(&image, templates, nullptr, message), CORRBANK_OK) << message;
  EXPECT_EQ(plan.workspace_bytes, expected_bytes);
}

TEST_F(CApiMatching, WhatIsWrongIsRefusedByName) {
  corrbank_templates* other = templates;
  const auto null = CORRBANK_NULL_POINTER, bad = CORRBANK_BAD_OPTION;
  expect_refused(null, corrbank_templates_create(nullptr, 0, nullptr, nullptr, &other, message), "templates");
  expect_refused(null, corrbank_templates_create(&parts, 0, nullptr, nullptr, nullptr, message), "made");
  expect_refused(bad, corrbank_templates_create(&parts, 7, nullptr, nullptr, &other, message), "method");
  corrbank_kernels masks = parts;
  masks.size = 1;
  expect_refused(bad, corrbank_templates_create(&parts, 0, &masks, nullptr, &other, message), "masks.size");
  EXPECT_EQ(other, templates);
  expect_refused(null, corrbank_match(nullptr, templates, &scores, nullptr, nullptr, message), "image");
  expect_refused(null, corrbank_match(&image, nullptr, &scores, nullptr, nullptr, message), "templates");
  expect_refused(null, corrbank_match(&image, templates, nullptr, nullptr, nullptr, message), "responses");
  expect_refused(null, corrbank_match_workspace_bytes(&image, templates, nullptr, nullptr, message), "bytes");
  expect_refused(null, corrbank_match_plan(&image, templates, nullptr, nullptr, message), "plan");
  expect_refused(null, corrbank_match_warmup(nullptr, templates, nullptr, message), "image");
  expect_refused(null, corrbank_find(&image, templates, &wanted, nullptr, 1, &count, nullptr, message), "peaks");
  expect_refused(null, corrbank_find(&image, templates, &wanted, nullptr, 0, nullptr, nullptr, message), "count");
  scores.count = 1;
  expect_refused(null, corrbank_match_best(&image, templates, &scores, nullptr, nullptr, message), "best");
  wanted.size = 8;
  expect_refused(bad, find(), "find_options.size");
  wanted.size = sizeof wanted;
  wanted.top = -2;
  expect_refused(bad, find(), "find_options.top");
  wanted.top = CORRBANK_ALL;
  expect_refused(bad, find(), "threshold");
  wanted.top = 1;
  wanted.has_min_distance = 1, wanted.min_distance = -1;
  expect_refused(bad, find(), "find_options.min_distance");
  wanted.min_distance = 0;
  wanted.has_max_overlap = 1, wanted.max_overlap = -1;
  expect_refused(bad, find(), "find_options.max_overlap");
  wanted.max_overlap = 1;
  wanted.refinement = 3;
  expect_refused(bad, find(), "find_options.refinement");
  wanted.refinement = 0;
  EXPECT_EQ(find(), CORRBANK_OK) << message;
  corrbank_templates_destroy(nullptr);
  EXPECT_EQ(corrbank_templates_bytes(nullptr), 0U);
  EXPECT_STREQ(corrbank_templates_target(nullptr), "");
  EXPECT_EQ(corrbank_templates_valid(nullptr, 0), 0);
}

// A valid call, of which each test spoils one thing.
class CApi : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(corrbank_bank_create(&kernels, nullptr, &bank, message), CORRBANK_OK) << message; }
  void TearDown() override {
    corrbank_bank_destroy(bank);
    EXPECT_EQ(message[sizeof message - 1], guard) << "a message is longer than promised";
  }
  corrbank_status correlate() { return corrbank_correlate(&image, bank, &responses, &options, message); }
  // A refusal names its argument and has written nothing.
  void expect_refused(corrbank_status expected, corrbank_status status, const char* argument) {
    EXPECT_EQ(status, expected) << message;
    EXPECT_NE(std::strstr(message, argument), nullptr) << "\"" << message << "\" does not name " << argument;
    EXPECT_TRUE(std::all_of(written.begin(), written.end(), is_sentinel));
    EXPECT_EQ(plan.target, nullptr);
    EXPECT_EQ(bytes, untouched_bytes);
  }

  static constexpr char guard = '#';
  static constexpr std::size_t untouched_bytes = 12345;
  const Case c = small_case();
  std::vector<float> written = unwritten(c.shape);
  corrbank_image image{sizeof image, c.image.data(), CORRBANK_F32, 2, 5, 10, 50, 10, CORRBANK_CPU, 0};
  corrbank_kernels kernels{sizeof kernels, c.kernels.data(), CORRBANK_F32, 3, 2, 3, 3, 18, 9, 3, CORRBANK_CPU, 0};
  corrbank_responses responses{sizeof responses, written.data(), CORRBANK_F32, 3, 3, 8, 24, 8, CORRBANK_CPU, 0};
  corrbank_options options{sizeof options, CORRBANK_AUTOMATIC, 0, nullptr, {nullptr, nullptr}, nullptr, 0, 0,
                           nullptr,        CORRBANK_FAST,      0, 0};
  corrbank_plan_info plan{sizeof plan, nullptr, nullptr, 0, 0, 0, 0, 0, {}, 0, 0, {}};
  std::size_t bytes = untouched_bytes;
  corrbank_bank* bank = nullptr;
  char message[225] = {};

  CApi() { message[sizeof message - 1] = guard; }
};

TEST_F(CApi, StructsOfTheFirstVersionAreTaken) {
  image.size = offsetof(corrbank_image, device_type);
  responses.size = offsetof(corrbank_responses, device_type);
  options.size = offsetof(corrbank_options, device);
  // Behind their end is what a caller of that version has there.
  image.device_type = responses.device_type = 77;
  options.device = -1;
  EXPECT_EQ(correlate(), CORRBANK_OK) << message;
  EXPECT_TRUE(equal(c.shape, written, integer_reference(c.shape, c.image, c.kernels)));
}

TEST_F(CApi, MemoryOfAnotherDeviceIsRefused) {
  image.device_type = CORRBANK_CUDA;
  expect_refused(CORRBANK_BAD_DEVICE, correlate(), "image.device");
  image.device_type = CORRBANK_CPU;
  responses.device_type = 77;
  expect_refused(CORRBANK_BAD_DEVICE, correlate(), "responses.device");
}

TEST_F(CApi, WarmupChecksWhatCorrelateWould) {
  EXPECT_EQ(corrbank_warmup(&image, bank, nullptr, message), CORRBANK_OK) << message;
  expect_refused(CORRBANK_NULL_POINTER, corrbank_warmup(&image, nullptr, nullptr, message), "bank");
  image.channels = 5;
  expect_refused(CORRBANK_BAD_EXTENT, corrbank_warmup(&image, bank, nullptr, message), "image.channels");
}

TEST_F(CApi, NothingButTheStructsIsNeeded) {
  std::strcpy(message, "of an earlier call");
  EXPECT_EQ(corrbank_correlate(&image, bank, &responses, nullptr, message), CORRBANK_OK);
  EXPECT_STREQ(message, "");
  EXPECT_TRUE(equal(c.shape, written, integer_reference(c.shape, c.image, c.kernels)));
  std::fill(written.begin(), written.end(), sentinel());
  EXPECT_EQ(corrbank_correlate(&image, bank, &responses, nullptr, nullptr), CORRBANK_OK);
  EXPECT_TRUE(equal(c.shape, written, integer_reference(c.shape, c.image, c.kernels)));
  image.size = 0;
  EXPECT_EQ(corrbank_correlate(&image, bank, &responses, nullptr, nullptr), CORRBANK_BAD_OPTION);
}

TEST_F(CApi, AStructOfAnotherSizeIsRefused) {
  for (const std::size_t wrong : {std::size_t{0}, std::size_t{8}, ~std::size_t{0}}) {
    corrbank_bank* other = bank;
    kernels.size = wrong;
    expect_refused(CORRBANK_BAD_OPTION, corrbank_bank_create(&kernels, nullptr, &other, message), "kernels.size");
    EXPECT_EQ(other, bank);
    image.size = wrong;
    expect_refused(CORRBANK_BAD_OPTION, correlate(), "image.size");
    expect_refused(CORRBANK_BAD_OPTION, corrbank_plan(&image, bank, nullptr, &plan, message), "image.size");
    expect_refused(CORRBANK_BAD_OPTION, corrbank_workspace_bytes(&image, bank, nullptr, &bytes, message), "image.size");
    image.size = sizeof image;
    responses.size = wrong;
    expect_refused(CORRBANK_BAD_OPTION, correlate(), "responses.size");
    responses.size = sizeof responses;
    plan.size = wrong;
    expect_refused(CORRBANK_BAD_OPTION, corrbank_plan(&image, bank, nullptr, &plan, message), "plan.size");
    plan.size = sizeof plan;
    options.size = wrong;
    expect_refused(CORRBANK_BAD_OPTION, correlate(), "options.size");
    expect_refused(CORRBANK_BAD_OPTION, corrbank_plan(&image, bank, &options, &plan, message), "options.size");
    expect_refused(CORRBANK_BAD_OPTION, corrbank_workspace_bytes(&image, bank, &options, &bytes, message),
                   "options.size");
    expect_refused(CORRBANK_BAD_OPTION, corrbank_bank_create(&kernels, &options, &other, message), "options.size");
    options.size = sizeof options;
  }
}

TEST_F(CApi, NullIsRefusedByName) {
  const auto null = CORRBANK_NULL_POINTER;
  corrbank_bank* other = bank;
  expect_refused(null, corrbank_bank_create(nullptr, nullptr, &other, message), "kernels");
  expect_refused(null, corrbank_bank_create(&kernels, nullptr, nullptr, message), "bank");
  expect_refused(null, corrbank_correlate(nullptr, bank, &responses, nullptr, message), "image");
  expect_refused(null, corrbank_correlate(&image, nullptr, &responses, nullptr, message), "bank");
  expect_refused(null, corrbank_correlate(&image, bank, nullptr, nullptr, message), "responses");
  expect_refused(null, corrbank_workspace_bytes(nullptr, bank, nullptr, &bytes, message), "image");
  expect_refused(null, corrbank_workspace_bytes(&image, nullptr, nullptr, &bytes, message), "bank");
  expect_refused(null, corrbank_workspace_bytes(&image, bank, nullptr, nullptr, message), "bytes");
  expect_refused(null, corrbank_plan(nullptr, bank, nullptr, &plan, message), "image");
  expect_refused(null, corrbank_plan(&image, nullptr, nullptr, &plan, message), "bank");
  expect_refused(null, corrbank_plan(&image, bank, nullptr, nullptr, message), "plan");
  kernels.data = nullptr;
  expect_refused(null, corrbank_bank_create(&kernels, nullptr, &other, message), "kernels.data");
  EXPECT_EQ(other, bank);
  image.data = nullptr;
  expect_refused(null, correlate(), "image.data");
}

TEST_F(CApi, ABankThatIsNullIsEmpty) {
  corrbank_bank_destroy(nullptr);
  EXPECT_EQ(corrbank_bank_bytes(nullptr), 0U);
  EXPECT_STREQ(corrbank_bank_target(nullptr), "");
}

TEST_F(CApi, FieldsReachTheCall) {
  image.height = 2;
  expect_refused(CORRBANK_BAD_EXTENT, correlate(), "image");
  image.height = 5;
  image.row_stride = -1;
  expect_refused(CORRBANK_BAD_STRIDE, correlate(), "image.row_stride");
  image.row_stride = 10;
  image.channel_stride = -1;
  expect_refused(CORRBANK_BAD_STRIDE, correlate(), "image.channel_stride");
  image.channel_stride = 50;
  image.dtype = 77;
  expect_refused(CORRBANK_BAD_OPTION, correlate(), "image.dtype");
  image.dtype = CORRBANK_F32;
  responses.width = 7;
  expect_refused(CORRBANK_BAD_EXTENT, correlate(), "responses.width");
  responses.width = 8;
  responses.row_stride = 7;
  expect_refused(CORRBANK_BAD_STRIDE, correlate(), "responses.row_stride");
  responses.row_stride = 8;
  options.algorithm = 77;
  expect_refused(CORRBANK_BAD_OPTION, correlate(), "options.algorithm");
  options.algorithm = CORRBANK_DIRECT;
  options.threads = 257;
  expect_refused(CORRBANK_BAD_OPTION, correlate(), "options.threads");
  options.threads = 2;
  options.target = "no_such_target";
  expect_refused(CORRBANK_UNKNOWN_TARGET, correlate(), "options.target");
  options.target = nullptr;
  options.workspace = written.data();
  options.workspace_size = 4;
  expect_refused(CORRBANK_WORKSPACE_TOO_SMALL, correlate(), "options.workspace_size");
  options.workspace = nullptr;
  options.workspace_size = 0;
  EXPECT_EQ(correlate(), CORRBANK_OK) << message;
}

TEST_F(CApi, AnExecutorRunsTheTasks) {
  // Large enough to be cut.
  Case large = integer_case({2, 400, 110, 3, 3, 3});
  large.kernels = c.kernels;
  std::vector<float> out = unwritten(large.shape);
  image = {sizeof image, large.image.data(), CORRBANK_F32, 2, 400, 110, 44000, 110, CORRBANK_CPU, 0};
  responses = {sizeof responses, out.data(), CORRBANK_F32, 3, 398, 108, 398 * 108, 108, CORRBANK_CPU, 0};
  int ran = 0;
  options.threads = 4;
  options.executor.context = &ran;
  options.executor.run = [](void* context, int tasks, void (*task)(void*, int), void* argument) {
    for (int n = tasks; n-- > 0;) task(argument, n);
    *static_cast<int*>(context) += tasks;
  };
  ASSERT_EQ(corrbank_plan(&image, bank, &options, &plan, message), CORRBANK_OK) << message;
  ASSERT_GT(plan.tasks, 1);
  ASSERT_EQ(correlate(), CORRBANK_OK) << message;
  EXPECT_EQ(ran, plan.tasks);
  EXPECT_TRUE(equal(large.shape, out, integer_reference(large.shape, large.image, large.kernels)));
}

TEST_F(CApi, TargetsAndVersionAreThoseOfCpp) {
  EXPECT_STREQ(corrbank_version(), corrbank::version());
  std::size_t n = 0;
  for (const std::string& name : usable_targets()) EXPECT_EQ(name, corrbank_targets()[n++]);
  EXPECT_EQ(corrbank_targets()[n], nullptr);
}

}  // namespace
}  // namespace corrbank_test
