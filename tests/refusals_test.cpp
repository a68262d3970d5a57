// What a call must refuse: with the right code, a message that names the argument, and nothing written.
#include <sys/mman.h>

#include <cstdio>
#include <limits>
#include <memory>
#include <set>

#include "reference.h"
#include "rules.h"
#include "testing.h"

using namespace corrbank_test;
using corrbank::Bank;
using corrbank::ImageView;
using corrbank::KernelsView;
using corrbank::Options;
using corrbank::ResponsesView;
using corrbank::Status;
using corrbank::StatusCode;

namespace {

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

testing::AssertionResult refused(const Status& status, StatusCode code, const char* argument) {
  return follows(status, {{code, argument}});
}

// ---- The matrix: every field, alone and in pairs, at values where sizes wrap.

struct Call {
  ImageView image;
  KernelsView kernels;
  ResponsesView responses;
};

struct Field {
  const char* name;
  void (*set)(Call&, std::int64_t);
};

corrbank::DType dtype(std::int64_t value) { return static_cast<corrbank::DType>(static_cast<std::int32_t>(value)); }

constexpr Field fields[] = {
    {"image.dtype", [](Call& c, std::int64_t v) { c.image.dtype = dtype(v); }},
    {"image.channels", [](Call& c, std::int64_t v) { c.image.channels = v; }},
    {"image.height", [](Call& c, std::int64_t v) { c.image.height = v; }},
    {"image.width", [](Call& c, std::int64_t v) { c.image.width = v; }},
    {"image.channel_stride", [](Call& c, std::int64_t v) { c.image.channel_stride = v; }},
    {"image.row_stride", [](Call& c, std::int64_t v) { c.image.row_stride = v; }},
    {"kernels.dtype", [](Call& c, std::int64_t v) { c.kernels.dtype = dtype(v); }},
    {"kernels.count", [](Call& c, std::int64_t v) { c.kernels.count = v; }},
    {"kernels.channels", [](Call& c, std::int64_t v) { c.kernels.channels = v; }},
    {"kernels.height", [](Call& c, std::int64_t v) { c.kernels.height = v; }},
    {"kernels.width", [](Call& c, std::int64_t v) { c.kernels.width = v; }},
    {"kernels.kernel_stride", [](Call& c, std::int64_t v) { c.kernels.kernel_stride = v; }},
    {"kernels.channel_stride", [](Call& c, std::int64_t v) { c.kernels.channel_stride = v; }},
    {"kernels.row_stride", [](Call& c, std::int64_t v) { c.kernels.row_stride = v; }},
    {"responses.dtype", [](Call& c, std::int64_t v) { c.responses.dtype = dtype(v); }},
    {"responses.count", [](Call& c, std::int64_t v) { c.responses.count = v; }},
    {"responses.height", [](Call& c, std::int64_t v) { c.responses.height = v; }},
    {"responses.width", [](Call& c, std::int64_t v) { c.responses.width = v; }},
    {"responses.kernel_stride", [](Call& c, std::int64_t v) { c.responses.kernel_stride = v; }},
    {"responses.row_stride", [](Call& c, std::int64_t v) { c.responses.row_stride = v; }},
};

// Pairs of these wrap in 64 bits: 2^32 * 2^32 is 0, 2 * 2^63 / 3 is negative, 3037000500^2 just passes 2^63.
constexpr std::int64_t values[] = {0,
                                   -1,
                                   1,
                                   2,
                                   std::int64_t{1} << 28,
                                   int32_max,
                                   int32_max + 1,
                                   std::int64_t{1} << 32,
                                   3037000500,
                                   std::int64_t{1} << 62,
                                   int64_max / 3 + 1,
                                   int64_min,
                                   int64_max};

// Address space of which pages exist once touched: legal strides reach over gigabytes.
class AddressSpace {
 public:
  explicit AddressSpace(std::size_t bytes) : bytes_(bytes) {
    void* mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped != MAP_FAILED) data_ = static_cast<float*>(mapped);
  }
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;
  ~AddressSpace() {
    if (data_ != nullptr) munmap(data_, bytes_);
  }
  [[nodiscard]] float* data() const { return data_; }
  template <typename View>
  [[nodiscard]] bool holds(const View& view) const {
    const Memory inside = memory(view);
    const Memory all = memory(data_, static_cast<Wide>(bytes_));
    return inside.first >= all.first && inside.end <= all.end;
  }

