// The stages of a match: sums over windows, correlations by the algorithm that the planner picks, and in f64 what f32 is not
// enough for. One group of templates after the other, in the same memory.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "call.h"
#include "match/direct_blocks.h"
#include "match/method.h"
#include "match/scores.h"
#include "match/small_windows.h"
#include "match/source.h"
#include "match/stage_sizes.h"
#include "match/templates.h"
#include "match/windows.h"
#include "plan.h"
#include "threads.h"

namespace corrbank::detail {

// What a group's templates are correlated by.
struct GroupPlan {
  CallPlan call;
  DirectBlocks blocks;  // of the direct algorithm
};

class MatchRun {
 public:
  // What for: scores, those with every correlation in f64, or peaks, which their search settles in f64.
  enum class Aim { scores, exact_scores, peaks };
  MatchRun(const PackedTemplates& templates, const ImageView& image, const Options& options, Aim aim) noexcept
      : t_(templates), image_(image), options_(options), aim_(aim) {}

  // Bytes of workspace; refuses what the planner refuses, and a limit that is too small. Throws std::bad_alloc.
  Status plan(std::size_t& bytes);
  // Of the largest group.
  [[nodiscard]] const CallPlan& correlation_plan() const noexcept;
  // Whether integers.h correlates, whatever the plan says; and whether it makes the scores themselves.
  [[nodiscard]] bool in_integers() const noexcept { return integers_; }
  [[nodiscard]] bool makes_scores() const noexcept { return integers_ && is_integer(t_.method); }
  [[nodiscard]] Geometry geometry() const noexcept;

  // After plan(): what it needs of the banks. False: no memory.
  bool prepare() const noexcept;
  // After plan(), in as much workspace. Throws std::bad_alloc.
  void start(void* workspace);
  // For each group by its number: its windows' sums, then the correlations.
  void measure(std::size_t group) noexcept;
  void correlate(std::size_t group, ScoreSink& sink) noexcept;

  [[nodiscard]] const ScoreMaps& maps() const noexcept { return maps_; }
  [[nodiscard]] const double* offsets() const noexcept { return offsets_.data(); }
  [[nodiscard]] const Source& source() const noexcept { return source_; }
  // How far two scores of the template can be out of order.
  [[nodiscard]] float slack(const TemplateGroup& group, std::size_t k) const noexcept;

