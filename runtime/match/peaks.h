// Peaks of scores that are never stored: candidates are taken tile by tile, and settled in f64 at the end.
//
// A tile's scores come in f32 by some algorithm; what they decide is only which windows may be peaks. A candidate is no worse
// than its neighbours in the tile, by more than `slack`, twice the error of a score. Neighbours in other tiles are unknown, so
// in the end the best candidates are scored in f64, with their neighbours where the tile left doubt, and taken from the best
// on. That result is the same for every algorithm, tile and number of threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "match/scores.h"

namespace corrbank::detail {

struct Candidate {
  std::int64_t y, x;
  float score;  // the larger the better: the negative of distances
  bool sure;    // better than all its neighbours
};

// The windows that may be peaks, of each template of a group.
class PeakSearch final : public ScoreSink {
 public:
  // `slack` by template. Throws std::bad_alloc.
  PeakSearch(const ScoreMaps& maps, const Scoring& scoring, const FindOptions& options, std::int64_t min_distance,
             std::vector<float> slack);

  [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_.load(std::memory_order_relaxed); }
  // The template's candidates from the best on, and how far their scores can be off.
  std::vector<Candidate>& sorted(std::int64_t kernel);
  [[nodiscard]] float slack(std::int64_t kernel) const noexcept { return slack_[static_cast<std::size_t>(kernel)]; }

 private:
  struct Found {
    std::mutex mutex;
    std::vector<Candidate> candidates;
    std::size_t prune_at = 64;
    std::atomic<bool> begun{false};
    std::atomic<float> bar;  // candidates below cannot be among the best
  };

  void deliver(std::int64_t kernel, const Scored* tiles, int count) noexcept override;
  void deliver(std::int64_t kernel, std::int64_t y, std::int64_t x, double score) noexcept override;
  [[nodiscard]] float without_score() const noexcept override;
  // A window of a tile, if it may be a peak.
  void consider(std::int64_t kernel, const Scored& tile, int y, int x) noexcept;
  // The best window of each of the first tiles: what most others need not be compared with any more.
  void begin(std::int64_t kernel, const Scored* tiles, int count) noexcept;
  void add(std::int64_t kernel, const Candidate& candidate) noexcept;
  void prune(Found& found, float slack) const;

  const FindOptions& options_;
  std::int64_t min_distance_;
  std::vector<float> slack_;
  std::unique_ptr<Found[]> found_;
  std::atomic<bool> out_of_memory_{false};
};

// What scores windows one by one.
struct ExactScores {
  const PackedTemplates& templates;
  const ImageView& image;
  const double* offsets;

  // The larger the better: the negative of distances. False: no window there, or an invalid one.
  bool at(std::int64_t k, std::int64_t y, std::int64_t x, double& score) const noexcept;
};

// The matches among a template's candidates, from the best on. Throws std::bad_alloc.
void settle_peaks(const ExactScores& exact, const FindOptions& options, std::int64_t min_distance, std::int64_t k,
                  const std::vector<Candidate>& candidates, float slack, std::vector<Match>& matches);

// Leaves of matches of different templates that overlap by more than options.max_overlap the better ones.
void suppress_overlaps(const PackedTemplates& templates, const FindOptions& options, std::vector<Match>& matches);

}  // namespace corrbank::detail
