#include "match/scores.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "match/stream_scores.h"

namespace corrbank::detail {
namespace {

// Narrower tiles, whose lines are stored in parts, are scored side by side.
constexpr int streamed_columns = 32;

// to[i] = from[i] where norms[i] is negative, without branches: which they are follows no pattern.
void select_where_negative(const float* norms, const double* from, float* to) noexcept {
  std::uint32_t wanted[exact_columns], made[exact_columns], old[exact_columns];
  float scores[exact_columns];
  for (int i = 0; i < exact_columns; ++i) scores[i] = static_cast<float>(from[i]);
  std::memcpy(wanted, norms, sizeof wanted);
  std::memcpy(made, scores, sizeof made);
  std::memcpy(old, to, sizeof old);
  for (int i = 0; i < exact_columns; ++i) {
    const std::uint32_t mask = 0 - (wanted[i] >> 31);
    old[i] = (old[i] & ~mask) | (made[i] & mask);
  }
  std::memcpy(to, old, sizeof old);
}

}  // namespace

Scoring::Scoring(const PackedTemplates& t, const TemplateGroup& group, const double* offsets, double sign,
                 bool finished)
    : target(t.target), range(score_range(t.method)), add(group.add), scale(group.scale), sign(sign),
      may_overflow(group.masked()) {
  const auto channels = static_cast<std::size_t>(t.channels);
  for (std::size_t k = 0; k < add.size() && !group.channel_sums.empty(); ++k) {
    for (std::size_t c = 0; c < channels; ++c) add[k] += offsets[c] * group.channel_sums[k * channels + c];
  }
  if (finished) {
    std::fill(add.begin(), add.end(), 0.0);
    range = score_range(Method::ccorr);
  }
  if (sign < 0) {
    for (double& s : scale) s = -s;
    range = {range.factor, -range.highest, -range.lowest};
  }
  add_f32.assign(add.begin(), add.end());
  scale_f32.assign(scale.begin(), scale.end());
  // Of windows whose energy is finite in f32 a correlation is no more than 2e19 times this.
  for (const double norm : group.norm) may_overflow = may_overflow || !(norm < 1e18);
}

Piece piece_of(const Panel& panel, const Tile* tiles, int first, int end) noexcept {
  const Tile& tile = tiles[first];
  return {panel.data + first * panel.tile_stride + tile.skip_y * panel.row_stride + tile.skip_x,
          std::int64_t{tile.y} + tile.skip_y, std::int64_t{tile.x} + tile.skip_x, panel.rows - tile.skip_y,
          (end - first) * panel.columns - tile.skip_x};
}

bool is_finite(const Panel& panel, int kernel, int tile) noexcept {
  const float* rows = panel.data + kernel * panel.kernel_stride + tile * panel.tile_stride;
  for (int y = 0; y < panel.rows; ++y) {
    if (any_not_finite(rows + y * panel.row_stride, static_cast<std::size_t>(panel.columns))) return false;
  }
  return true;
}

Correlations ScoreSink::correlations(std::int64_t first_kernel, const Panel& panel, const Piece& piece, int kernel,
                                     int kernels) const noexcept {
  const std::int64_t at = maps_.at(piece.y, piece.x);
  const auto first = static_cast<std::size_t>(first_kernel + kernel);
  return {piece.data + kernel * panel.kernel_stride,
          panel.row_stride,
          panel.kernel_stride,
          piece.columns,
          piece.rows,
          kernels,
          maps_.norm + at,
          maps_.energy != nullptr ? maps_.energy + at : nullptr,
          static_cast<std::ptrdiff_t>(maps_.width),
          scoring_.add_f32.data() + first,
          scoring_.scale_f32.data() + first};
}

void ScoreSink::score(const Correlations& from, float* to, std::ptrdiff_t row_stride,
                      std::ptrdiff_t kernel_stride) const noexcept {
  make_scores(*scoring_.target, from,
              {to, row_stride, kernel_stride, static_cast<float>(scoring_.range.lowest),
               static_cast<float>(scoring_.range.highest), without_score()});
}

float ScoreSink::score_at(const Correlations& from, int y, int x, float norm) const noexcept {
  const float r = from.data[y * from.row_stride + x];
  const float sum =
      from.energies != nullptr ? -2 * r + (*from.add + from.energies[y * from.map_stride + x]) : r + *from.add;
  const float scaled = sum * (*from.scale * norm);
  return std::min(std::max(scaled, static_cast<float>(scoring_.range.lowest)),
                  static_cast<float>(scoring_.range.highest));
}

void ScoreSink::score(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) const noexcept {
  for (int first = 0, end = 0; first < count; first = end) {
    end = end_of_run(panel, tiles, first, count);
    const Piece piece = piece_of(panel, tiles, first, end);
    if (piece.rows == 0) continue;
    score(correlations(first_kernel, panel, piece, 0, panel.kernels), piece.data, panel.row_stride,
          panel.kernel_stride);
  }
}

void ScoreSink::refuse(const Tile& tile, int rows, int columns) noexcept {
  for (int y = tile.skip_y; y < rows; ++y) {
    maps_.again[tile.y + y].store(true, std::memory_order_relaxed);
    float* norm = maps_.norm + maps_.at(tile.y + y, tile.x);
    for (int x = tile.skip_x; x < columns; ++x) {
      norm[x] = norm[x] == 0 || maps_.again_below < 0 ? -HUGE_VALF : -std::fabs(norm[x]);
    }
  }
}

void ScoreSink::take_again(std::int64_t kernel, const double* sums, const Again& again) noexcept {
  const auto at = static_cast<std::size_t>(kernel);
  const double add = scoring_.add[at], scale = scoring_.scale[at], without = without_score();
  const int count = again.count * exact_columns;
  double scores[again_places * exact_columns];
  // Of all windows: it is less work than to look which are wanted.
  if (maps_.energy != nullptr) {
    for (int i = 0; i < count; ++i) {
      const double score = scoring_.range.score(sums[i], add + again.energies[i], scale, again.norms[i]);
      scores[i] = again.norms[i] != 0 ? score : without;
    }
  } else {
    for (int i = 0; i < count; ++i) {
      const double score = scoring_.range.score(sums[i], add, scale, again.norms[i]);
      scores[i] = again.norms[i] != 0 ? score : without;
    }
  }
  deliver(kernel, again, scores);
}

ScoreWriter::ScoreWriter(const ScoreMaps& maps, const Scoring& scoring, const TemplateGroup& group,
                         const ResponsesView& to) noexcept
    : ScoreSink(maps, scoring), group_(group), to_(to),
      stream_(streams(*scoring.target, to.count, to.height, to.width)) {}

float* ScoreWriter::at(std::int64_t kernel, std::int64_t y, std::int64_t x) const noexcept {
  return static_cast<float*>(to_.data) + group_.ids[static_cast<std::size_t>(kernel)] * to_.kernel_stride +
         y * to_.row_stride + x;
}

std::int64_t ScoreWriter::end_of_neighbours(std::int64_t first, std::int64_t end) const noexcept {
  const auto id = [this](std::int64_t k) { return group_.ids[static_cast<std::size_t>(k)]; };
  std::int64_t k = first + 1;
  while (k < end && id(k) == id(k - 1) + 1) ++k;
  return k;
}

// The direct algorithm's stores wait for memory while it computes; scores are made before they leave the caches.
void ScoreWriter::place(std::int64_t first_kernel, const Tile& tile, Panel& panel) noexcept {
  if (end_of_neighbours(first_kernel, first_kernel + panel.kernels) < first_kernel + panel.kernels) return;
  panel.data = at(first_kernel, tile.y, tile.x);
  panel.row_stride = static_cast<std::ptrdiff_t>(to_.row_stride);
  panel.kernel_stride = static_cast<std::ptrdiff_t>(to_.kernel_stride);
}

bool ScoreWriter::stream(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) const noexcept {
  bool finite = true;
  for (int first = 0, end = 0; first < count; first = end) {
    end = end_of_run(panel, tiles, first, count);
    const Piece piece = piece_of(panel, tiles, first, end);
    for (int k = 0; k < panel.kernels; ++k) {
      const ScoresCall to{at(first_kernel + k, piece.y, piece.x),    static_cast<std::ptrdiff_t>(to_.row_stride), 0,
                          static_cast<float>(scoring_.range.lowest), static_cast<float>(scoring_.range.highest),  0};
      finite = stream_scores(*scoring_.target, correlations(first_kernel, panel, piece, k, 1), to) && finite;
    }
  }
  end_of_stream();
  return !finite;
}

bool ScoreWriter::take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept {
  if (stream_ && can_stream_scores && panel.spreads && panel.columns >= streamed_columns) {
    return stream(first_kernel, panel, tiles, count);
  }
  bool finite = true;
  for (int first = 0, end = 0; first < count; first = end) {
    end = end_of_run(panel, tiles, first, count);
    const Piece piece = piece_of(panel, tiles, first, end);
    if (piece.rows == 0) continue;
    for (int k = 0, end_kernel = 0; k < panel.kernels; k = end_kernel) {
      end_kernel = static_cast<int>(end_of_neighbours(first_kernel + k, first_kernel + panel.kernels) - first_kernel);
      float* to = at(first_kernel + k, piece.y, piece.x);
      score(correlations(first_kernel, panel, piece, k, end_kernel - k), to,
            static_cast<std::ptrdiff_t>(to_.row_stride), static_cast<std::ptrdiff_t>(to_.kernel_stride));
    }
    for (int k = 0; k < panel.kernels && finite && looks(panel); ++k) {
      for (int y = 0; y < piece.rows && finite; ++y) {
        finite = !any_not_finite(at(first_kernel + k, piece.y + y, piece.x), static_cast<std::size_t>(piece.columns));
      }
    }
  }
  return !finite;
}

void ScoreWriter::deliver(std::int64_t kernel, const Again& again, const double* scores) noexcept {
  const bool integers = to_.dtype == DType::i32;
  const std::int64_t first = group_.ids[static_cast<std::size_t>(kernel)] * to_.kernel_stride;
  for (int p = 0; p < again.count; ++p, scores += exact_columns) {
    const Place& place = again.places[p];
    const std::int64_t row = first + place.y * to_.row_stride;
    if (integers) {
      auto* to = static_cast<std::int32_t*>(to_.data) + row;
      each_wanted(place, scores, [to](std::int64_t, std::int64_t x, double score) {
        to[x] = static_cast<std::int32_t>(std::lrint(score));
      });
    } else if (place.columns < exact_columns) {
      auto* to = static_cast<float*>(to_.data) + row;
      each_wanted(place, scores, [to](std::int64_t, std::int64_t x, double s) { to[x] = static_cast<float>(s); });
    } else {
      auto* to = static_cast<float*>(to_.data) + row + place.x;
      const float* norms = maps_.norm + maps_.at(place.y, place.x);
      select_where_negative(norms, scores, to);
    }
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

bool BestWriter::take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept {
  score(first_kernel, panel, tiles, count);
  bool not_finite = false;
  for (int k = 0; k < panel.kernels; ++k) {
    for (int t = 0; t < count; ++t) {
      const Tile& tile = tiles[t];
      if (looks(panel) && !is_finite(panel, k, t)) {
        not_finite = true;
        continue;
      }
      const float* scores = panel.data + k * panel.kernel_stride + t * panel.tile_stride;
      for (int y = tile.skip_y; y < panel.rows; ++y) {
        const std::lock_guard<std::mutex> lock(locks_[(tile.y + y) % lock_count]);
        for (int x = tile.skip_x; x < panel.columns; ++x) {
          offer(first_kernel + k, std::int64_t{tile.y} + y, std::int64_t{tile.x} + x, scores[y * panel.row_stride + x]);
        }
      }
    }
  }
  return not_finite;
}

void BestWriter::deliver(std::int64_t kernel, const Again& again, const double* scores) noexcept {
  for (int p = 0; p < again.count; ++p, scores += exact_columns) {
    const std::lock_guard<std::mutex> lock(locks_[again.places[p].y % lock_count]);
    each_wanted(again.places[p], scores,
                [&](std::int64_t y, std::int64_t x, double score) { offer(kernel, y, x, static_cast<float>(score)); });
  }
}

}  // namespace corrbank::detail