 private:
  struct Extent {
    int rows, columns;
  };
  // Where the parts of the workspace begin, in bytes.
  struct Layout {
    std::size_t norm, energy, largest, again, taps, zeros, copy, scratch, engine, end;
  };
  [[nodiscard]] bool exactly() const noexcept { return aim_ == Aim::exact_scores; }
  [[nodiscard]] std::size_t scratch_bytes() const noexcept;
  [[nodiscard]] Extent sums_block() const noexcept;
  [[nodiscard]] bool needs_copy() const noexcept;
  // What is correlated is a copy in f32, which takes memory.
  [[nodiscard]] bool copies() const noexcept { return needs_copy() && !exactly() && !makes_scores(); }
  [[nodiscard]] bool may_use_integers() const noexcept;
  [[nodiscard]] bool uses_integers() const noexcept;
  [[nodiscard]] bool any_masked() const noexcept;
  void lay_out() noexcept;
  void estimate_offsets();
  void copy_image() noexcept;
  void fill_taps() noexcept;
  // What winograd and fft correlate, and what they take off it.
  [[nodiscard]] const float* correlated_image() const noexcept;
  [[nodiscard]] const float* correlated_means() const noexcept;
  // Whether windows are summed block by block of the direct algorithm, not before.
  [[nodiscard]] bool measures_in_blocks(std::size_t group) const noexcept;
  // Of windows: tiles of the algorithm, or several.
  [[nodiscard]] static Extent transformed_together(const CallPlan& plan) noexcept;
  void bound_norms(std::int64_t first, std::int64_t end) noexcept;
  // What is correlated, from pixel (y, x) of the image on.
  struct Seen {
    const Source& source;
    std::int64_t y, x;
  };
  // flat_windows.cpp: makes norms negative, or minus infinity as ScoreMaps says, of those windows of a part that f32 may be too coarse
  // for; how many. None there has more than `largest_energy`.
  std::int64_t flag_flat_windows(std::size_t group, const Seen& seen, const WindowBlock& block,
                                 float largest_energy) noexcept;
  [[nodiscard]] Flatness small_flatness() const noexcept;
  // Of a window that is just not too flat for f32 a score may be off by half its slack.
  void note_flat_error(float least_norm) noexcept {
    raise(flat_error_, static_cast<float>(3 * score_tolerance) / least_norm);
  }
  static void raise(std::atomic<float>& most, float value) noexcept;
  std::int64_t flag_small_windows(const Seen& seen, const WindowBlock& block, float largest_energy) noexcept;
  [[nodiscard]] double energy_at_most(const Seen& seen, Extent windows, float largest_energy) const noexcept;
  [[nodiscard]] double energy_around(std::size_t group, const Seen& seen, std::int64_t y, std::int64_t x,
                                     Extent windows) const noexcept;
  // Whether a constant added to a channel changes no score of the group.
  [[nodiscard]] bool sees_no_means(std::size_t group) const noexcept;
  // direct_match.cpp: the direct algorithm, block by block.
  void correlate_in_blocks(std::size_t group, ScoreSink& sink) noexcept;
  std::int64_t count_flagged(const WindowBlock& windows) noexcept;
  std::int64_t read_block(std::size_t group, const WindowBlock& windows, bool less_means, float* pixels) noexcept;
  void correlate_integers(const TemplateGroup& group, ScoreSink& sink) noexcept;
  // In f64, those windows that the maps say.
  void correlate_again(const TemplateGroup& group, const WindowBlock& windows, char* scratch, ScoreSink& sink) noexcept;
  int places_again(const WindowBlock& block, ScoreSink::Place* places) const noexcept;
  void correlate_places(const TemplateGroup& group, const WindowBlock& whole, const ScoreSink::Place* places, int count,
                        char* scratch, ScoreSink& sink) noexcept;
  // Calls work(block index, scratch) for each of `count` blocks, on the call's threads.
  template <typename Work>
  void for_each_block(std::int64_t count, const Work& work) noexcept;

  const PackedTemplates& t_;
  const ImageView& image_;
  const Options& options_;
  Aim aim_;
  bool integers_ = false;  // image and templates of u8 are correlated by integers.h
  std::vector<GroupPlan> plans_;
  Options engine_options_;
  std::size_t engine_bytes_ = 0, scratch_bytes_ = 0;
  std::int64_t most_kernels_ = 0;
  Layout layout_{};

  std::vector<double> offsets_, no_offsets_;  // by channel
  Source source_;
  ScoreMaps maps_{};
  float *largest_norms_ = nullptr, *copy_ = nullptr, *zeros_ = nullptr, *means_ = nullptr;
  std::int32_t* taps_ = nullptr;  // of correlate_again()
  char *engine_ = nullptr, *scratch_ = nullptr;
  std::atomic<float> largest_energy_{0};
  std::atomic<float> flat_error_{0};  // by norm, of scores of windows too flat for f32
};

template <typename Work>
void MatchRun::for_each_block(std::int64_t count, const Work& work) noexcept {
  struct Shared {
    MatchRun& run;
    const Work& work;
    std::int64_t count;
    std::atomic<std::int64_t> next{0};
  } shared{*this, work, count};
  const auto task = [](void* argument, int thread) {
    auto& s = *static_cast<Shared*>(argument);
    char* scratch = s.run.scratch_ + s.run.scratch_bytes_ * static_cast<std::size_t>(thread);
    for (std::int64_t i = s.next.fetch_add(1); i < s.count; i = s.next.fetch_add(1)) s.work(i, scratch);
  };
  run_tasks(options_, static_cast<int>(std::min<std::int64_t>(count, options_.threads)), task, &shared);
}

}  // namespace corrbank::detail
