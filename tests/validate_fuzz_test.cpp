// The wall, runtime/validate.cpp, against the rules in 128-bit arithmetic: random views at and around every limit.
#include "validate.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>

#include "rules.h"
#include "testing.h"

using namespace corrbank_test;
using corrbank::ImageView;
using corrbank::KernelsView;
using corrbank::Options;
using corrbank::ResponsesView;

namespace {

constexpr std::uint64_t fewest_rounds = 300'000;  // whatever the time allowed
constexpr std::uint64_t fewest_of_each = 5'000;

double allowed_seconds() {
  const char* text = std::getenv("CORRBANK_FUZZ_SECONDS");
  return text != nullptr ? std::atof(text) : 60;
}

struct Input {
  ImageView image;
  KernelsView kernels;
  ResponsesView responses;
  Options options;
  corrbank::Executor executor;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  // A call that fits together, often at the edge of what is legal, with up to two fields replaced by anything.
  void next(Input& in) {
    KernelsView& k = in.kernels;
    ImageView& i = in.image;
    ResponsesView& r = in.responses;
    k = {}, i = {}, r = {}, in.options = {};
    k.count = extent(), k.channels = extent(), k.height = extent(), k.width = extent();
    k.row_stride = stride(k.width, k.height, std::int64_t{1} << 60);
    k.channel_stride = stride(reach(k.width, k.height, k.row_stride), k.channels, std::int64_t{1} << 60);
    k.kernel_stride = stride(reach(k.width, k.height, k.row_stride), k.count, std::int64_t{1} << 60);
    i.channels = k.channels, i.height = sum(k.height, extent() - 1), i.width = sum(k.width, extent() - 1);
    i.row_stride = stride(i.width, i.height, int32_max);
    i.channel_stride = stride(reach(i.width, i.height, i.row_stride), i.channels, int32_max);
    r.count = k.count, r.height = i.height - k.height + 1, r.width = i.width - k.width + 1;
    if (one_in(4)) {  // kernels inside of rows
      r.kernel_stride = stride(r.width, r.count, int32_max);
      r.row_stride = stride(reach(r.width, r.count, r.kernel_stride), r.height, int32_max);
    } else {
      r.row_stride = stride(r.width, r.height, int32_max);
      r.kernel_stride = stride(reach(r.width, r.height, r.row_stride), r.count, int32_max);
    }
    k.data = pointer();
    i.data = pointer();
    r.data = one_in(8) ? neighbour(i.data, span_of(i), span_of(r)) : pointer();
    Options& o = in.options;
    o.threads = 1 + below(256);
    if (one_in(2)) {
      o.workspace = pointer();
      o.workspace_size = static_cast<std::size_t>(below(1 << 20));
      if (one_in(4)) o.workspace = neighbour(i.data, span_of(i), static_cast<Wide>(o.workspace_size / 4));
      if (one_in(4)) o.workspace = neighbour(r.data, span_of(r), static_cast<Wide>(o.workspace_size / 4));
    }
    in.executor.run = [](void*, int, void (*)(void*, int), void*) {};
    if (one_in(4)) o.executor = &in.executor;
    for (int replaced = below(4) - 1; replaced > 0; --replaced) replace(in);
  }

 private:
  static constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();

  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }
  static std::int64_t narrow(Wide value) { return static_cast<std::int64_t>(std::min(value, (Wide{1} << 63) - 1)); }
  static std::int64_t sum(std::int64_t a, std::int64_t b) { return narrow(Wide{a} + b); }
  static std::int64_t reach(std::int64_t inner, std::int64_t extent, std::int64_t stride) {
    return narrow(inner + times(extent > 1 ? extent - 1 : 0, stride > 0 ? stride : 0));
  }

  std::int64_t anything() {
    static constexpr std::int64_t edges[] = {0,
                                             1,
                                             2,
                                             int32_max,
                                             int32_max / 16,
                                             std::int64_t{1} << 32,
                                             std::int64_t{1} << 60,
                                             std::int64_t{1} << 62,
                                             3037000499,
                                             std::numeric_limits<std::int64_t>::max(),
                                             std::numeric_limits<std::int64_t>::max() / 3};
    switch (below(4)) {
      case 0: return static_cast<std::int64_t>(random_());
      case 1: return static_cast<std::int64_t>(random_() >> below(64));
      case 2: return std::numeric_limits<std::int64_t>::min() + below(3);
      default: return sum(edges[below(static_cast<int>(std::size(edges)))], below(5) - 2);
    }
  }

