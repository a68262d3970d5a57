// The sizes of blocks are a matter of speed: no response depends on them. This program has costs of its own, which can change.
#include <cmath>
#include <cstring>
#include <map>
#include <string>

#include "bank.h"
#include "costs.h"
#include "geometry.h"
#include "guarded_buffer.h"
#include "plan.h"
#include "testing.h"

namespace {

std::map<std::string, corrbank::detail::Costs>& tables() {
  static std::map<std::string, corrbank::detail::Costs> made = [] {
    std::map<std::string, corrbank::detail::Costs> all;
#define CORRBANK_COST(member, value) costs.member = value;
#define CORRBANK_COSTS(target, ...)          \
  {                                          \
    corrbank::detail::Costs costs{};         \
    __VA_ARGS__ all.emplace(#target, costs); \
  }
#include "costs.inc"
#undef CORRBANK_COST
#undef CORRBANK_COSTS
    return all;
  }();
  return made;
}

}  // namespace

namespace corrbank::detail {

const Costs& costs(const Target& target) noexcept { return tables()[target.name]; }

}  // namespace corrbank::detail

using namespace corrbank_test;
using namespace corrbank::detail;
using corrbank::Algorithm;

namespace {

// Of several blocks of each kind, on three threads.
class BlockSizes : public TargetTest {
 protected:
  BlockSizes() {
    options_.target = GetParam().c_str();
    options_.threads = 3;
    EXPECT_TRUE(succeeded(corrbank::Bank::create(case_.kernels_view(), options_, bank_)));
  }
  ~BlockSizes() override { blocks() = before_; }

  static Blocks& blocks() { return tables()[GetParam()].blocks; }
  [[nodiscard]] const PackedBank& bank() const { return *PackedBank::of(bank_); }
  [[nodiscard]] Geometry geometry_of_case() const { return geometry(case_.image_view(), bank(), 0); }

  // Sizes have a part in which variant is the cheapest, as costs do; this is what they make of the same one.
  void plan_same(CallPlan& plan) const {
    const Geometry g = geometry_of_case();
    const Limits limits{options_.threads, SIZE_MAX, 0};
    const CallPlan before = plan;
    plan.direct = plan_direct(g, bank(), options_.threads);
    if (plan.algorithm == Algorithm::winograd) {
      plan.winograd = {};
      EXPECT_EQ(
          plan_winograd_rows(*before.winograd.transform, *before.winograd.product, g, bank(), limits, plan.winograd),
          nullptr);
    } else if (plan.algorithm == Algorithm::fft) {
      const FftPlan& fft = before.fft;
      plan.fft = {};
      EXPECT_EQ(plan_fft_rows({*fft.rows, *fft.columns, *fft.product, fft.many}, g, bank(), limits, plan.fft), nullptr);
    }
    choose(plan, bank(), plan.algorithm);
  }

  [[nodiscard]] std::vector<float> responses_of(const CallPlan& plan) const {
    const GuardedBuffer image(case_.image, Edge::end), workspace(plan.workspace_bytes, Edge::end);
    const GuardedBuffer responses(std::vector<float>(case_.shape.responses_size(), sentinel()), Edge::end);
    EXPECT_TRUE(prepare(plan, bank()));
    run_planned(geometry_of_case(), bank(), options_, plan,
                {image.floats(), responses.floats(), case_.shape.response_height() * case_.shape.response_width()},
                workspace.data());
    return {responses.floats(), responses.floats() + case_.shape.responses_size()};
  }

  const Case case_ = normal_case({17, 61, 83, 21, 3, 3});
  corrbank::Options options_;
  corrbank::Bank bank_;

 private:
  const Blocks before_ = blocks();
};
CORRBANK_FOR_EACH_CPU_TARGET(BlockSizes);

}  // namespace

TEST_P(BlockSizes, ChangeNoResponse) {
  for (const Algorithm algorithm : {Algorithm::direct, Algorithm::winograd, Algorithm::fft}) {
    options_.algorithm = algorithm;
    CallPlan plan;
    ASSERT_TRUE(succeeded(plan_call(geometry_of_case(), bank(), options_, plan)));
    const std::vector<float> expected = responses_of(plan);
    for (double Blocks::* const size :
         {&Blocks::direct_chunk_bytes, &Blocks::winograd_tiles_bytes, &Blocks::winograd_finished_bytes,
          &Blocks::winograd_channels_ahead, &Blocks::winograd_near_bytes, &Blocks::fft_places, &Blocks::fft_slab_bytes,
          &Blocks::fft_near_bytes, &Blocks::fft_lines_ahead, &Blocks::fft_finished_bytes, &Blocks::streamed_bytes,
          &Blocks::direct_tasks_per_thread, &Blocks::winograd_pieces_per_thread}) {
      const double before = blocks().*size;
      for (const double value :
           {1.0, std::ceil(before / 7), 999999999.0}) {  // the least and the most a tuned file may have
        blocks().*size = value;
        plan_same(plan);
        const std::vector<float> found = responses_of(plan);
        EXPECT_EQ(std::memcmp(found.data(), expected.data(), found.size() * sizeof(float)), 0)
            << plan.tasks() << " tasks of algorithm " << static_cast<int>(algorithm) << ", " << value << " instead of "
            << before;
      }
      blocks().*size = before;
    }
  }
}
