#include <algorithm>
#include <cmath>
#include <functional>
#include <new>
#include <numeric>

#include "geometry.h"
#include "match/find_above.h"
#include "match/peaks.h"

namespace corrbank::detail {
namespace {

constexpr int most_columns = 512;  // that are searched at a time: their scores are made on the stack
constexpr int most_bests = 512;    // rows whose best scores are made at a time
constexpr int most_pieces = 8;     // that they are of

bool better(const Candidate& a, const Candidate& b) noexcept {
  return a.score != b.score ? a.score > b.score : precedes(a.y, a.x, b.y, b.x);
}

// The score of the row that `count` have better ones than, or of the worst.
float low_among_best(const RowBest* begin, const RowBest* end, std::int64_t count) noexcept {
  float scores[most_bests];
  float* const last = std::transform(begin, end, scores, [](const RowBest& row) { return row.score; });
  float* const at = scores + std::min<std::int64_t>(count, end - begin - 1);
  std::nth_element(scores, at, last, std::greater<float>());
  return *at;
}

}  // namespace

PeakSearch::PeakSearch(const ScoreMaps& maps, const Scoring& scoring, const FindOptions& options,
                       std::int64_t min_distance, std::vector<float> slack)
    : ScoreSink(maps, scoring), options_(options), min_distance_(min_distance), slack_(std::move(slack)),
      found_(new Found[slack_.size()]) {
  for (std::size_t k = 0; k < slack_.size(); ++k) {
    float bar = no_score;
    if (!std::isnan(options.threshold)) bar = static_cast<float>(options.threshold * scoring.sign) - slack_[k];
    if (scoring.scale[k] == 0) bar = HUGE_VALF;
    found_[k].bar.store(bar, std::memory_order_relaxed);
  }
}

float PeakSearch::without_score() const noexcept { return no_score; }

bool PeakSearch::take(std::int64_t first_kernel, const Panel& panel, const Tile* tiles, int count) noexcept {
  bool not_finite = false;
  for (int first = 0, end = 0; first < count; first = end) {
    end = end_of_run(panel, tiles, first, count);
    if (take(first_kernel, panel, piece_of(panel, tiles, first, end))) continue;
    not_finite = true;
    for (int t = first; t < end && end - first > 1; ++t) take(first_kernel, panel, piece_of(panel, tiles, t, t + 1));
  }
  return not_finite;
}

// False: not all correlations were finite; what was taken can be taken again.
bool PeakSearch::take(std::int64_t first_kernel, const Panel& panel, const Piece& whole) noexcept {
  if (whole.rows == 0) return true;
  if (whole.columns < best_scores_columns(*scoring_.target)) return take_narrow(first_kernel, panel, whole);
  const std::int64_t parts = quotient_up(whole.columns, most_columns);
  const std::int64_t at_once = std::clamp<std::int64_t>(most_bests / whole.rows, 1, most_pieces);
  for (std::int64_t first = 0; first < parts; first += at_once) {
    const auto count = static_cast<int>(std::min(at_once, parts - first));
    Piece pieces[most_pieces];
    for (int p = 0; p < count; ++p) {
      const std::int64_t begin = part(whole.columns, first + p, parts), end = part(whole.columns, first + p + 1, parts);
      pieces[p] = whole;
      pieces[p].data += begin, pieces[p].x += begin;
      pieces[p].columns = static_cast<int>(end - begin);
    }
    if (!take_wide(first_kernel, panel, pieces, count)) return false;
  }
  return true;
}

// Pieces side by side: the more there are, the better is the bar that the first ones make.
bool PeakSearch::take_wide(std::int64_t first_kernel, const Panel& panel, const Piece* pieces, int count) noexcept {
  RowBest best[most_bests];  // [kernel][piece][row]
  const int rows = pieces->rows, at_once = count > 1 ? 1 : std::max(1, most_bests / rows);
  for (int first = 0, kernels; first < panel.kernels; first += kernels) {
    kernels = std::min(at_once, panel.kernels - first);
    for (int p = 0; p < count; ++p) {
      const Correlations all = correlations(first_kernel, panel, pieces[p], first, kernels);
      if (bounds_scores()) {
        largest_correlations(*scoring_.target, all, best + p * rows);
      } else {
        best_scores(*scoring_.target, all, best + p * rows);
      }
    }
    const auto infinite = [](const RowBest& row) { return row.magnitude >= 0x7f800000; };
    if (looks(panel) && std::any_of(best, best + kernels * count * rows, infinite)) return false;
    for (int k = 0; k < kernels; ++k) {
      Correlations of_kernel[most_pieces];
      for (int p = 0; p < count; ++p) of_kernel[p] = correlations(first_kernel, panel, pieces[p], first + k, 1);
      search_best(first_kernel + first + k, of_kernel, pieces, count, best + k * count * rows);
    }
  }
  return true;
}

// From the rows with the best scores on, [piece][row]; where scores are bounded they are still the largest correlations.
void PeakSearch::search_best(std::int64_t kernel, const Correlations* from, const Piece* pieces, int count,
                             RowBest* begin) noexcept {
  const int rows = pieces->rows;
  RowBest* const end = begin + count * rows;
  const bool by_bounds = bounds_scores() && bar(kernel) != no_score;
  for (int p = 0; p < count && bounds_scores(); ++p) {
    if (by_bounds) {
      bound_scores(from[p], pieces[p], begin + p * rows);
    } else {
      best_scores(*scoring_.target, from[p], begin + p * rows);
    }
  }
  if (std::none_of(begin, end, [&](const RowBest& row) { return row.score > bar(kernel); })) return;
  bool with_beaten = true;
  for (int p = 0; p < count; ++p) with_beaten = keeps_beaten(kernel, pieces[p]) && with_beaten;
  // What is above `floor`, which then is what is left of the row.
  const auto search_row = [&](RowBest* row, float floor) {
    const auto p = static_cast<int>(row - begin) / rows, y = static_cast<int>(row - begin) % rows;
    if (by_bounds) {
      search_by_bound(kernel, from[p], pieces[p], y);
    } else {
      search(kernel, from[p], pieces[p], {y, y + 1, with_beaten}, {floor, row->score});
    }
    row->score = floor;
  };
  // The best of the best rows most likely make a bar, without a look at all that would be above none.
  for (std::int64_t looked = 2 * options_.top; bar(kernel) == no_score && looked < end - begin; looked *= 2) {
    const float floor = low_among_best(begin, end, looked);
    for (RowBest* row = begin; row < end; ++row) {
      if (row->score > floor) search_row(row, floor);
    }
  }
  const auto worse = [](const RowBest& a, const RowBest& b) { return a.score < b.score; };
  for (RowBest* row; (row = std::max_element(begin, end, worse))->score > bar(kernel);) search_row(row, no_score);
}

// From the rows' largest correlations to what their scores are at most: as scores are made, of numbers that are no smaller.
void PeakSearch::bound_scores(const Correlations& from, const Piece& piece, RowBest* rows) const noexcept {
  for (int y = 0; y < piece.rows; ++y) {
    const float norm = maps_.largest_norm(piece.y + y, piece.x, piece.columns);
    rows[y].score = std::max((rows[y].score + *from.add) * (*from.scale * norm), 0.0f);
  }
}

// Windows above the bar of a row of which few can be.
void PeakSearch::search_by_bound(std::int64_t kernel, const Correlations& from, const Piece& piece, int y) noexcept {
  const float scale = *from.scale * maps_.largest_norm(piece.y + y, piece.x, piece.columns);
  const float* row = from.data + y * from.row_stride;
  // Correlations above it can have scores above the bar.
  const auto least = [&] {
    const float sum = bar(kernel) / scale;
    return sum - *from.add - 1e-6f * (std::fabs(sum) + std::fabs(*from.add));
  };
  const auto next = [&](int x) { return find_above(row, x, piece.columns, least()); };
  for (int x = next(0); x < piece.columns; x = next(x + 1)) {
    if (score_at(from, y, x) > bar(kernel)) consider(kernel, from, piece, y, x, true);
  }
  prune(kernel);
}

bool PeakSearch::take_narrow(std::int64_t first_kernel, const Panel& panel, const Piece& piece) noexcept {
  const int rows = most_columns / piece.columns;
  for (int k = 0; k < panel.kernels; ++k) {
    const Correlations of_kernel = correlations(first_kernel, panel, piece, k, 1);
    for (int y = 0; y < piece.rows && looks(panel); ++y) {
      const float* row = of_kernel.data + y * of_kernel.row_stride;
      if (any_not_finite(row, static_cast<std::size_t>(piece.columns))) return false;
    }
    for (int y = 0; y < piece.rows; y += rows) {
      search(first_kernel + k, of_kernel, piece, {y, std::min(y + rows, piece.rows), true}, {no_score, HUGE_VALF});
    }
  }
  return true;
}

bool PeakSearch::keeps_beaten(std::int64_t kernel, const Piece& piece) noexcept try {
  if (bar(kernel) != no_score || !looks_up_neighbours()) return true;
  Found& found = found_[static_cast<std::size_t>(kernel)];
  const std::lock_guard<std::mutex> lock(found.mutex);
  found.without_beaten.push_back({piece.y, piece.x, piece.rows, piece.columns});
  return false;
} catch (const std::bad_alloc&) {
  return true;
}

// Rows of a piece: windows above the bar, with such scores.
void PeakSearch::search(std::int64_t kernel, const Correlations& from, const Piece& piece, const Rows& wanted,
                        const Scores& taken) noexcept {
  const auto [first, end, with_beaten] = wanted;
  const float slack = slack_[static_cast<std::size_t>(kernel)];
  float scores[most_columns];
  Correlations rows = from;
  rows.data += first * from.row_stride;
  rows.norms += first * from.map_stride;
  if (from.energies != nullptr) rows.energies += first * from.map_stride;
  rows.rows = end - first;
  score(rows, scores, piece.columns, 0);
  for (int y = first; y < end; ++y) {
    const float* row = scores + std::ptrdiff_t{y - first} * piece.columns;
    const auto next = [&](int x) { return find_above(row, x, piece.columns, std::max(bar(kernel), taken.above)); };
    const bool inside = !with_beaten || (y > 0 && y < piece.rows - 1);
    for (int x = next(0); x < piece.columns; x = next(x + 1)) {
      const bool beaten = inside && x > 0 && x < piece.columns - 1 && std::max(row[x - 1], row[x + 1]) > row[x] + slack;
      if (!beaten && row[x] <= taken.at_most) consider(kernel, from, piece, y, x, with_beaten);
    }
  }
  prune(kernel);
}

void PeakSearch::prune(std::int64_t kernel) noexcept try {
  Found& found = found_[static_cast<std::size_t>(kernel)];
  const std::lock_guard<std::mutex> lock(found.mutex);
  prune(found, slack_[static_cast<std::size_t>(kernel)]);
} catch (const std::bad_alloc&) {
  out_of_memory_.store(true, std::memory_order_relaxed);
}

// A window above the bar: kept if it may be a peak, or may be a neighbour of one in another tile.
void PeakSearch::consider(std::int64_t kernel, const Correlations& from, const Piece& piece, int y, int x,
                          bool with_beaten) noexcept {
  const float slack = slack_[static_cast<std::size_t>(kernel)];
  const bool at_border = y == 0 || x == 0 || y == piece.rows - 1 || x == piece.columns - 1;
  Candidate c{piece.y + y, piece.x + x, score_at(from, y, x), 0, 0, false};
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) {
      if (dy == 0 && dx == 0) continue;
      const auto bit = static_cast<std::uint16_t>(1 << (3 * (dy + 1) + dx + 1));
      if (y + dy < 0 || y + dy >= piece.rows || x + dx < 0 || x + dx >= piece.columns) {
        c.unknown |= bit;
        continue;
      }
      const float other = score_at(from, y + dy, x + dx);
      // Scores without any error: a neighbour before it in the order of ties has it.
      const bool tied = slack == 0 && other == c.score && (dy < 0 || (dy == 0 && dx < 0));
      if (other > c.score + slack || tied) {
        if (!at_border || !with_beaten || !looks_up_neighbours()) return;
        c.beaten = true;
      }
      if (other == no_score) {
        c.unknown |= bit;
      } else if (other >= c.score - slack) {
        c.close |= bit;
      }
    }
  }
  if (!looks_up_neighbours()) c.close |= c.unknown;
  add(kernel, c);
}