 private:
  std::size_t bytes_;
  float* data_ = nullptr;
};

// Small integers, so that every sum is exact.
float value_at(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  return static_cast<float>((a * 7 + b * 5 + c * 3 + d * 2 + a * d + b * c) % 11 - 5);
}

const float* element(const KernelsView& v, std::int64_t k, std::int64_t c, std::int64_t i, std::int64_t j) {
  return static_cast<const float*>(v.data) + (v.count > 1 ? k * v.kernel_stride : 0) +
         (v.channels > 1 ? c * v.channel_stride : 0) + (v.height > 1 ? i * v.row_stride : 0) + j;
}
const float* element(const ImageView& v, std::int64_t c, std::int64_t y, std::int64_t x) {
  return static_cast<const float*>(v.data) + (v.channels > 1 ? c * v.channel_stride : 0) +
         (v.height > 1 ? y * v.row_stride : 0) + x;
}
float* element(const ResponsesView& v, std::int64_t k, std::int64_t y, std::int64_t x) {
  return static_cast<float*>(v.data) + (v.count > 1 ? k * v.kernel_stride : 0) + (v.height > 1 ? y * v.row_stride : 0) + x;
}

template <typename Visit>
void for_each(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d, Visit visit) {
  for (std::int64_t i = 0; i < a; ++i)
    for (std::int64_t j = 0; j < b; ++j)
      for (std::int64_t k = 0; k < c; ++k)
        for (std::int64_t l = 0; l < d; ++l) visit(i, j, k, l);
}

void fill(const KernelsView& v) {
  for_each(v.count, v.channels, v.height, v.width, [&](auto k, auto c, auto i, auto j) {
    *const_cast<float*>(element(v, k, c, i, j)) = value_at(k, c, i, j);
  });
}
void fill(const ImageView& v) {
  for_each(1, v.channels, v.height, v.width, [&](auto, auto c, auto y, auto x) {
    *const_cast<float*>(element(v, c, y, x)) = value_at(c, y, x, 1);
  });
}

class Matrix {
 public:
  // Kernels may span 2^34 elements at these values, the image 2^31 and the responses 2^33.
  Matrix(const Options& options, const Shape& shape)
      : options_(options),
        image_memory_(std::size_t{9} << 30),
        kernels_memory_(std::size_t{65} << 30),
        responses_memory_(std::size_t{34} << 30) {
    if (!has_memory()) return;
    near_ = responses_memory_.data();
    const Call views = {{image_memory_.data(), shape.channels, shape.height, shape.width},
                        {kernels_memory_.data(), shape.count, shape.channels, shape.kernel_height, shape.kernel_width},
                        {near_ + near_size / 2, shape.count, shape.response_height(), shape.response_width()}};
    base_ = views;
    reset_near();
    untouched_.assign(near_, near_ + near_size);
    fill(base_.kernels);
    created_ = Bank::create(base_.kernels, options_, bank_);
  }
  [[nodiscard]] bool has_memory() const {
    return image_memory_.data() != nullptr && kernels_memory_.data() != nullptr && responses_memory_.data() != nullptr;
  }
  [[nodiscard]] const Status& created() const { return created_; }
  [[nodiscard]] const Call& base() const { return base_; }

  testing::AssertionResult check(const Call& call) {
    ++cases;
    for (auto rule : {&Matrix::check_create, &Matrix::check_queries, &Matrix::check_bank, &Matrix::check_one_shot}) {
      testing::AssertionResult result = (this->*rule)(call);
      if (!result) return result;
    }
    return testing::AssertionSuccess();
  }

  int cases = 0, right = 0, refused = 0, legal_but_large = 0;

 private:
  static constexpr std::size_t near_size = 2048;  // responses that a refused call would reach first
  static constexpr Wide most_kernel_elements = 1 << 20;

  void reset_near() { std::fill_n(near_, near_size, sentinel()); }

