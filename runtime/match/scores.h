// From correlations to scores, tile by tile, and who takes them.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <vector>

#include "match/method.h"
#include "match/templates.h"
#include "scatter.h"

namespace corrbank::detail {

// In place of a score that there is not, where the largest ones are looked for.
constexpr float no_score = -3e38f;

// What scores of a group's windows depend on, [row][column] of all windows. norm is 0 where a window is invalid, and negative
// where a score has to be computed again in f64: minus infinity where that will find the window invalid.
struct ScoreMaps {
  float* norm;
  float* energy;  // null but for distances
  std::int64_t height, width;

  [[nodiscard]] std::int64_t at(std::int64_t y, std::int64_t x) const noexcept { return y * width + x; }
};

// A group's constants for one image: scores as method.h has them, or, where peaks are searched, the negative of distances.
struct Scoring {
  const Target* target;
  ScoreRange range{};
  std::vector<double> add, scale;  // by template of the group
  double sign = 1;

  // Throws std::bad_alloc.
  Scoring(const PackedTemplates& templates, const TemplateGroup& group, const double* offsets, double sign);
};

// Scores of templates of one group. Takes correlations from the algorithms, and what was summed again from run_match().
class ScoreSink : public Sink {
 public:
  ScoreSink(const ScoreMaps& maps, const Scoring& scoring) noexcept : maps_(maps), scoring_(scoring) {}
  virtual ~ScoreSink() = default;

  bool take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept final;
  void refuse(const Tile& tile, int rows, int columns) noexcept final;
  // Finished scores of a tile, by f32 (times sign()) or by i32 where takes_integers(), in place of correlations.
  void take_scores(std::int64_t first_kernel, const Panel& panel, const Tile& tile) noexcept;
  [[nodiscard]] virtual bool takes_integers() const noexcept { return false; }
  // Where finished scores of templates [first, first + count) from window (y, x) on may be written right away, by strides of
  // 32 bits; null: nowhere.
  struct Place {
    void* data;
    std::ptrdiff_t kernel_stride, row_stride;
  };
  [[nodiscard]] virtual Place place(std::int64_t /*first*/, int /*count*/, std::int64_t /*y*/,
                                    std::int64_t /*x*/) const noexcept {
    return {};
  }
  [[nodiscard]] double sign() const noexcept { return scoring_.sign; }
  // Correlations in f64, [row][pitch], of the windows from (y, x) on; norms and energies likewise. Scores those whose norm in
  // the maps is negative.
  struct Again {
    std::int64_t y, x;
    int rows, columns, pitch;
    const double *norm, *energy;
  };
  void take_again(std::int64_t kernel, const double* sums, const Again& block) noexcept;

 protected:
  // Scores of windows [y, y + rows) x [x, x + columns), `pitch` apart, which may be written. `first_row` and `first_column` are
  // the first that are not somebody else's.
  struct Scored {
    float* scores;
    std::ptrdiff_t pitch;
    std::int64_t y, x;
    int rows, columns, first_row, first_column;
  };
  virtual void deliver(std::int64_t /*kernel*/, const Scored* /*tiles*/, int /*count*/) noexcept {}
  // All of a panel, after its tiles that were finite have been scored and delivered.
  virtual void deliver(std::int64_t /*first_kernel*/, const Panel& /*panel*/, const Tile* /*tiles*/,
                       int /*count*/) noexcept {}
  // A score by itself, in f64.
  virtual void deliver(std::int64_t kernel, std::int64_t y, std::int64_t x, double score) noexcept = 0;
  // What a window gets that has no score yet, or none at all.
  [[nodiscard]] virtual float without_score() const noexcept { return 0; }

  const ScoreMaps& maps_;
  const Scoring& scoring_;
};

// Scores of f32 or i32 where the caller wants them.
class ScoreWriter final : public ScoreSink {
 public:
  // `no_corrections`: a 0 for each template of the group.
  ScoreWriter(const ScoreMaps& maps, const Scoring& scoring, const TemplateGroup& group, const ResponsesView& to,
              const float* no_corrections) noexcept;
  [[nodiscard]] bool takes_integers() const noexcept override { return to_.dtype == DType::i32; }
  [[nodiscard]] Place place(std::int64_t first, int count, std::int64_t y, std::int64_t x) const noexcept override;

 private:
  void deliver(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept override;
  void deliver(std::int64_t kernel, std::int64_t y, std::int64_t x, double score) noexcept override;

  const TemplateGroup& group_;
  const ResponsesView& to_;
  const float* no_corrections_;
  bool stream_;
};

// The best score of each window over templates, and whose it is. Scores are the negative of distances.
class BestWriter final : public ScoreSink {
 public:
  BestWriter(const ScoreMaps& maps, const Scoring& scoring, const TemplateGroup& group, const ResponsesView& to,
             std::int32_t* best) noexcept
      : ScoreSink(maps, scoring), group_(group), to_(to), best_(best) {}

 private:
  void deliver(std::int64_t kernel, const Scored* tiles, int count) noexcept override;
  void deliver(std::int64_t kernel, std::int64_t y, std::int64_t x, double score) noexcept override;
  [[nodiscard]] float without_score() const noexcept override;
  void offer(std::int64_t kernel, std::int64_t y, std::int64_t x, float score) noexcept;

  static constexpr int lock_count = 64;
  std::mutex locks_[lock_count];  // threads bring scores of the same window for different templates
  const TemplateGroup& group_;
  const ResponsesView& to_;
  std::int32_t* best_;
};

}  // namespace corrbank::detail