  std::int64_t extent() {
    switch (below(32)) {
      case 0: return std::int64_t{1} + below(int32_max);
      case 1: return std::int64_t{1} << below(40);
      case 2: return 1 + below(1 << 16);
      default: return one_in(5) ? 1 : 1 + below(40);
    }
  }

  // Between neighbours that reach over `inner`: compact, with a gap, one short of apart, or as far as `limit` lets.
  std::int64_t stride(std::int64_t inner, std::int64_t extent, std::int64_t limit) {
    switch (below(16)) {
      case 0: return 0;
      case 1: return inner > 1 ? inner - 1 : inner;
      case 2:
      case 3:
        return sum(std::max<std::int64_t>(0, (limit - inner) / std::max<std::int64_t>(1, extent - 1)), below(3) - 1);
      case 4: return extent == 1 ? anything() : inner;
      case 5: return sum(inner, below(1 << 20));
      case 6:
      case 7:
      case 8: return sum(inner, below(70));
      default: return inner;
    }
  }

  void* address(Wide value) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(value)); }  // NOLINT

  void* pointer() {
    const Wide anywhere = (random_() >> (64 - 47)) / 64 * 64;
    switch (below(64)) {
      case 0: return nullptr;
      case 1: return address(anywhere + below(4));
      case 2: return address(Wide{UINTPTR_MAX} - 4 * below(1 << 20) - 3);
      default: return address(anywhere + 64);
    }
  }

  // `span` elements just before or just behind the `other_span` elements at `other`, or one element into them.
  void* neighbour(const void* other, Wide other_span, Wide span) {
    const Wide at = reinterpret_cast<std::uintptr_t>(other);
    const Wide shift = 4 * (below(3) - 1);
    const Wide where = one_in(2) ? at + 4 * other_span + shift : at - 4 * span + shift;
    return where > 0 && where < Wide{UINTPTR_MAX} ? address(where) : pointer();
  }

  void replace(Input& in) {
    ImageView& i = in.image;
    KernelsView& k = in.kernels;
    ResponsesView& r = in.responses;
    std::int64_t* const numbers[] = {&i.channels,       &i.height,     &i.width,  &i.channel_stride, &i.row_stride,
                                     &k.count,          &k.channels,   &k.height, &k.width,          &k.kernel_stride,
                                     &k.channel_stride, &k.row_stride, &r.count,  &r.height,         &r.width,
                                     &r.kernel_stride,  &r.row_stride};
    const int number_count = static_cast<int>(std::size(numbers));
    const int which = below(number_count + 9);
    if (which < number_count) {
      *numbers[which] = one_in(2) ? anything() : sum(*numbers[which], below(3) - 1);
      return;
    }
    const int any = static_cast<int>(anything());
    switch (which - number_count) {
      case 0: i.dtype = static_cast<corrbank::DType>(any); break;
      case 1: k.dtype = static_cast<corrbank::DType>(any); break;
      case 2: r.dtype = static_cast<corrbank::DType>(any); break;
      case 3: in.options.algorithm = static_cast<corrbank::Algorithm>(any); break;
      case 4:
        in.options.algorithm = static_cast<corrbank::Algorithm>(below(4));
        in.options.exactness = static_cast<corrbank::Exactness>(one_in(2) ? any : below(2));
        break;
      case 5: in.options.expected_calls = any; break;
      case 6: in.options.threads = one_in(2) ? any : 256 * below(2) + below(2); break;
      case 7:
        in.options.workspace = one_in(2) ? nullptr : pointer();
        in.options.workspace_size = one_in(2) ? static_cast<std::size_t>(anything()) : 0;
        break;
      default:
        in.executor.run = nullptr;
        in.options.executor = &in.executor;
        break;
    }
  }

  std::mt19937_64 random_;
};