  [[nodiscard]] bool can_make(const KernelsView& k) const {
    return kernels_memory_.holds(k) &&
           times(times(k.count, k.channels), times(k.height, k.width)) <= most_kernel_elements;
  }

  testing::AssertionResult check_create(const Call& call) {
    const Violations violations = kernels_violations(call.kernels);
    if (violations.empty()) {
      if (!can_make(call.kernels)) return large();
      Bank made;
      return follows(Bank::create(call.kernels, options_, made), violations) << " in create";
    }
    unsigned char before[sizeof(Bank)], after[sizeof(Bank)];
    std::memcpy(before, static_cast<const void*>(&bank_), sizeof before);
    testing::AssertionResult result = follows(Bank::create(call.kernels, options_, bank_), violations);
    std::memcpy(after, static_cast<const void*>(&bank_), sizeof after);
    if (std::memcmp(before, after, sizeof before) != 0) {
      return testing::AssertionFailure() << "a refused create changed the bank";
    }
    ++refused;
    return result;
  }

  // Without data: plan() and workspace_bytes() touch none.
  testing::AssertionResult check_queries(const Call& call) {
    ImageView image = call.image;
    image.data = nullptr;
    const Violations violations = image_violations(image, base_.kernels);
    std::size_t bytes = 12345;
    corrbank::Plan plan;
    plan.tasks = 12345;
    testing::AssertionResult result = follows(corrbank::plan(image, bank_, options_, plan), violations);
    if (!result) return result << " in plan";
    result = follows(corrbank::workspace_bytes(image, bank_, options_, bytes), violations);
    if (!result) return result << " in workspace_bytes";
    if (violations.empty()) return result;
    ++refused;
    if (plan.tasks != 12345 || bytes != 12345) return testing::AssertionFailure() << "a refused query wrote its answer";
    return result;
  }

  testing::AssertionResult check_bank(const Call& call) {
    const Violations violations = call_violations(call.image, base_.kernels, call.responses);
    if (!violations.empty()) return unwritten(corrbank::correlate(call.image, bank_, call.responses, options_), violations);
    if (!image_memory_.holds(call.image) || !responses_memory_.holds(call.responses)) return large();
    fill(call.image);
    const Status status = corrbank::correlate(call.image, bank_, call.responses, options_);
    return correct(status, call.image, base_.kernels, call.responses);
  }

  testing::AssertionResult check_one_shot(const Call& call) {
    Violations violations = kernels_violations(call.kernels);
    const Violations others = call_violations(call.image, call.kernels, call.responses);
    violations.insert(violations.end(), others.begin(), others.end());
    if (!violations.empty()) {
      return unwritten(corrbank::correlate(call.image, call.kernels, call.responses, options_), violations);
    }
    if (!can_make(call.kernels) || !image_memory_.holds(call.image) || !responses_memory_.holds(call.responses)) {
      return large();
    }
    fill(call.image);
    fill(call.kernels);
    const Status status = corrbank::correlate(call.image, call.kernels, call.responses, options_);
    testing::AssertionResult result = correct(status, call.image, call.kernels, call.responses);
    fill(base_.kernels);
    return result;
  }

  testing::AssertionResult large() {
    ++legal_but_large;
    return testing::AssertionSuccess();
  }

  testing::AssertionResult unwritten(const Status& status, const Violations& violations) {
    ++refused;
    testing::AssertionResult result = follows(status, violations);
    if (!result) return result;
    if (std::memcmp(near_, untouched_.data(), near_size * sizeof(float)) == 0) return result;
    return testing::AssertionFailure() << "a refused call wrote responses: " << status.message();
  }

  // Every response right, and nothing written between them.
  testing::AssertionResult correct(const Status& status, const ImageView& image, const KernelsView& kernels,
                                   const ResponsesView& responses) {
    testing::AssertionResult result = follows(status, {});
    if (!result) return result;
    ++right;
    std::set<const float*> named;
    for_each(1, responses.count, responses.height, responses.width, [&](auto, auto k, auto y, auto x) {
      float sum = 0;
      for_each(1, kernels.channels, kernels.height, kernels.width, [&](auto, auto c, auto i, auto j) {
        sum += *element(kernels, k, c, i, j) * *element(image, c, y + i, x + j);
      });
      const float* response = element(responses, k, y, x);
      named.insert(response);
      if (*response != sum && result) {
        result = testing::AssertionFailure() << "response " << k << ", " << y << ", " << x << " is " << *response
                                             << " but must be " << sum;
      }
    });
    for (std::size_t n = 0; n < near_size; ++n) {
      if (result && !is_sentinel(near_[n]) && named.count(near_ + n) == 0) {
        result = testing::AssertionFailure() << "wrote an element that is no response";
      }
    }
    reset_near();
    return result;
  }

