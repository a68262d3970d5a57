// Every pair of a transform and a product, forced: the public interface picks among them by cost.
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>

#include "accuracy.h"
#include "bank.h"
#include "call.h"
#include "guarded_buffer.h"
#include "offsets.h"
#include "scatter.h"
#include "testing.h"
#include "winograd/winograd.h"

using namespace corrbank_test;
using namespace corrbank::detail;
using corrbank::Bank;
using corrbank::Options;

namespace {

class Winograd : public TargetTest {
 protected:
  template <typename Visit>
  static void each_pair(Visit visit) {
    for (const WinogradTransform& transform : all_winograd_transforms()) {
      if (GetParam() != transform.target) continue;
      for (const WinogradProduct& product : all_winograd_products()) {
        if (GetParam() == product.target) visit(transform, product);
      }
    }
  }
};

CORRBANK_FOR_EACH_CPU_TARGET(Winograd);

std::string name_of(const WinogradTransform& t, const WinogradProduct& p) {
  return "F(" + std::to_string(t.rows) + "x" + std::to_string(t.columns) + ", " + std::to_string(t.kernel_rows) + "x" +
         std::to_string(t.kernel_columns) + "), " + (p.lanes_over == LanesOver::tiles ? "tiles " : "kernels ") +
         std::to_string(p.positions) + "x" + std::to_string(p.kernels);
}

// Images and kernels of a pair, sizes drawn so that tiles fit, are shifted inwards, and fill their blocks or not.
std::vector<Shape> shapes_of(const WinogradTransform& t) {
  constexpr std::int64_t max_products = 3'000'000;
  std::mt19937 random(seed);
  const auto draw = [&random](int first, int last) { return std::uniform_int_distribution<int>(first, last)(random); };
  std::vector<Shape> shapes = {{1, t.tile_rows(), t.tile_columns(), 1, t.kernel_rows, t.kernel_columns}};
  while (shapes.size() < 6) {
    const std::int64_t channels = draw(0, 1) == 0 ? draw(1, 9) : draw(10, 300);
    const std::int64_t height = draw(t.rows, 4 * t.rows + 9), width = draw(t.columns, 4 * t.columns + 30);
    const Shape shape{
        channels,        height + t.kernel_rows - 1, width + t.kernel_columns - 1, draw(1, 70), t.kernel_rows,
        t.kernel_columns};
    if (shape.products() <= max_products) shapes.push_back(shape);
  }
  return shapes;
}

struct Forced {
  const WinogradTransform& transform;
  const WinogradProduct& product;
  int threads = 1;
  std::size_t limit = SIZE_MAX;
};

// Views may have gaps. False: the pair does not do it.
bool run(const corrbank::ImageView& image, const Bank& bank, const corrbank::ResponsesView& responses,
         const Forced& forced, Edge edge = Edge::end) {
  const PackedBank& packed = *PackedBank::of(bank);
  const Geometry g = geometry(image, packed, responses.row_stride);
  const Limits limits{forced.threads, forced.limit, 0};
  WinogradPlan plan{};
  if (plan_winograd_rows(forced.transform, forced.product, g, packed, limits, plan) != nullptr) return false;
  EXPECT_LE(plan.workspace_bytes, forced.limit);
  EXPECT_LE(plan.workspace_bytes, (std::size_t{3} << 19) * static_cast<std::size_t>(forced.threads));
  EXPECT_TRUE(prepare_winograd(packed, plan));

  Options options;
  options.threads = forced.threads;
  const DirectPlan direct = plan_direct(g, packed, 1);
  std::vector<std::int32_t> inner(static_cast<std::size_t>(direct.taps.inner));
  std::vector<std::int32_t> outer(static_cast<std::size_t>(direct.taps.outer));
  TapMemory taps(inner.data(), outer.data());
  std::vector<float> means(static_cast<std::size_t>(g.channels)), corrections(static_cast<std::size_t>(packed.count));
  const auto* elements = static_cast<const float*>(image.data);
  estimate_means(g, elements, means.data());
  EXPECT_TRUE(prepare_offsets(packed));
  correct_for_means(packed, means.data(), corrections.data());
  const GuardedBuffer workspace((plan.workspace_bytes + 63) / 64 * 64, edge);
  std::memset(workspace.data(), 0xff, plan.workspace_bytes);  // NaN
  Call call{g,
            packed,
            options,
            direct,
            elements,
            static_cast<float*>(responses.data),
            packed.count > 1 ? responses.kernel_stride : 0,
            taps};
  call.means = means.data();
  call.corrections = corrections.data();
  call.workspace = static_cast<char*>(workspace.data());
  run_winograd(call, plan);
  return true;
}

Bank bank_of(const Case& c) {
  Options options;
  const std::string target = testing::UnitTest::GetInstance()->current_test_info()->value_param();
  const std::string name = target.substr(1, target.size() - 2);
  options.target = name.c_str();
  Bank bank;
  EXPECT_TRUE(succeeded(Bank::create(c.kernels_view(), options, bank)));
  return bank;
}

}  // namespace

