#include "match/scores.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "match/match_kernels.h"

namespace corrbank::detail {
namespace {

constexpr int narrow = 16;  // columns
constexpr int tiles_at_once = 16;

// Of tiles as narrow as Winograd's, which a call for each would take longer than.
void score_narrow(const ScoreTile& c) noexcept {
  for (int y = 0; y < c.rows; ++y) {
    float* row = c.tile + y * c.tile_stride;
    const float* norm = c.norms + y * c.map_stride;
    for (int x = 0; x < c.columns; ++x) {
      const float energy = c.energies != nullptr ? c.energies[y * c.map_stride + x] : 0;
      const float sum = c.factor * row[x] + (c.add + energy);
      const float score = std::min(std::max(sum * (c.scale * norm[x]), c.lowest), c.highest);
      row[x] = norm[x] > 0 ? score : c.without;
    }
  }
}

bool is_finite(const Panel& panel, int kernel, int tile) noexcept {
  const float* rows = panel.data + kernel * panel.kernel_stride + tile * panel.tile_stride;
  for (int y = 0; y < panel.rows; ++y) {
    if (any_not_finite(rows + y * panel.row_stride, static_cast<std::size_t>(panel.columns))) return false;
  }
  return true;
}

}  // namespace

Scoring::Scoring(const PackedTemplates& t, const TemplateGroup& group, const double* offsets, double sign)
    : target(t.target), range(score_range(t.method)), add(group.add), scale(group.scale), sign(sign) {
  const auto channels = static_cast<std::size_t>(t.channels);
  for (std::size_t k = 0; k < add.size() && !group.channel_sums.empty(); ++k) {
    for (std::size_t c = 0; c < channels; ++c) add[k] += offsets[c] * group.channel_sums[k * channels + c];
  }
  if (sign < 0) {
    for (double& s : scale) s = -s;
    range = {range.factor, -range.highest, -range.lowest};
  }
}

bool ScoreSink::take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept {
  bool not_finite = false;
  for (int k = 0; k < panel.kernels; ++k) {
    const auto at = static_cast<std::size_t>(first_kernel + k);
    ScoreTile made{nullptr,
                   nullptr,
                   nullptr,
                   panel.row_stride,
                   static_cast<std::ptrdiff_t>(maps_.width),
                   panel.rows,
                   panel.columns,
                   static_cast<float>(scoring_.range.factor),
                   static_cast<float>(scoring_.add[at]),
                   static_cast<float>(scoring_.scale[at]),
                   static_cast<float>(scoring_.range.lowest),
                   static_cast<float>(scoring_.range.highest),
                   without_score()};
    Scored scored[tiles_at_once];
    int have = 0;
    for (int t = 0; t < count; ++t) {
      if (!is_finite(panel, k, t)) {
        not_finite = true;
        continue;
      }
      const Tile& tile = tiles[t];
      made.tile = panel.data + k * panel.kernel_stride + t * panel.tile_stride;
      made.norms = maps_.norm + maps_.at(tile.y, tile.x);
      if (maps_.energy != nullptr) made.energies = maps_.energy + maps_.at(tile.y, tile.x);
      if (panel.columns < narrow) {
        score_narrow(made);
      } else {
        make_scores(*scoring_.target, made);
      }
      scored[have++] = {made.tile,  panel.row_stride, tile.y,      tile.x,
                        panel.rows, panel.columns,    tile.skip_y, tile.skip_x};
      if (have < tiles_at_once) continue;
      deliver(first_kernel + k, scored, have);
      have = 0;
    }
    if (have > 0) deliver(first_kernel + k, scored, have);
  }
  deliver(first_kernel, panel, tiles, count);
  return not_finite;
}

void ScoreSink::refuse(const Tile& tile, int rows, int columns) noexcept {
  for (int y = tile.skip_y; y < rows; ++y) {
    float* norm = maps_.norm + maps_.at(tile.y + y, tile.x);
    for (int x = tile.skip_x; x < columns; ++x) norm[x] = norm[x] == 0 ? -HUGE_VALF : -std::fabs(norm[x]);
  }
}

void ScoreSink::take_scores(std::int64_t first_kernel, const Panel& panel, const Tile& tile) noexcept {
  for (int k = 0; k < panel.kernels && !takes_integers(); ++k) {
    const Scored scored{panel.data + k * panel.kernel_stride,
                        panel.row_stride,
                        tile.y,
                        tile.x,
                        panel.rows,
                        panel.columns,
                        tile.skip_y,
                        tile.skip_x};
    deliver(first_kernel + k, &scored, 1);
  }
  deliver(first_kernel, panel, &tile, 1);
}

void ScoreSink::take_again(std::int64_t kernel, const double* sums, const Again& block) noexcept {
  const auto at = static_cast<std::size_t>(kernel);
  const double add = scoring_.add[at], scale = scoring_.scale[at];
  const bool with_energy = maps_.energy != nullptr;
  for (int y = 0; y < block.rows; ++y) {
    const float* wanted = maps_.norm + maps_.at(block.y + y, block.x);
    for (int x = 0; x < block.columns; ++x) {
      if (!(wanted[x] < 0)) continue;
      const int i = y * block.pitch + x;
      const double added = add + (with_energy ? block.energy[i] : 0);
      const double score = scoring_.range.score(sums[i], added, scale, block.norm[i]);
      deliver(kernel, block.y + y, block.x + x, block.norm[i] != 0 ? score : without_score());
    }
  }
}

ScoreWriter::ScoreWriter(const ScoreMaps& maps, const Scoring& scoring, const TemplateGroup& group,
                         const ResponsesView& to, const float* no_corrections) noexcept
    : ScoreSink(maps, scoring), group_(group), to_(to), no_corrections_(no_corrections),
      stream_(streams(to.count, to.height, to.width)) {}

ScoreSink::Place ScoreWriter::place(std::int64_t first, int count, std::int64_t y, std::int64_t x) const noexcept {
  const auto at = static_cast<std::size_t>(first);
  const std::int64_t id = group_.ids[at], last = group_.ids[at + static_cast<std::size_t>(count) - 1];
  const bool fits = to_.kernel_stride <= INT32_MAX && to_.row_stride <= INT32_MAX;
  if (last - id != count - 1 || !fits) return {};
  return {static_cast<std::int32_t*>(to_.data) + id * to_.kernel_stride + y * to_.row_stride + x,
          static_cast<std::ptrdiff_t>(to_.kernel_stride), static_cast<std::ptrdiff_t>(to_.row_stride)};
}

void ScoreWriter::deliver(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept {
  const auto id = [&](int k) { return group_.ids[static_cast<std::size_t>(first_kernel + k)]; };
  for (int k = 0; k < panel.kernels && takes_integers(); ++k) {
    const float* from = panel.data + k * panel.kernel_stride;
    auto* to = static_cast<std::int32_t*>(to_.data) + id(k) * to_.kernel_stride + tiles->y * to_.row_stride + tiles->x;
    for (int y = 0; y < panel.rows; ++y, from += panel.row_stride, to += to_.row_stride) {
      std::memcpy(to, from, static_cast<std::size_t>(panel.columns) * sizeof *to);
    }
  }
  if (takes_integers()) return;
  for (int first = 0, end = 0; first < panel.kernels; first = end) {
    end = first + 1;
    while (end < panel.kernels && id(end) == id(end - 1) + 1) ++end;
    Panel neighbours = panel;
    neighbours.data += first * panel.kernel_stride;
    neighbours.kernels = end - first;
    scatter({static_cast<float*>(to_.data) + id(first) * to_.kernel_stride, to_.kernel_stride, to_.row_stride,
             no_corrections_, stream_},
            neighbours, tiles, count);
  }
}

void ScoreWriter::deliver(std::int64_t kernel, std::int64_t y, std::int64_t x, double score) noexcept {
  const std::int64_t at = group_.ids[static_cast<std::size_t>(kernel)] * to_.kernel_stride + y * to_.row_stride + x;
  if (to_.dtype == DType::i32) {
    static_cast<std::int32_t*>(to_.data)[at] = static_cast<std::int32_t>(std::lrint(score));
  } else {
    static_cast<float*>(to_.data)[at] = static_cast<float>(score);
  }
}

float BestWriter::without_score() const noexcept { return no_score; }

void BestWriter::offer(std::int64_t kernel, std::int64_t y, std::int64_t x, float score) noexcept {
  if (score == no_score || scoring_.scale[static_cast<std::size_t>(kernel)] == 0) return;
  float& best = static_cast<float*>(to_.data)[y * to_.row_stride + x];
  std::int32_t& whose = best_[maps_.at(y, x)];
  const auto id = static_cast<std::int32_t>(group_.ids[static_cast<std::size_t>(kernel)]);
  if (whose >= 0 && (score < best || (score == best && id > whose))) return;
  best = score;
  whose = id;
}

void BestWriter::deliver(std::int64_t kernel, const Scored* tiles, int count) noexcept {
  for (const Scored* tile = tiles; tile != tiles + count; ++tile) {
    for (int y = tile->first_row; y < tile->rows; ++y) {
      const std::lock_guard<std::mutex> lock(locks_[(tile->y + y) % lock_count]);
      for (int x = tile->first_column; x < tile->columns; ++x) {
        offer(kernel, tile->y + y, tile->x + x, tile->scores[y * tile->pitch + x]);
      }
    }
  }
}

void BestWriter::deliver(std::int64_t kernel, std::int64_t y, std::int64_t x, double score) noexcept {
  const std::lock_guard<std::mutex> lock(locks_[y % lock_count]);
  offer(kernel, y, x, static_cast<float>(score));
}

}  // namespace corrbank::detail