  Options options_;
  AddressSpace image_memory_, kernels_memory_, responses_memory_;
  float* near_ = nullptr;
  std::vector<float> untouched_;
  Call base_;
  Bank bank_;
  Status created_;
};

class Refusals : public TargetTest {
 protected:
  void SetUp() override { ASSERT_TRUE(succeeded(Bank::create(small_.kernels_view(), options(), bank_))); }

  // Sentinels around and in the place of the responses, one element past both ends included.
  void expect_unwritten() const {
    for (const float value : responses_) ASSERT_TRUE(is_sentinel(value)) << "a refused call wrote responses";
  }
  [[nodiscard]] ResponsesView responses() { return small_.responses_view(responses_.data()); }

  // Both forms of the call, which must refuse alike.
  void expect_refused(const ImageView& image, const ResponsesView& responses, const Options& options, StatusCode code,
                      const char* argument) {
    EXPECT_TRUE(refused(corrbank::correlate(image, bank_, responses, options), code, argument));
    EXPECT_TRUE(refused(corrbank::correlate(image, small_.kernels_view(), responses, options), code, argument));
    expect_unwritten();
  }
  void expect_options_refused(const Options& options, StatusCode code, const char* argument) {
    expect_refused(small_.image_view(), responses(), options, code, argument);
    corrbank::Plan plan;
    std::size_t bytes = 0;
    Bank none;
    EXPECT_TRUE(refused(Bank::create(small_.kernels_view(), options, none), code, argument));
    EXPECT_TRUE(none.empty());
    EXPECT_TRUE(refused(corrbank::plan(small_.image_view(), bank_, options, plan), code, argument));
    EXPECT_TRUE(refused(corrbank::workspace_bytes(small_.image_view(), bank_, options, bytes), code, argument));
  }

  const Case small_ = small_case();
  std::vector<float> responses_ = std::vector<float>(small_.shape.responses_size() + 64, sentinel());
  Bank bank_;
};
CORRBANK_FOR_EACH_TARGET(Refusals);

template <typename T>
T* shifted(T* pointer, std::size_t bytes) {
  return reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(pointer) + bytes);  // NOLINT: a caller's mistake
}

}  // namespace

TEST_P(Refusals, EveryFieldAloneAndInPairs) {
  // Extents of several, of one (whose strides mean nothing), and the 1x1 kernels that plans treat as one long row.
  for (const Shape& shape : {Shape{2, 5, 10, 3, 3, 3}, Shape{1, 1, 12, 1, 1, 3}, Shape{2, 3, 7, 3, 1, 1}}) {
    Matrix matrix(options(), shape);
    if (!matrix.has_memory()) GTEST_SKIP() << "this machine does not lend 108 GiB of address space";
    ASSERT_TRUE(succeeded(matrix.created()));
    ASSERT_TRUE(matrix.check(matrix.base()));
    for (const Field& a : fields) {
      for (const std::int64_t value : values) {
        Call call = matrix.base();
        a.set(call, value);
        ASSERT_TRUE(matrix.check(call)) << a.name << " = " << value << " of " << shape;
        for (const Field* b = &a + 1; b != std::end(fields); ++b) {
          for (const std::int64_t other : values) {
            Call pair = call;
            b->set(pair, other);
            ASSERT_TRUE(matrix.check(pair)) << a.name << " = " << value << ", " << b->name << " = " << other << " of "
                                            << shape;
          }
        }
      }
    }
    std::printf("%d cases: %d calls refused, %d right, %d legal but too large to run\n", matrix.cases, matrix.refused,
                matrix.right, matrix.legal_but_large);
    EXPECT_GE(matrix.cases, 1000);
    EXPECT_GE(matrix.refused, 1000);
    EXPECT_GE(matrix.right, 100);
  }
}

