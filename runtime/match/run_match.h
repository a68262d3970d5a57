// The stages of a match: sums over windows, correlations by the algorithm that the planner picks, and in f64 what f32 is not
// enough for. One group of templates after the other, in the same memory.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "call.h"
#include "match/scores.h"
#include "match/source.h"
#include "match/templates.h"
#include "match/windows.h"
#include "plan.h"

namespace corrbank::detail {

class MatchRun {
 public:
  // `exactly`: every correlation in f64.
  MatchRun(const PackedTemplates& templates, const ImageView& image, const Options& options, bool exactly) noexcept
      : t_(templates), image_(image), options_(options), exactly_(exactly) {}

  // Bytes of workspace; refuses what the planner refuses, and a limit that is too small.
  Status plan(std::size_t& bytes) noexcept;
  // Of the largest group.
  [[nodiscard]] const CallPlan& correlation_plan() const noexcept { return plan_; }
  // Whether integers.h correlates, whatever the plan says.
  [[nodiscard]] bool in_integers() const noexcept { return integers_; }
  [[nodiscard]] Geometry geometry() const noexcept;

  // After plan(), in as much workspace. Throws std::bad_alloc.
  void start(void* workspace);
  // For each group: its windows' sums, then the correlations. False: no memory for the bank's form.
  void measure(const TemplateGroup& group) noexcept;
  bool correlate(const TemplateGroup& group, ScoreSink& sink) noexcept;

  [[nodiscard]] const ScoreMaps& maps() const noexcept { return maps_; }
  [[nodiscard]] const double* offsets() const noexcept { return offsets_.data(); }
  [[nodiscard]] const float* no_corrections() const noexcept { return zeros_; }
  // How far two scores of the template can be out of order.
  [[nodiscard]] float slack(const TemplateGroup& group, std::size_t k) const noexcept;

 private:
  struct Extent {
    int rows, columns;
  };
  [[nodiscard]] std::size_t scratch_bytes(std::int64_t kernels) const noexcept;
  [[nodiscard]] Extent sums_block() const noexcept;
  [[nodiscard]] Extent direct_block(std::int64_t kernels) const noexcept;
  [[nodiscard]] bool needs_copy() const noexcept;
  [[nodiscard]] bool may_use_integers() const noexcept;
  [[nodiscard]] bool uses_integers() const noexcept;
  void estimate_offsets();
  void copy_image() noexcept;
  void flag_flat_windows(const TemplateGroup& group) noexcept;
  void correlate_in_blocks(const TemplateGroup& group, ScoreSink& sink) noexcept;
  void correlate_integers(const TemplateGroup& group, ScoreSink& sink) noexcept;
  void correlate_again(const TemplateGroup& group, ScoreSink& sink) noexcept;
  // Calls work(block index, scratch) for each of `count` blocks, on the call's threads.
  template <typename Work>
  void for_each_block(std::int64_t count, const Work& work) noexcept;

  const PackedTemplates& t_;
  const ImageView& image_;
  const Options& options_;
  bool exactly_;
  bool integers_ = false;  // image and templates of u8 are correlated by integers.h
  CallPlan plan_;
  Options engine_options_;
  std::size_t engine_bytes_ = 0, scratch_bytes_ = 0, fixed_bytes_ = 0;
  std::int64_t most_kernels_ = 0;

  std::vector<double> offsets_;
  Source source_;
  ScoreMaps maps_{};
  float *copy_ = nullptr, *zeros_ = nullptr, *means_ = nullptr;
  std::int32_t* taps_ = nullptr;  // of correlate_again()
  Moments* moments_ = nullptr;    // [block][channel]
  char *engine_ = nullptr, *scratch_ = nullptr;
  std::atomic<float> largest_energy_{0};
};

}  // namespace corrbank::detail
