// From correlations to scores, tile by tile, and who takes them.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "match/match_kernels.h"
#include "match/method.h"
#include "match/templates.h"
#include "scatter.h"

namespace corrbank::detail {

// In place of a score that there is not, where the largest ones are looked for.
constexpr float no_score = -3e38f;

// Where peaks are searched scores of windows too flat for f32 may be off by about this much, or they are computed again all the same.
constexpr double flat_error = 0.005;

// What scores of a group's windows depend on, [row][column] of all windows. norm is 0 where a window is invalid, and negative
// where f32 is too coarse for a score. Those below again_below are computed again in f64: all of them, and minus infinity is that of
// windows which that will find invalid; or, where peaks are searched, those of minus infinity.
struct ScoreMaps {
  float* norm;
  float* energy;    // null but for distances
  RedoFlag* again;  // by row: whether a norm is negative
  std::int64_t height, width;
  float* largest;     // [row][segments()]: what no norm of a segment is above; null where they are made block by block
  bool tight;         // windows have so many pixels that norms are much alike
  float again_below;  // 0, or -FLT_MAX
  // By a window's norm, what its score in f32 may be off by if that is negative; where peaks are searched.
  const std::atomic<float>* error;

  static constexpr std::int64_t segment = 64;  // windows of a row
  [[nodiscard]] std::int64_t segments() const noexcept { return (width + segment - 1) / segment; }
  // Of `columns` windows from (y, x) on.
  [[nodiscard]] float largest_norm(std::int64_t y, std::int64_t x, std::int64_t columns) const noexcept {
    const float* of_row = largest + y * segments();
    return *std::max_element(of_row + x / segment, of_row + (x + columns - 1) / segment + 1);
  }

  [[nodiscard]] std::int64_t at(std::int64_t y, std::int64_t x) const noexcept { return y * width + x; }
};

// A group's constants for one image: scores as method.h has them, or, where peaks are searched, the negative of distances.
struct Scoring {
  const Target* target;
  ScoreRange range{};
  std::vector<double> add, scale;         // by template of the group
  std::vector<float> add_f32, scale_f32;  // the same
  double sign = 1;
  bool may_overflow;  // correlations, though the window's energy is finite

  // `finished`: correlations are the scores already. Throws std::bad_alloc.
  Scoring(const PackedTemplates& templates, const TemplateGroup& group, const double* offsets, double sign,
          bool finished);
};

// Tiles that lie side by side in a panel, of all its kernels, less what the first of them skips.
struct Piece {
  float* data;
  std::int64_t y, x;  // of the first window
  int rows, columns;
};

// Scores of templates of one group. Takes correlations from the algorithms, and what was summed again from run_match().
class ScoreSink : public Sink {
 public:
  ScoreSink(const ScoreMaps& maps, const Scoring& scoring) noexcept : maps_(maps), scoring_(scoring) {}
  virtual ~ScoreSink() = default;

  void place(std::int64_t /*first_kernel*/, const Tile& /*tile*/, Panel& /*panel*/) noexcept override {}
  void refuse(const Tile& tile, int rows, int columns) noexcept final;
  // Whether finished scores are i32 where place() puts them.
  [[nodiscard]] virtual bool takes_integers() const noexcept { return false; }
  // When all that f32 is good for has been taken: what is left gets a norm below again_below.
  virtual void leave_to_f64() noexcept {}
  // What was summed in f64: of each place windows (y, x) and up to exact_columns - 1 behind it. Of them those are scored whose norm
  // in the maps is negative.
  struct Place {
    std::int64_t y, x;
    int columns;
  };
  struct Again {
    const Place* places;
    int count;                       // again_places at most
    const double *norms, *energies;  // [place][exact_columns]
  };
  static constexpr int again_places = 64;
  // Correlations are [place][exact_columns].
  void take_again(std::int64_t kernel, const double* sums, const Again& again) noexcept;