TEST_P(Refusals, NullPointers) {
  ImageView image = small_.image_view();
  image.data = nullptr;
  expect_refused(image, responses(), options(), StatusCode::null_pointer, "image.data");
  expect_refused(small_.image_view(), small_.responses_view(nullptr), options(), StatusCode::null_pointer, "responses.data");
  KernelsView kernels = small_.kernels_view();
  kernels.data = nullptr;
  EXPECT_TRUE(refused(Bank::create(kernels, options(), bank_), StatusCode::null_pointer, "kernels.data"));
  EXPECT_TRUE(refused(corrbank::correlate(small_.image_view(), kernels, responses(), options()),
                      StatusCode::null_pointer, "kernels.data"));
  expect_unwritten();
}

TEST_P(Refusals, MisalignedPointers) {
  for (std::size_t bytes = 1; bytes < 4; ++bytes) {
    ImageView image = small_.image_view();
    image.data = shifted(small_.image.data(), bytes);
    expect_refused(image, responses(), options(), StatusCode::misaligned, "image.data");
    expect_refused(small_.image_view(), small_.responses_view(shifted(responses_.data(), bytes)), options(),
                   StatusCode::misaligned, "responses.data");
    KernelsView kernels = small_.kernels_view();
    kernels.data = shifted(small_.kernels.data(), bytes);
    EXPECT_TRUE(refused(Bank::create(kernels, options(), bank_), StatusCode::misaligned, "kernels.data"));
    EXPECT_TRUE(refused(corrbank::correlate(small_.image_view(), kernels, responses(), options()),
                        StatusCode::misaligned, "kernels.data"));
    expect_unwritten();
  }
}

TEST_P(Refusals, ExtentsThatDoNotFit) {
  for (const std::int64_t channels : {1, 3}) {
    ImageView image = small_.image_view();
    image.channels = channels;
    expect_refused(image, responses(), options(), StatusCode::bad_extent, "image.channels");
  }
  ImageView low = small_.image_view(), narrow = low;
  low.height = small_.shape.kernel_height - 1;
  narrow.width = small_.shape.kernel_width - 1;
  expect_refused(low, responses(), options(), StatusCode::bad_extent, "image");
  expect_refused(narrow, responses(), options(), StatusCode::bad_extent, "image");
  for (const std::int64_t error : {-1, 1}) {
    ResponsesView count = responses(), height = count, width = count;
    count.count += error, height.height += error, width.width += error;
    expect_refused(small_.image_view(), count, options(), StatusCode::bad_extent, "responses.count");
    expect_refused(small_.image_view(), height, options(), StatusCode::bad_extent, "responses.height");
    expect_refused(small_.image_view(), width, options(), StatusCode::bad_extent, "responses.width");
  }
}

TEST_P(Refusals, ResponsesOverTheImage) {
  const std::size_t image_size = small_.shape.image_size(), size = small_.shape.responses_size();
  const std::vector<std::int32_t> expected = integer_reference(small_.shape, small_.image, small_.kernels);
  // One buffer: the image, and responses of which the first element lies at `place`.
  const std::size_t image_at = size;
  const auto call = [&](std::size_t place) {
    std::vector<float> buffer(size + image_size + size, sentinel());
    std::copy(small_.image.begin(), small_.image.end(), buffer.begin() + static_cast<std::ptrdiff_t>(image_at));
    const std::vector<float> before = buffer;
    const Shape& s = small_.shape;
    const ImageView image(buffer.data() + image_at, s.channels, s.height, s.width);
    const ResponsesView written = small_.responses_view(buffer.data() + place);
    const Status status = corrbank::correlate(image, bank_, written, options());
    if (status.ok()) {
      for (std::size_t n = 0; n < size; ++n) EXPECT_EQ(buffer[place + n], static_cast<float>(expected[n]));
    } else {
      EXPECT_EQ(std::memcmp(buffer.data(), before.data(), buffer.size() * sizeof(float)), 0) << "a refused call wrote";
    }
    return status;
  };
  EXPECT_TRUE(succeeded(call(0))) << "just before the image";
  EXPECT_TRUE(refused(call(1), StatusCode::overlap, "responses"));
  EXPECT_TRUE(refused(call(image_at), StatusCode::overlap, "responses"));
  EXPECT_TRUE(refused(call(image_at + image_size - 1), StatusCode::overlap, "responses"));
  EXPECT_TRUE(succeeded(call(image_at + image_size))) << "just behind the image";
}