void PeakSearch::deliver(std::int64_t kernel, const Again& again, const double* scores) noexcept {
  for (int p = 0; p < again.count; ++p, scores += exact_columns) {
    const double least = static_cast<double>(bar(kernel));
    int above = 0;
    for (int i = 0; i < exact_columns; ++i) above |= static_cast<int>(scores[i] >= least);
    if (above == 0) continue;
    each_wanted(again.places[p], scores, [&](std::int64_t y, std::int64_t x, double score) {
      const auto merit = static_cast<float>(score);
      if (merit > bar(kernel)) add(kernel, {y, x, merit, all_neighbours, 0, false});
    });
  }
}

void PeakSearch::add(std::int64_t kernel, const Candidate& candidate) noexcept try {
  Found& found = found_[static_cast<std::size_t>(kernel)];
  const std::lock_guard<std::mutex> lock(found.mutex);
  found.candidates.push_back(candidate);
  if (found.candidates.size() >= 64 + 2 * found.pruned) prune(found, slack_[static_cast<std::size_t>(kernel)]);
} catch (const std::bad_alloc&) {
  out_of_memory_.store(true, std::memory_order_relaxed);
}

// As many sure candidates as are wanted, each more than twice the distance from the others, keep out what is worse than all
// of them: a better peak can be too close to one of them only.
void PeakSearch::prune(Found& found, float slack) const {
  if (options_.top == 0 || found.candidates.size() <= found.pruned + found.pruned / 4) return;
  const auto added = found.candidates.begin() + static_cast<std::ptrdiff_t>(found.pruned);
  std::sort(added, found.candidates.end(), better);
  std::inplace_merge(found.candidates.begin(), added, found.candidates.end(), better);
  std::vector<const Candidate*> apart;
  for (const Candidate& c : found.candidates) {
    const auto close = [&](const Candidate* other) { return within(c, *other, 2 * min_distance_); };
    if (c.beaten || c.close != 0 || c.unknown != 0 || std::any_of(apart.begin(), apart.end(), close)) continue;
    apart.push_back(&c);
    if (static_cast<std::int64_t>(apart.size()) < options_.top) continue;
    const float bar = c.score - slack;
    found.bar.store(std::max(found.bar.load(std::memory_order_relaxed), bar), std::memory_order_relaxed);
    const auto below = [bar](const Candidate& other) { return other.score < bar; };
    found.candidates.erase(std::remove_if(found.candidates.begin(), found.candidates.end(), below),
                           found.candidates.end());
    break;
  }
  found.pruned = found.candidates.size();
}

Candidates PeakSearch::candidates(std::int64_t kernel) {
  Found& found = found_[static_cast<std::size_t>(kernel)];
  Candidates all{std::move(found.candidates),
                 std::move(found.without_beaten),
                 {},
                 slack_[static_cast<std::size_t>(kernel)],
                 found.bar};
  // A tile that was computed again has brought some twice.
  const auto place = [](const Candidate& a, const Candidate& b) {
    return a.y != b.y || a.x != b.x ? precedes(a.y, a.x, b.y, b.x) : a.beaten < b.beaten;
  };
  const auto same = [](const Candidate& a, const Candidate& b) { return a.y == b.y && a.x == b.x; };
  std::stable_sort(all.by_place.begin(), all.by_place.end(), place);
  all.by_place.erase(std::unique(all.by_place.begin(), all.by_place.end(), same), all.by_place.end());
  all.best_first.resize(all.by_place.size());
  std::iota(all.best_first.begin(), all.best_first.end(), std::size_t{0});
  std::sort(all.best_first.begin(), all.best_first.end(),
            [&](std::size_t a, std::size_t b) { return better(all.by_place[a], all.by_place[b]); });
  return all;
}

}  // namespace corrbank::detail
