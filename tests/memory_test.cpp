// corrbank reads and writes the elements that a view names, and no byte beside them.
#include <limits>

#include "guarded_buffer.h"
#include "testing.h"

namespace corrbank_test {
namespace {

class Memory : public TargetTest {};

CORRBANK_FOR_EACH_TARGET(Memory);

// Some of each kind of the sweep's.
std::vector<Shape> some_shapes() {
  const std::vector<Shape> all = sweep_shapes();
  std::vector<Shape> some;
  for (std::size_t n = 0; n < all.size(); n += 5) some.push_back(all[n]);
  return some;
}

// All four buffers flush against a page that nobody may touch; what is read cannot be written.
void correlate_between_guards(const Case& c, Edge edge, corrbank::Options options) {
  const Shape& s = c.shape;
  GuardedBuffer image(c.image, edge), kernels(c.kernels, edge), responses(unwritten(s), edge);
  image.make_read_only();
  kernels.make_read_only();
  corrbank::Bank bank;
  ASSERT_TRUE(succeeded(
      corrbank::Bank::create({kernels.floats(), s.count, s.channels, s.kernel_height, s.kernel_width}, options, bank)));
  const corrbank::ImageView view(image.floats(), s.channels, s.height, s.width);
  std::size_t bytes = 0;
  ASSERT_TRUE(succeeded(corrbank::workspace_bytes(view, bank, options, bytes)));
  const GuardedBuffer workspace(bytes, edge);
  options.workspace = workspace.data();
  options.workspace_size = bytes;
  ASSERT_TRUE(succeeded(correlate_anywhere(view, bank, c.responses_view(responses.floats()), options)));
  const std::vector<float> written(responses.floats(), responses.floats() + s.responses_size());
  ASSERT_TRUE(equal(s, written, integer_reference(s, c.image, c.kernels)));
}

TEST_P(Memory, NothingBeforeTheBuffersIsTouched) {
  for (const Shape& shape : some_shapes()) {
    for (int threads : {1, 2}) {
      ASSERT_NO_FATAL_FAILURE(correlate_between_guards(integer_case(shape), Edge::start, options(threads)));
    }
  }
}

TEST_P(Memory, NothingBehindTheBuffersIsTouched) {
  for (const Shape& shape : some_shapes()) {
    for (int threads : {1, 2}) {
      ASSERT_NO_FATAL_FAILURE(correlate_between_guards(integer_case(shape), Edge::end, options(threads)));
    }
  }
}

TEST_P(Memory, GapsOfTheImageAndTheKernelsDoNotCount) {
  const float nan = std::nanf("");
  for (const Shape& s : some_shapes()) {
    const Case c = integer_case(s);
    const Padded image = padded(c.image, s.channels, s.height, s.width, 5, 2, nan);
    const Padded kernels = padded(c.kernels, s.count * s.channels, s.kernel_height, s.kernel_width, 3, 1, nan);
    // The last row of a region of interest has nothing behind it that could be read.
    GuardedBuffer region(image.data, Edge::end);
    region.make_read_only();
    std::vector<float> responses = unwritten(s);
    ASSERT_TRUE(succeeded(
        correlate_anywhere({region.floats(), s.channels, s.height, s.width, image.plane_stride, image.row_stride},
                           {kernels.data.data(), s.count, s.channels, s.kernel_height, s.kernel_width,
                            s.channels * kernels.plane_stride, kernels.plane_stride, kernels.row_stride},
                           c.responses_view(responses.data()), options())));
    ASSERT_TRUE(equal(s, responses, integer_reference(s, c.image, c.kernels)));
  }
}

TEST_P(Memory, GapsOfTheResponsesKeepTheirBytes) {
  for (const Shape& s : some_shapes()) {
    const Case c = integer_case(s);
    Padded responses = padded(unwritten(s), s.count, s.response_height(), s.response_width(), 9, 2, sentinel());
    // A frame around them all.
    const std::size_t frame = 64;
    std::vector<float> memory(responses.data.size() + 2 * frame, sentinel());
    ASSERT_TRUE(succeeded(correlate_anywhere(c.image_view(), c.kernels_view(),
                                             {memory.data() + frame, s.count, s.response_height(), s.response_width(),
                                              responses.plane_stride, responses.row_stride},
                                             options(2))));
    ASSERT_TRUE(std::all_of(memory.begin(), memory.begin() + frame, is_sentinel)) << s;
    ASSERT_TRUE(std::all_of(memory.end() - frame, memory.end(), is_sentinel)) << s;
    responses.data.assign(memory.begin() + frame, memory.end() - frame);
    for (std::size_t e = 0; e < responses.data.size(); ++e) {
      ASSERT_EQ(is_sentinel(responses.data[e]), responses.is_gap(e)) << s << ", element " << e;
    }
    ASSERT_TRUE(equal(s, responses.compact(), integer_reference(s, c.image, c.kernels)));
  }
}

TEST_P(Memory, RowsOfAllKernelsMayAlternate) {
  // Responses as [row, kernel, column]: planes lie inside each other.
  const Shape s{3, 8, 40, 19, 3, 3};
  const Case c = integer_case(s);
  std::vector<float> interleaved = unwritten(s);
  ASSERT_TRUE(succeeded(
      correlate_anywhere(c.image_view(), c.kernels_view(), {interleaved.data(), 19, 6, 38, 38, 19 * 38}, options())));
  std::vector<float> responses;
  for (std::ptrdiff_t k = 0; k < 19; ++k) {
    for (std::ptrdiff_t y = 0; y < 6; ++y) {
      const auto row = interleaved.begin() + (y * 19 + k) * 38;
      responses.insert(responses.end(), row, row + 38);
    }
  }
  EXPECT_TRUE(equal(s, responses, integer_reference(s, c.image, c.kernels)));
}

TEST_P(Memory, AStrideOfZeroRepeats) {
  for (const Shape& s : {Shape{4, 12, 37, 4, 3, 3}, Shape{4, 7, 37, 9, 3, 5}, Shape{5, 6, 9, 18, 1, 1}}) {
    for (const bool channels_repeat : {false, true}) {
      for (const bool rows_repeat : {false, true}) {
        // `c` is what the views mean, with every repetition written out.
        Case c = integer_case(s);
        const std::int64_t channel_stride = channels_repeat ? 0 : s.height * s.width;
        const std::int64_t row_stride = rows_repeat ? 0 : s.width;
        const std::vector<float> image = c.image;
        for (std::size_t e = 0; e < c.image.size(); ++e) {
          const auto n = static_cast<std::int64_t>(e);
          const std::int64_t x = n % s.width, y = n / s.width % s.height, channel = n / s.width / s.height;
          c.image[e] = image[static_cast<std::size_t>(channel * channel_stride + y * row_stride + x)];
        }
        std::vector<float> responses = unwritten(s);
        ASSERT_TRUE(
            succeeded(correlate_anywhere({image.data(), s.channels, s.height, s.width, channel_stride, row_stride},
                                         c.kernels_view(), c.responses_view(responses.data()), options())));
        EXPECT_TRUE(equal(s, responses, integer_reference(s, c.image, c.kernels)))
            << "channel stride " << channel_stride << ", row stride " << row_stride;
      }
    }
  }
}

TEST_P(Memory, AnExtentOfOneHasNoStride) {
  for (const std::int64_t stride : {std::int64_t{-1}, std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::int64_t>::min()}) {
    for (const Shape& s : {Shape{1, 1, 40, 1, 1, 3}, Shape{1, 3, 40, 1, 3, 3}, Shape{1, 1, 7, 1, 1, 1}}) {
      const Case c = integer_case(s);
      std::vector<float> responses = unwritten(s);
      ASSERT_TRUE(
          succeeded(correlate_anywhere({c.image.data(), 1, s.height, s.width, stride, s.height == 1 ? stride : s.width},
                                       {c.kernels.data(), 1, 1, s.kernel_height, s.kernel_width, stride, stride,
                                        s.kernel_height == 1 ? stride : s.kernel_width},
                                       {responses.data(), 1, 1, s.response_width(), stride, stride}, options())));
      EXPECT_TRUE(equal(s, responses, integer_reference(s, c.image, c.kernels))) << "stride " << stride;
    }
  }
}

TEST_P(Memory, OneKernelMayStandForAll) {
  const Shape s{2, 6, 35, 21, 3, 3};
  Case c = integer_case(s);
  for (std::size_t e = 18; e < c.kernels.size(); ++e) c.kernels[e] = c.kernels[e - 18];
  std::vector<float> responses = unwritten(s);
  ASSERT_TRUE(succeeded(correlate_anywhere(c.image_view(), {c.kernels.data(), 21, 2, 3, 3, 0, 9, 3},
                                           c.responses_view(responses.data()), options())));
  EXPECT_TRUE(equal(s, responses, integer_reference(s, c.image, c.kernels)));
}

TEST_P(Memory, NoAlignmentBeyondAnElementIsNeeded) {
  for (const Shape& s : {Shape{3, 9, 53, 19, 5, 3}, Shape{3, 12, 53, 4, 3, 3}, Shape{3, 5, 6, 19, 3, 3}}) {
    const Case c = integer_case(s);
    const std::vector<std::int32_t> expected = integer_reference(s, c.image, c.kernels);
    for (std::size_t offset = 1; offset < 16; ++offset) {  // elements from a cache line's start
      const auto shifted = [offset](const std::vector<float>& values) {
        std::vector<float> memory(values.size() + 32, sentinel());
        const std::size_t line = (64 - reinterpret_cast<std::uintptr_t>(memory.data()) % 64) % 64 / sizeof(float);
        std::copy(values.begin(), values.end(), memory.begin() + static_cast<std::ptrdiff_t>(line + offset));
        return std::pair(std::move(memory), line + offset);
      };
      const auto [image, image_at] = shifted(c.image);
      const auto [kernels, kernels_at] = shifted(c.kernels);
      auto [responses, responses_at] = shifted(unwritten(s));
      const corrbank::ImageView view(image.data() + image_at, s.channels, s.height, s.width);
      corrbank::Options shifted_options = options();
      corrbank::Bank bank;
      ASSERT_TRUE(succeeded(corrbank::Bank::create(
          {kernels.data() + kernels_at, s.count, s.channels, s.kernel_height, s.kernel_width}, shifted_options, bank)));
      std::size_t bytes = 0;
      ASSERT_TRUE(succeeded(corrbank::workspace_bytes(view, bank, shifted_options, bytes)));
      auto [workspace, workspace_at] = shifted(std::vector<float>(bytes / sizeof(float)));
      shifted_options.workspace = workspace.data() + workspace_at;
      shifted_options.workspace_size = bytes;
      ASSERT_TRUE(succeeded(
          correlate_anywhere(view, bank, c.responses_view(responses.data() + responses_at), shifted_options)));
      const auto first = responses.begin() + static_cast<std::ptrdiff_t>(responses_at);
      EXPECT_TRUE(equal(s, {first, first + static_cast<std::ptrdiff_t>(expected.size())}, expected))
          << 4 * offset << " bytes from alignment";
    }
  }
}

}  // namespace
}  // namespace corrbank_test