TEST_P(Refusals, ResponsesThatMeet) {
  ResponsesView rows = responses(), planes = rows, negative = rows, far = rows;
  rows.row_stride = rows.width - 1;
  planes.kernel_stride = planes.height * planes.width - 1;
  negative.row_stride = -negative.width;
  far.kernel_stride = -far.kernel_stride;
  expect_refused(small_.image_view(), rows, options(), StatusCode::bad_stride, "responses.row_stride");
  expect_refused(small_.image_view(), planes, options(), StatusCode::bad_stride, "responses.kernel_stride");
  expect_refused(small_.image_view(), negative, options(), StatusCode::bad_stride, "responses.row_stride");
  expect_refused(small_.image_view(), far, options(), StatusCode::bad_stride, "responses.kernel_stride");
}

// No accepted layout puts two responses into one element, by counting elements.
TEST_P(Refusals, AcceptedResponsesNeverMeet) {
  const Case tiny = integer_case({1, 3, 4, 3, 1, 2});
  Bank bank;
  ASSERT_TRUE(succeeded(Bank::create(tiny.kernels_view(), options(), bank)));
  const std::vector<std::int32_t> expected = integer_reference(tiny.shape, tiny.image, tiny.kernels);
  std::vector<float> data(256);
  int accepted = 0;
  for (std::int64_t row_stride = 0; row_stride < 24; ++row_stride) {
    for (std::int64_t kernel_stride = 0; kernel_stride < 24; ++kernel_stride) {
      const ResponsesView responses(data.data(), 3, 3, 3, kernel_stride, row_stride);
      if (corrbank::correlate(tiny.image_view(), bank, responses, options())) continue;
      ++accepted;
      std::set<const float*> elements;
      std::size_t n = 0;
      for_each(1, 3, 3, 3, [&](auto, auto k, auto y, auto x) {
        elements.insert(element(responses, k, y, x));
        EXPECT_EQ(*element(responses, k, y, x), static_cast<float>(expected[n++]));
      });
      ASSERT_EQ(elements.size(), 27u) << "row stride " << row_stride << ", kernel stride " << kernel_stride;
    }
  }
  EXPECT_GE(accepted, 100);
}

TEST_P(Refusals, InterleavedResponsesAreLegal) {
  const Shape& s = small_.shape;
  const ResponsesView interleaved(responses_.data(), s.count, s.response_height(), s.response_width(),
                                  s.response_width(), s.count * s.response_width());
  ASSERT_TRUE(succeeded(corrbank::correlate(small_.image_view(), bank_, interleaved, options())));
  const std::vector<std::int32_t> expected = integer_reference(s, small_.image, small_.kernels);
  std::size_t n = 0;
  for_each(1, s.count, s.response_height(), s.response_width(), [&](auto, auto k, auto y, auto x) {
    EXPECT_EQ(*element(interleaved, k, y, x), static_cast<float>(expected[n++])) << k << ", " << y << ", " << x;
  });
}

