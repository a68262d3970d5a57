// What a call must refuse: with the right code, a message that names the argument, and nothing written.
#include <cstdio>
#include <limits>
#include <set>

#include "reference.h"
#include "refusal_matrix.h"
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
using matrix::dtype;
using matrix::element;
using matrix::for_each;

namespace {

testing::AssertionResult refused(const Status& status, StatusCode code, const char* argument) {
  return follows(status, {{code, argument}});
}

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
CORRBANK_FOR_EACH_CPU_TARGET(Refusals);

template <typename T>
T* shifted(T* pointer, std::size_t bytes) {
  return reinterpret_cast<T*>(reinterpret_cast<std::uintptr_t>(pointer) + bytes);  // NOLINT: a caller's mistake
}

}  // namespace

TEST_P(Refusals, EveryFieldAloneAndInPairs) {
  // Extents of several, of one (whose strides mean nothing), and the 1x1 kernels that plans treat as one long row.
  for (const Shape& shape : {Shape{2, 5, 10, 3, 3, 3}, Shape{1, 1, 12, 1, 1, 3}, Shape{2, 3, 7, 3, 1, 1}}) {
    matrix::Matrix calls(options(), shape);
    if (!calls.has_memory()) GTEST_SKIP() << "this machine does not lend 108 GiB of address space";
    ASSERT_TRUE(succeeded(calls.created()));
    ASSERT_TRUE(calls.check(calls.base()));
    for (const matrix::Field& a : matrix::fields) {
      for (const std::int64_t value : matrix::values) {
        matrix::Call call = calls.base();
        a.set(call, value);
        ASSERT_TRUE(calls.check(call)) << a.name << " = " << value << " of " << shape;
        for (const matrix::Field* b = &a + 1; b != std::end(matrix::fields); ++b) {
          for (const std::int64_t other : matrix::values) {
            matrix::Call pair = call;
            b->set(pair, other);
            ASSERT_TRUE(calls.check(pair))
                << a.name << " = " << value << ", " << b->name << " = " << other << " of " << shape;
          }
        }
      }
    }
    std::printf("%d cases: %d calls refused, %d right, %d legal but too large to run\n", calls.cases, calls.refused,
                calls.right, calls.legal_but_large);
    EXPECT_GE(calls.cases, 1000);
    EXPECT_GE(calls.refused, 1000);
    EXPECT_GE(calls.right, 100);
  }
}

TEST_P(Refusals, NullPointers) {
  ImageView image = small_.image_view();
  image.data = nullptr;
  expect_refused(image, responses(), options(), StatusCode::null_pointer, "image.data");
  expect_refused(small_.image_view(), small_.responses_view(nullptr), options(), StatusCode::null_pointer,
                 "responses.data");
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
  for (const int value : {-1, 4, 1000, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}) {
    Options with = options();
    with.algorithm = static_cast<corrbank::Algorithm>(value);
    expect_options_refused(with, StatusCode::bad_option, "options.algorithm");
    with = options();
    with.exactness = static_cast<corrbank::Exactness>(value);
    expect_options_refused(with, StatusCode::bad_option, "options.exactness");
  }
  for (const auto algorithm : {corrbank::Algorithm::winograd, corrbank::Algorithm::fft}) {
    Options with = options();
    with.algorithm = algorithm;
    with.exactness = corrbank::Exactness::direct;
    expect_options_refused(with, StatusCode::algorithm_unavailable, "options.algorithm");
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
