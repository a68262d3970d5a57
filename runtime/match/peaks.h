// Peaks of scores that are never stored: candidates are taken tile by tile, and settled in f64 at the end.
//
// A tile's scores come in f32 by some algorithm; what they decide is only which windows may be peaks. A candidate is no worse
// than its neighbours in the tile, by more than `slack`, twice the error of a score; windows too flat for f32 have larger errors, which
// follow their norms. Neighbours in other tiles are unknown until the end, when they are looked up: windows at a tile's border are
// kept, if they are above the bar, though they be beaten; but of tiles for which there was no bar yet it is only remembered that they
// are not kept. Then the best candidates are scored in f64, with their neighbours where f32 leaves doubt, and taken from the best on.
// That result is the same for every algorithm, tile and number of threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

#include "match/scores.h"

namespace corrbank::detail {

// What is known of a window's score, the larger the better: the negative of distances. It is no more than half the slack above
// `score`, and less by no more than `doubt`, which is the slack but for windows too flat for f32.
struct Estimate {
  float score, doubt;
};

struct Candidate {
  std::int64_t y, x;
  Estimate known;
  // Neighbours that may be better, bits 3 (dy + 1) + dx + 1: those whose scores are too close to tell, and those that the tile did
  // not know.
  std::uint16_t close, unknown;
  bool beaten;  // by a neighbour; kept for the candidates of other tiles that do not know it
};
constexpr std::uint16_t all_neighbours = 0x1ef;

struct SearchedPart {
  std::int64_t y, x;
  int rows, columns;
  [[nodiscard]] bool has(std::int64_t at_y, std::int64_t at_x) const noexcept {
    return at_y >= y && at_y < y + rows && at_x >= x && at_x < x + columns;
  }
};

// A template's candidates, each window once. What is not among them, nor in a region of which only windows are kept that are not
// beaten, is no better than `bar`.
struct Candidates {
  std::vector<Candidate> by_place;
  std::vector<SearchedPart> without_beaten;
  std::vector<std::size_t> best_first;  // numbers of those
  float slack, bar;                     // slack: how far two scores can be out of order
};

// Ties go to the lower y, then the lower x.
inline bool precedes(std::int64_t y, std::int64_t x, std::int64_t other_y, std::int64_t other_x) noexcept {
  return y != other_y ? y < other_y : x < other_x;
}
template <typename A, typename B>
bool within(const A& a, const B& b, std::int64_t distance) noexcept {
  return std::abs(a.y - b.y) <= distance && std::abs(a.x - b.x) <= distance;
}

// The windows that may be peaks, of each template of a group.
class PeakSearch final : public ScoreSink {
 public:
  // `slack` by template. Throws std::bad_alloc.
  PeakSearch(const ScoreMaps& maps, const Scoring& scoring, const FindOptions& options, std::int64_t min_distance,
             std::vector<float> slack);

  bool take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept override;
  [[nodiscard]] bool out_of_memory() const noexcept { return out_of_memory_.load(std::memory_order_relaxed); }
  // The template's, which are given away.
  Candidates candidates(std::int64_t kernel);

 private:
  struct Found {
    std::mutex mutex;
    std::vector<Candidate> candidates;  // the first `pruned` from the best on
    std::vector<SearchedPart> without_beaten;
    std::size_t pruned = 0;
    std::atomic<float> bar;  // candidates below cannot be among the best
  };

  bool take(std::int64_t first_kernel, const Panel& panel, const Piece& piece) noexcept;
  bool take_wide(std::int64_t first_kernel, const Panel& panel, const Piece* pieces, int count) noexcept;
  void search_best(std::int64_t kernel, const Correlations* from, const Piece* pieces, int count,
                   RowBest* begin) noexcept;
  bool take_narrow(std::int64_t first_kernel, const Panel& panel, const Piece& piece) noexcept;
  // Whether scores are bounded by the largest correlations and norms before they are made.
  [[nodiscard]] bool bounds_scores() const noexcept {
    return maps_.largest != nullptr && maps_.tight && maps_.energy == nullptr;
  }
  void find_best_scores(const Correlations& from, const Piece& piece, float least, RowBest* rows) const noexcept;
  struct Rows {
    int first, end;
    bool with_beaten;  // windows at the tile's border
  };
  struct Scores {
    float above, at_most;
  };
  void search(std::int64_t kernel, const Correlations& from, const Piece& piece, const Rows& rows,
              const Scores& taken) noexcept;
  void consider(std::int64_t kernel, const Correlations& from, const Piece& piece, int y, int x,
                bool with_beaten) noexcept;
  // Whether beaten windows of a piece are kept for other tiles: not while there is no bar, which all of them would be above.
  bool keeps_beaten(std::int64_t kernel, const Piece& piece) noexcept;
  [[nodiscard]] float bar(std::int64_t kernel) const noexcept {
    return found_[static_cast<std::size_t>(kernel)].bar.load(std::memory_order_relaxed);
  }
  // Windows too flat for f32.
  void take_flat(std::int64_t first_kernel, const Panel& panel, const Piece& piece, int first, int kernels) noexcept;
  void search_flat(std::int64_t kernel, const Correlations& from, const Piece& piece, int y) noexcept;
  [[nodiscard]] Estimate estimate(std::int64_t kernel, const Correlations& from, int y, int x) const noexcept;
  void leave_to_f64() noexcept override;
  // All of a piece's, as there is no bar yet.
  void leave(const Piece& piece) noexcept;
  void deliver(std::int64_t kernel, const Again& again, const double* scores) noexcept override;
  [[nodiscard]] float without_score() const noexcept override;
  void add(std::int64_t kernel, const Candidate& candidate) noexcept;
  // Whether windows that other tiles do not know are kept for them: of all matches there may be too many.
  [[nodiscard]] bool looks_up_neighbours() const noexcept { return options_.top > 0; }
  // Raises the bar, if there are enough new candidates.
  void prune(Found& found) const;
  void prune(std::int64_t kernel) noexcept;

  const FindOptions& options_;
  std::int64_t min_distance_;
  std::vector<float> slack_;
  std::unique_ptr<Found[]> found_;
  std::mutex left_mutex_;
  std::vector<SearchedPart> left_;  // windows too flat for f32 of these are left to f64
  std::atomic<bool> out_of_memory_{false};
};

// Scores windows with one template, one by one.
class ExactScores {
 public:
  // Throws std::bad_alloc.
  ExactScores(const PackedTemplates& templates, const Source& source, std::int64_t k);

  // The larger the better: the negative of distances. False: no window there, or an invalid one.
  bool at(std::int64_t y, std::int64_t x, double& score) noexcept;
  [[nodiscard]] Method method() const noexcept { return templates_.method; }
  [[nodiscard]] std::int64_t template_index() const noexcept { return k_; }

 private:
  const PackedTemplates& templates_;
  const Source& source_;
  std::int64_t k_;
  std::vector<double> weights_, pixels_;  // [tap]: what is correlated; of a window
};

// The matches among a template's candidates, from the best on. Throws std::bad_alloc.
void settle_peaks(ExactScores& exact, const FindOptions& options, std::int64_t min_distance,
                  const Candidates& candidates, std::vector<Match>& matches);

// Leaves of matches of different templates that overlap by more than options.max_overlap the better ones.
void suppress_overlaps(const PackedTemplates& templates, const FindOptions& options, std::vector<Match>& matches);

}  // namespace corrbank::detail
