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
  return a.known.score != b.known.score ? a.known.score > b.known.score : precedes(a.y, a.x, b.y, b.x);
}

// Of rows [first, end).
Correlations rows_of(Correlations from, int first, int end) noexcept {
  from.data += first * from.row_stride;
  from.norms += first * from.map_stride;
  if (from.energies != nullptr) from.energies += first * from.map_stride;
  from.rows = end - first;
  return from;
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
    for (int p = 0; p < count; ++p) take_flat(first_kernel, panel, pieces[p], first, kernels);
  }
  return true;
}

// From the rows with the best scores on, [piece][row]; where scores are bounded they are still the largest correlations.
void PeakSearch::search_best(std::int64_t kernel, const Correlations* from, const Piece* pieces, int count,
                             RowBest* begin) noexcept {
  const int rows = pieces->rows;
  RowBest* const end = begin + count * rows;
  for (int p = 0; p < count && bounds_scores(); ++p) {
    find_best_scores(from[p], pieces[p], bar(kernel), begin + p * rows);
  }
  if (std::none_of(begin, end, [&](const RowBest& row) { return row.score > bar(kernel); })) return;
  bool with_beaten = true;
  for (int p = 0; p < count; ++p) with_beaten = keeps_beaten(kernel, pieces[p]) && with_beaten;
  bool searched[most_bests] = {};
  // What is above `floor`, which then is what is left of the row. Before that nothing of it may be left out: the best score that is
  // known can be rounded otherwise.
  const auto search_row = [&](RowBest* row, float floor) {
    const auto i = static_cast<int>(row - begin), p = i / rows, y = i % rows;
    search(kernel, from[p], pieces[p], {y, y + 1, with_beaten}, {floor, searched[i] ? row->score : HUGE_VALF});
    row->score = floor, searched[i] = true;
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

// From the rows' largest correlations to their best scores, of those that can have one above the bar.
void PeakSearch::find_best_scores(const Correlations& from, const Piece& piece, float least,
                                  RowBest* rows) const noexcept {
  int left = 0;
  for (int y = 0; y < piece.rows; ++y) {
    // As scores are made, of numbers that are no smaller.
    const float norm = maps_.largest_norm(piece.y + y, piece.x, piece.columns);
    const float most = std::max((rows[y].score + *from.add) * (*from.scale * norm), 0.0f);
    rows[y].score = most <= least ? no_score : most;
    left += static_cast<int>(rows[y].score != no_score);
  }
  if (left > piece.rows / 4) return best_scores(*scoring_.target, from, rows);
  for (int y = 0; y < piece.rows; ++y) {
    if (rows[y].score != no_score) best_scores(*scoring_.target, rows_of(from, y, y + 1), rows + y);
  }
}

bool PeakSearch::take_narrow(std::int64_t first_kernel, const Panel& panel, const Piece& piece) noexcept {
  leave(piece);
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

void PeakSearch::take_flat(std::int64_t first_kernel, const Panel& panel, const Piece& piece, int first,
                           int kernels) noexcept {
  const auto flat = [&](int y) { return maps_.again[piece.y + y].load(std::memory_order_relaxed); };
  int wanted = 0;
  for (int y = 0; y < piece.rows; ++y) wanted += static_cast<int>(flat(y));
  if (wanted == 0) return;
  for (int k = 0; k < kernels; ++k) {
    if (bar(first_kernel + first + k) == no_score) return leave(piece);
  }
  const float error = maps_.error->load(std::memory_order_relaxed);
  RowBest best[most_bests];
  const bool all = wanted > piece.rows / 4;
  const Correlations rows = correlations(first_kernel, panel, piece, first, kernels);
  if (all) best_flat_scores(*scoring_.target, rows, error, best);
  for (int y = 0; y < piece.rows; ++y) {
    if (!flat(y)) continue;
    if (!all) best_flat_scores(*scoring_.target, rows_of(rows, y, y + 1), error, best);
    for (int k = 0; k < kernels; ++k) {
      const std::int64_t kernel = first_kernel + first + k;
      if (best[all ? k * piece.rows + y : k].score <= bar(kernel)) continue;
      search_flat(kernel, correlations(first_kernel, panel, piece, first + k, 1), piece, y);
    }
  }
}

void PeakSearch::search_flat(std::int64_t kernel, const Correlations& from, const Piece& piece, int y) noexcept {
  const float* norms = from.norms + y * from.map_stride;
  for (int x = 0; x < piece.columns; ++x) {
    if (norms[x] < 0 && estimate(kernel, from, y, x).score > bar(kernel)) consider(kernel, from, piece, y, x, true);
  }
  prune(kernel);
}

Estimate PeakSearch::estimate(std::int64_t kernel, const Correlations& from, int y, int x) const noexcept {
  const float slack = slack_[static_cast<std::size_t>(kernel)], norm = from.norms[y * from.map_stride + x];
  if (norm > 0) return {score_at(from, y, x, norm), slack};
  if (!(norm < 0 && norm >= maps_.again_below)) return {no_score, 0};
  const float error = std::max(maps_.error->load(std::memory_order_relaxed) * -norm, slack / 2);
  return {score_at(from, y, x, -norm) + (error - slack / 2), 2 * error};
}

void PeakSearch::leave(const Piece& piece) noexcept try {
  const std::lock_guard<std::mutex> lock(left_mutex_);
  const auto same = [&](const SearchedPart& part) {
    return part.y == piece.y && part.x == piece.x && part.rows == piece.rows && part.columns == piece.columns;
  };
  if (std::none_of(left_.begin(), left_.end(), same)) left_.push_back({piece.y, piece.x, piece.rows, piece.columns});
} catch (const std::bad_alloc&) {
  out_of_memory_.store(true, std::memory_order_relaxed);
}

void PeakSearch::leave_to_f64() noexcept {
  for (const SearchedPart& part : left_) {
    for (std::int64_t y = part.y; y < part.y + part.rows; ++y) {
      float* norm = maps_.norm + maps_.at(y, part.x);
      for (int x = 0; x < part.columns; ++x) norm[x] = norm[x] < 0 ? -HUGE_VALF : norm[x];
    }
  }
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
  score(rows_of(from, first, end), scores, piece.columns, 0);
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
  prune(found);
} catch (const std::bad_alloc&) {
  out_of_memory_.store(true, std::memory_order_relaxed);
}

// A window above the bar: kept if it may be a peak, or may be a neighbour of one in another tile.
void PeakSearch::consider(std::int64_t kernel, const Correlations& from, const Piece& piece, int y, int x,
                          bool with_beaten) noexcept {
  const bool at_border = y == 0 || x == 0 || y == piece.rows - 1 || x == piece.columns - 1;
  Candidate c{piece.y + y, piece.x + x, estimate(kernel, from, y, x), 0, 0, false};
  const bool exact = c.known.doubt == 0;
  for (int dy = -1; dy <= 1; ++dy) {
    for (int dx = -1; dx <= 1; ++dx) {
      if (dy == 0 && dx == 0) continue;
      const auto bit = static_cast<std::uint16_t>(1 << (3 * (dy + 1) + dx + 1));
      if (y + dy < 0 || y + dy >= piece.rows || x + dx < 0 || x + dx >= piece.columns) {
        c.unknown |= bit;
        continue;
      }
      const Estimate other = estimate(kernel, from, y + dy, x + dx);
      // A neighbour with the same score that is before it in the order of ties has it.
      const bool tied = exact && other.score == c.known.score && (dy < 0 || (dy == 0 && dx < 0));
      if (other.score - other.doubt > c.known.score || tied) {
        if (!at_border || !with_beaten || !looks_up_neighbours()) return;
        c.beaten = true;
      }
      if (other.score == no_score) {
        c.unknown |= bit;
      } else if (other.score >= c.known.score - c.known.doubt) {
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
      const Estimate known{merit, slack_[static_cast<std::size_t>(kernel)]};
      if (merit > bar(kernel)) add(kernel, {y, x, known, all_neighbours, 0, false});
    });
  }
}

void PeakSearch::add(std::int64_t kernel, const Candidate& candidate) noexcept try {
  Found& found = found_[static_cast<std::size_t>(kernel)];
  const std::lock_guard<std::mutex> lock(found.mutex);
  found.candidates.push_back(candidate);
  if (found.candidates.size() >= 64 + 2 * found.pruned) prune(found);
} catch (const std::bad_alloc&) {
  out_of_memory_.store(true, std::memory_order_relaxed);
}

// As many sure candidates as are wanted, each more than twice the distance from the others, keep out what is worse than all
// of them: a better peak can be too close to one of them only.
void PeakSearch::prune(Found& found) const {
  if (options_.top == 0 || found.candidates.size() <= found.pruned + found.pruned / 4) return;
  const auto added = found.candidates.begin() + static_cast<std::ptrdiff_t>(found.pruned);
  std::sort(added, found.candidates.end(), better);
  std::inplace_merge(found.candidates.begin(), added, found.candidates.end(), better);
  std::vector<const Candidate*> apart;
  const float before = found.bar.load(std::memory_order_relaxed);
  float bar = HUGE_VALF;
  for (const Candidate& c : found.candidates) {
    const float least = c.known.score - c.known.doubt;
    const auto close = [&](const Candidate* other) { return within(c, *other, 2 * min_distance_); };
    if (c.beaten || c.close != 0 || c.unknown != 0 || least <= before) continue;
    if (std::any_of(apart.begin(), apart.end(), close)) continue;
    apart.push_back(&c), bar = std::min(bar, least);
    if (static_cast<std::int64_t>(apart.size()) < options_.top) continue;
    found.bar.store(bar, std::memory_order_relaxed);
    const auto below = [bar](const Candidate& other) { return other.known.score < bar; };
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