TEST_P(Refusals, Workspace) {
  std::size_t bytes = 0;
  ASSERT_TRUE(succeeded(corrbank::workspace_bytes(small_.image_view(), bank_, options(), bytes)));
  ASSERT_GT(bytes, 0u);
  std::vector<std::int32_t> workspace(bytes / 4 + 2);
  Options given = options();
  given.workspace = workspace.data();
  given.workspace_size = bytes - 1;
  expect_refused(small_.image_view(), responses(), given, StatusCode::workspace_too_small, "options.workspace_size");
  given.workspace_size = 0;
  expect_refused(small_.image_view(), responses(), given, StatusCode::workspace_too_small, "options.workspace_size");
  given.workspace_size = bytes;
  for (std::size_t shift = 1; shift < 4; ++shift) {
    given.workspace = shifted(workspace.data(), shift);
    expect_options_refused(given, StatusCode::misaligned, "options.workspace");
  }
  given.workspace = nullptr;
  expect_options_refused(given, StatusCode::null_pointer, "options.workspace");
  given.workspace = responses_.data() + small_.shape.responses_size() - 1;
  expect_refused(small_.image_view(), responses(), given, StatusCode::overlap, "options.workspace");
  std::vector<float> image = small_.image;
  ImageView view = small_.image_view();
  view.data = image.data();
  given.workspace = image.data() + image.size() - bytes / 4;
  expect_refused(view, responses(), given, StatusCode::overlap, "options.workspace");
  EXPECT_EQ(image, small_.image);
  given.workspace_size = std::numeric_limits<std::size_t>::max();
  given.workspace = workspace.data();
  expect_refused(small_.image_view(), responses(), given, StatusCode::too_large, "options.workspace");
}

TEST_P(Refusals, ThreadCounts) {
  for (const int threads : {0, -1, 257, std::numeric_limits<int>::max(), std::numeric_limits<int>::min()}) {
    expect_options_refused(options(threads), StatusCode::bad_option, "options.threads");
  }
  ASSERT_TRUE(succeeded(corrbank::correlate(small_.image_view(), bank_, responses(), options(256))));
}

TEST_P(Refusals, ExecutorThatCannotRun) {
  const corrbank::Executor none;
  for (const int threads : {1, 4}) {
    Options with = options(threads);
    with.executor = &none;
    expect_options_refused(with, StatusCode::null_pointer, "options.executor");
  }
}

TEST_P(Refusals, EmptyBank) {
  const Bank empty;
  corrbank::Plan plan;
  std::size_t bytes = 77;
  EXPECT_TRUE(refused(corrbank::correlate(small_.image_view(), empty, responses(), options()),
                      StatusCode::bank_mismatch, "bank"));
  EXPECT_TRUE(refused(corrbank::plan(small_.image_view(), empty, options(), plan), StatusCode::bank_mismatch, "bank"));
  EXPECT_TRUE(refused(corrbank::workspace_bytes(small_.image_view(), empty, options(), bytes),
                      StatusCode::bank_mismatch, "bank"));
  EXPECT_EQ(bytes, 77u);
  expect_unwritten();
}

TEST_P(Refusals, EnumeratorsOutOfRange) {
  for (const int value : {-1, 2, 1000, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}) {
    Options with = options();
    with.algorithm = static_cast<corrbank::Algorithm>(value);
    expect_options_refused(with, StatusCode::bad_option, "options.algorithm");
  }
  for (const int value : {-1, 1, 1000, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}) {
    ImageView image = small_.image_view();
    KernelsView kernels = small_.kernels_view();
    ResponsesView out = responses();
    image.dtype = dtype(value), kernels.dtype = dtype(value), out.dtype = dtype(value);
    expect_refused(image, responses(), options(), StatusCode::bad_option, "image.dtype");
    expect_refused(small_.image_view(), out, options(), StatusCode::bad_option, "responses.dtype");
    EXPECT_TRUE(refused(Bank::create(kernels, options(), bank_), StatusCode::bad_option, "kernels.dtype"));
  }
}

// The bank of before works on as if nothing had been asked.
TEST_P(Refusals, RefusedCreateLeavesTheBank) {
  KernelsView wrong = small_.kernels_view();
  wrong.width = 0;
  const std::size_t bytes = bank_.bytes();
  EXPECT_TRUE(refused(Bank::create(wrong, options(), bank_), StatusCode::bad_extent, "kernels.width"));
  EXPECT_EQ(bank_.bytes(), bytes);
  EXPECT_EQ(bank_.count(), small_.shape.count);
  EXPECT_EQ(bank_.width(), small_.shape.kernel_width);
  ASSERT_TRUE(succeeded(corrbank::correlate(small_.image_view(), bank_, responses(), options())));
  const std::vector<std::int32_t> expected = integer_reference(small_.shape, small_.image, small_.kernels);
  for (std::size_t n = 0; n < expected.size(); ++n) ASSERT_EQ(responses_[n], static_cast<float>(expected[n]));
}