std::string describe(const Input& in) {
  char text[1024];
  const ImageView& i = in.image;
  const KernelsView& k = in.kernels;
  const ResponsesView& r = in.responses;
  std::snprintf(text, sizeof text,
                "image %p dtype %d extents %" PRId64 " %" PRId64 " %" PRId64 " strides %" PRId64 " %" PRId64
                "\nkernels %p dtype %d extents %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " strides %" PRId64
                " %" PRId64 " %" PRId64 "\nresponses %p dtype %d extents %" PRId64 " %" PRId64 " %" PRId64
                " strides %" PRId64 " %" PRId64
                "\nalgorithm %d exactness %d calls %d threads %d executor %p workspace %p size %zu",
                i.data, static_cast<int>(i.dtype), i.channels, i.height, i.width, i.channel_stride, i.row_stride,
                k.data, static_cast<int>(k.dtype), k.count, k.channels, k.height, k.width, k.kernel_stride,
                k.channel_stride, k.row_stride, r.data, static_cast<int>(r.dtype), r.count, r.height, r.width,
                r.kernel_stride, r.row_stride, static_cast<int>(in.options.algorithm),
                static_cast<int>(in.options.exactness), in.options.expected_calls, in.options.threads,
                static_cast<const void*>(in.options.executor), in.options.workspace, in.options.workspace_size);
  return text;
}

struct Tally {
  const char* what;
  std::uint64_t accepted = 0, refused = 0;
};

}  // namespace

TEST(ValidateFuzz, AcceptsExactlyWhatTheRulesAccept) {
  namespace wall = corrbank::detail;
  Generator generator(seed);
  Input in;
  Tally options{"options"}, kernels{"kernels"}, image{"image"}, call{"call"}, workspace{"workspace"};
  const auto start = std::chrono::steady_clock::now();
  const double seconds = allowed_seconds();
  std::uint64_t round = 0;
  const auto agrees = [&](const corrbank::Status& status, const Violations& violations, Tally& tally) {
    ++(status.ok() ? tally.accepted : tally.refused);
    testing::AssertionResult result = follows(status, violations);
    if (!result)
      result << "\nof the " << tally.what << "; seed " << seed << ", round " << round << "\n" << describe(in);
    return result;
  };
  for (;; ++round) {
    if (round >= fewest_rounds && round % 1024 == 0 &&
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() >= seconds) {
      break;
    }
    generator.next(in);
    ASSERT_TRUE(agrees(wall::validate_options(in.options), options_violations(in.options), options));
    const Violations of_kernels = kernels_violations(in.kernels);
    ASSERT_TRUE(agrees(wall::validate_kernels(in.kernels), of_kernels, kernels));
    // Nothing else sees a bank that could not be made.
    const KernelsView& k = in.kernels;
    if (k.count < 1 || k.channels < 1 || k.height < 1 || k.width < 1) continue;
    const wall::BankShape shape{k.count, k.channels, k.height, k.width};
    ASSERT_TRUE(agrees(wall::validate_image(in.image, shape), image_violations(in.image, k), image));
    const Violations of_call = call_violations(in.image, k, in.responses);
    ASSERT_TRUE(agrees(wall::validate_correlate(in.image, shape, in.responses), of_call, call));
    if (!of_call.empty()) continue;
    ASSERT_TRUE(agrees(wall::validate_workspace(in.image, in.responses, in.options),
                       workspace_violations(in.image, in.responses, in.options), workspace));
  }
  std::printf("%" PRIu64 " rounds, seed %u\n", round, seed);
  for (const Tally* tally : {&options, &kernels, &image, &call, &workspace}) {
    std::printf("%-9s %9" PRIu64 " accepted, %9" PRIu64 " refused: %.1f %% legal\n", tally->what, tally->accepted,
                tally->refused,
                100.0 * static_cast<double>(tally->accepted) / static_cast<double>(tally->accepted + tally->refused));
    EXPECT_GE(tally->accepted, fewest_of_each) << tally->what;
    EXPECT_GE(tally->refused, fewest_of_each) << tally->what;
  }
}