TEST_P(Winograd, ErrorsStayWithinThePublishedBound) {
  int runs = 0;
  each_pair([&](const WinogradTransform& t, const WinogradProduct& p) {
    for (const Shape& s : shapes_of(t)) {
      for (const Data data : all_data) {
        const Case c = case_of(s, data);
        std::vector<float> responses = unwritten(s);
        if (!run(c.image_view(), bank_of(c), c.responses_view(responses.data()), {t, p})) continue;
        ++runs;
        EXPECT_LE(error_of(c, responses), winograd_bound)
            << name_of(t, p) << ", " << s << ", " << corrbank_test::name_of(data);
      }
    }
  });
  EXPECT_GT(runs, 0);
}

TEST_P(Winograd, ATileThatIsLeftOverIsAsExactAndAsContained) {
  int runs = 0;
  each_pair([&](const WinogradTransform& t, const WinogradProduct& p) {
    const std::int64_t width = std::int64_t{t.columns} * (p.tile_unit() + 1);  // a row of tiles, one too many
    const Shape s{9, t.tile_rows(), width + t.kernel_columns - 1, 3, t.kernel_rows, t.kernel_columns};
    for (const Data data : all_data) {
      Case c = case_of(s, data);
      const Bank bank = bank_of(c);
      WinogradPlan plan{};
      const Geometry g = geometry(c.image_view(), *PackedBank::of(bank), 0);
      const char* refused = plan_winograd_rows(t, p, g, *PackedBank::of(bank), {1, SIZE_MAX, 0}, plan);
      if (refused != nullptr || plan.rest.tiles == 0) continue;
      ++runs;
      std::vector<float> responses = unwritten(s);
      run(c.image_view(), bank, c.responses_view(responses.data()), {t, p});
      EXPECT_LE(error_of(c, responses), winograd_bound) << name_of(t, p) << ", " << corrbank_test::name_of(data);

      c.image.back() = std::nanf("");  // in the last window alone
      run(c.image_view(), bank, c.responses_view(responses.data()), {t, p});
      const auto plane = static_cast<std::size_t>(s.response_height() * s.response_width());
      for (std::size_t i = 0; i < responses.size(); ++i) {
        ASSERT_EQ(std::isnan(responses[i]), i % plane == plane - 1) << name_of(t, p) << ", response " << i;
      }
    }
  });
  EXPECT_GT(runs, 0);
}

TEST_P(Winograd, NothingOutsideTheBuffersIsTouched) {
  each_pair([&](const WinogradTransform& t, const WinogradProduct& p) {
    for (const Shape& s : shapes_of(t)) {
      const Case c = normal_case(s);
      const Bank bank = bank_of(c);
      for (const Edge edge : {Edge::start, Edge::end}) {
        GuardedBuffer image(c.image, edge);
        const GuardedBuffer responses(unwritten(s), edge);
        image.make_read_only();
        run({image.floats(), s.channels, s.height, s.width}, bank, c.responses_view(responses.floats()), {t, p, 2},
            edge);
      }
    }
  });
}

TEST_P(Winograd, GapsThreadsAndLimitsDoNotChangeABit) {
  each_pair([&](const WinogradTransform& t, const WinogradProduct& p) {
    for (const Shape& s : shapes_of(t)) {
      const Case c = normal_case(s);
      const Bank bank = bank_of(c);
      std::vector<float> expected = unwritten(s);
      if (!run(c.image_view(), bank, c.responses_view(expected.data()), {t, p})) continue;
      const Padded image = padded(c.image, s.channels, s.height, s.width, 5, 2, std::nanf(""));
      const corrbank::ImageView view(image.data.data(), s.channels, s.height, s.width, image.plane_stride,
                                     image.row_stride);
      for (const int threads : {1, 2, 5}) {
        for (const std::size_t limit : {std::size_t{SIZE_MAX}, std::size_t{200'000}}) {
          Padded out = padded(unwritten(s), s.count, s.response_height(), s.response_width(), 9, 2, sentinel());
          const corrbank::ResponsesView responses(out.data.data(), s.count, s.response_height(), s.response_width(),
                                                  out.plane_stride, out.row_stride);
          if (!run(view, bank, responses, {t, p, threads, limit})) continue;
          const std::vector<float> made = out.compact();
          ASSERT_EQ(std::memcmp(made.data(), expected.data(), made.size() * sizeof(float)), 0)
              << name_of(t, p) << ", " << s << ", " << threads << " threads";
          for (std::size_t e = 0; e < out.data.size(); ++e) {
            ASSERT_EQ(is_sentinel(out.data[e]), out.is_gap(e)) << name_of(t, p) << ", " << s << ", element " << e;
          }
        }
      }
    }
  });
}