 protected:
  // Scores in f64, [place][exact_columns].
  virtual void deliver(std::int64_t kernel, const Again& again, const double* scores) noexcept = 0;
  // visit(y, x, score) of those windows of a place that are wanted.
  template <typename Visit>
  void each_wanted(const Place& place, const double* scores, const Visit& visit) const noexcept {
    const float* norms = maps_.norm + maps_.at(place.y, place.x);
    for (int i = 0; i < place.columns; ++i) {
      if (norms[i] < maps_.again_below) visit(place.y, place.x + i, scores[i]);
    }
  }
  // What a window gets that has no score yet, or none at all.
  [[nodiscard]] virtual float without_score() const noexcept { return 0; }

  // A piece's part of kernels [kernel, kernel + kernels) of a panel, the first of which is `first_kernel` of the group.
  [[nodiscard]] Correlations correlations(std::int64_t first_kernel, const Panel& panel, const Piece& piece, int kernel,
                                          int kernels) const noexcept;
  void score(const Correlations& from, float* to, std::ptrdiff_t row_stride,
             std::ptrdiff_t kernel_stride) const noexcept;
  // Of one window, of one kernel, by its norm.
  [[nodiscard]] float score_at(const Correlations& from, int y, int x, float norm) const noexcept;
  // A whole panel, where it lies. NaN is a score of what was not finite.
  void score(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) const noexcept;
  // Whether tiles have to be looked at for what is not finite: where it is only in windows that hold such pixels their norm says
  // so.
  [[nodiscard]] bool looks(const Panel& panel) const noexcept { return panel.spreads || scoring_.may_overflow; }

  const ScoreMaps& maps_;
  const Scoring& scoring_;
};

// Tiles [first, end).
Piece piece_of(const Panel& panel, const Tile* tiles, int first, int end) noexcept;
bool is_finite(const Panel& panel, int kernel, int tile) noexcept;

// Scores of f32 or i32 where the caller wants them.
class ScoreWriter final : public ScoreSink {
 public:
  ScoreWriter(const ScoreMaps& maps, const Scoring& scoring, const TemplateGroup& group,
              const ResponsesView& to) noexcept;
  [[nodiscard]] bool takes_integers() const noexcept override { return to_.dtype == DType::i32; }

  void place(std::int64_t first_kernel, const Tile& tile, Panel& panel) noexcept override;
  bool take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept override;

 private:
  // What take() does where all of it goes past the caches.
  bool stream(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) const noexcept;
  void deliver(std::int64_t kernel, const Again& again, const double* scores) noexcept override;
  [[nodiscard]] float* at(std::int64_t kernel, std::int64_t y, std::int64_t x) const noexcept;
  // The end of kernels from `first` on whose maps follow each other, `end` at most.
  [[nodiscard]] std::int64_t end_of_neighbours(std::int64_t first, std::int64_t end) const noexcept;

  const TemplateGroup& group_;
  const ResponsesView& to_;
  bool stream_;
};

// The best score of each window over templates, and whose it is. Scores are the negative of distances.
class BestWriter final : public ScoreSink {
 public:
  BestWriter(const ScoreMaps& maps, const Scoring& scoring, const TemplateGroup& group, const ResponsesView& to,
             std::int32_t* best) noexcept
      : ScoreSink(maps, scoring), group_(group), to_(to), best_(best) {}

  bool take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept override;

 private:
  void deliver(std::int64_t kernel, const Again& again, const double* scores) noexcept override;
  [[nodiscard]] float without_score() const noexcept override;
  void offer(std::int64_t kernel, std::int64_t y, std::int64_t x, float score) noexcept;

  static constexpr int lock_count = 64;
  std::mutex locks_[lock_count];  // threads bring scores of the same window for different templates
  const TemplateGroup& group_;
  const ResponsesView& to_;
  std::int32_t* best_;
};

}  // namespace corrbank::detail
