#include "match/peaks.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <new>
#include <unordered_map>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace corrbank::detail {
namespace {

// Ties go to the lower y, then the lower x.
bool precedes(std::int64_t y, std::int64_t x, std::int64_t other_y, std::int64_t other_x) noexcept {
  return y != other_y ? y < other_y : x < other_x;
}

template <typename A, typename B>
bool within(const A& a, const B& b, std::int64_t distance) noexcept {
  return std::abs(a.y - b.y) <= distance && std::abs(a.x - b.x) <= distance;
}

bool better(const Candidate& a, const Candidate& b) noexcept {
  return a.score != b.score ? a.score > b.score : precedes(a.y, a.x, b.y, b.x);
}

// The first of values [from, count) above the bar; count: none.
int find_above(const float* values, int from, int count, float bar) noexcept {
#if defined(__SSE2__)
  for (; from + 4 <= count; from += 4) {
    if (_mm_movemask_ps(_mm_cmpgt_ps(_mm_loadu_ps(values + from), _mm_set1_ps(bar))) != 0) break;
  }
#endif
  while (from < count && !(values[from] > bar)) ++from;
  return from;
}

// Of sorted peaks the best, until there are `top` (0: all) or one is worse than `settled`, but for those too close to a better
// one. Squares of distance + 1 windows have room for one each.
std::vector<Match> select(std::vector<Match>& peaks, std::int64_t top, std::int64_t distance, double sign,
                          double settled) {
  std::sort(peaks.begin(), peaks.end(), [sign](const Match& a, const Match& b) {
    return a.score != b.score ? a.score * sign > b.score * sign : precedes(a.y, a.x, b.y, b.x);
  });
  std::vector<Match> chosen;
  std::unordered_map<std::int64_t, std::size_t> squares;
  const auto square = [](std::int64_t y, std::int64_t x) { return y << 32 | x; };
  for (const Match& peak : peaks) {
    if ((top > 0 && static_cast<std::int64_t>(chosen.size()) == top) || peak.score * sign < settled) break;
    const std::int64_t y = peak.y / (distance + 1), x = peak.x / (distance + 1);
    bool close = false;
    for (std::int64_t i = std::max<std::int64_t>(0, y - 1); i <= y + 1; ++i) {
      for (std::int64_t j = std::max<std::int64_t>(0, x - 1); j <= x + 1; ++j) {
        const auto other = squares.find(square(i, j));
        close = close || (other != squares.end() && within(peak, chosen[other->second], distance));
      }
    }
    if (close) continue;
    squares[square(y, x)] = chosen.size();
    chosen.push_back(peak);
  }
  return chosen;
}

// Whether no neighbour of a window is better than it.
bool is_peak(const ExactScores& exact, std::int64_t k, const Candidate& c, double merit) noexcept {
  for (std::int64_t y = c.y - 1; y <= c.y + 1; ++y) {
    for (std::int64_t x = c.x - 1; x <= c.x + 1; ++x) {
      double other = 0;
      if ((y == c.y && x == c.x) || !exact.at(k, y, x, other)) continue;
      if (other > merit || (other == merit && precedes(y, x, c.y, c.x))) return false;
    }
  }
  return true;
}

// Where the parabola through three values has its top, in (-0.5, 0.5).
double top_of(double before, double at, double after, Refinement refinement) noexcept {
  if (refinement == Refinement::log_gaussian && before > 0 && at > 0 && after > 0) {
    before = std::log(before), at = std::log(at), after = std::log(after);
  }
  const double curvature = before - 2 * at + after;
  if (!(curvature < 0)) return 0;
  return std::min(std::max((before - after) / (2 * curvature), -0.5), 0.5);
}

void refine(const ExactScores& exact, Refinement refinement, Match& match) noexcept {
  match.refined_y = static_cast<double>(match.y), match.refined_x = static_cast<double>(match.x);
  if (refinement == Refinement::none) return;
  // Of distances the logarithm has no meaning: its peak is not a bell.
  if (is_distance(exact.templates.method)) refinement = Refinement::parabola;
  const auto merit = [&](std::int64_t dy, std::int64_t dx, double& value) {
    return exact.at(match.template_index, match.y + dy, match.x + dx, value);
  };
  double at = 0, before = 0, after = 0;
  if (!merit(0, 0, at)) return;
  if (merit(-1, 0, before) && merit(1, 0, after)) match.refined_y += top_of(before, at, after, refinement);
  if (merit(0, -1, before) && merit(0, 1, after)) match.refined_x += top_of(before, at, after, refinement);
}

}  // namespace

bool ExactScores::at(std::int64_t k, std::int64_t y, std::int64_t x, double& score) const noexcept {
  if (y < 0 || x < 0 || y > image.height - templates.height || x > image.width - templates.width) return false;
  if (!exact_score(templates, image, offsets, k, y, x, score)) return false;
  if (is_distance(templates.method)) score = -score;
  return true;
}

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

void PeakSearch::consider(std::int64_t kernel, const Scored& tile, int y, int x) noexcept {
  const float slack = slack_[static_cast<std::size_t>(kernel)];
  const float* row = tile.scores + y * tile.pitch;
  const float score = row[x];
  bool sure = y > 0 && x > 0 && y + 1 < tile.rows && x + 1 < tile.columns;
  for (int dy = -1; dy <= 1; ++dy) {
    if (y + dy < 0 || y + dy >= tile.rows) continue;
    for (int dx = -1; dx <= 1; ++dx) {
      if ((dy == 0 && dx == 0) || x + dx < 0 || x + dx >= tile.columns) continue;
      const float other = row[dy * tile.pitch + dx + x];
      // Scores without any error: a neighbour before it in the order of ties has it.
      const bool tied = slack == 0 && other == score && (dy < 0 || (dy == 0 && dx < 0));
      if (other > score + slack || tied) return;
      if (other >= score - slack || other == no_score) sure = false;
    }
  }
  add(kernel, {tile.y + y, tile.x + x, score, sure});
}

void PeakSearch::begin(std::int64_t kernel, const Scored* tiles, int count) noexcept {
  Found& found = found_[static_cast<std::size_t>(kernel)];
  if (options_.top == 0 || found.begun.exchange(true, std::memory_order_relaxed)) return;
  for (const Scored* tile = tiles; tile != tiles + count; ++tile) {
    float best = found.bar.load(std::memory_order_relaxed);
    int best_y = -1, best_x = 0;
    for (int y = tile->first_row; y < tile->rows; ++y) {
      const float* row = tile->scores + y * tile->pitch;
      for (int x = find_above(row, tile->first_column, tile->columns, best); x < tile->columns;
           x = find_above(row, x + 1, tile->columns, best)) {
        best = row[x], best_y = y, best_x = x;
      }
    }
    if (best_y >= 0) consider(kernel, *tile, best_y, best_x);
  }
  try {
    const std::lock_guard<std::mutex> lock(found.mutex);
    prune(found, slack_[static_cast<std::size_t>(kernel)]);
  } catch (const std::bad_alloc&) {
    out_of_memory_.store(true, std::memory_order_relaxed);
  }
}

void PeakSearch::deliver(std::int64_t kernel, const Scored* tiles, int count) noexcept {
  const auto k = static_cast<std::size_t>(kernel);
  begin(kernel, tiles, count);
  for (const Scored* tile = tiles; tile != tiles + count; ++tile) {
    for (int y = tile->first_row; y < tile->rows; ++y) {
      const float* row = tile->scores + y * tile->pitch;
      const float bar = found_[k].bar.load(std::memory_order_relaxed);
      for (int x = find_above(row, tile->first_column, tile->columns, bar); x < tile->columns;
           x = find_above(row, x + 1, tile->columns, bar)) {
        consider(kernel, *tile, y, x);
      }
    }
  }
}

void PeakSearch::deliver(std::int64_t kernel, std::int64_t y, std::int64_t x, double score) noexcept {
  const auto merit = static_cast<float>(score);
  if (merit > found_[static_cast<std::size_t>(kernel)].bar.load(std::memory_order_relaxed)) {
    add(kernel, {y, x, merit, false});
  }
}

void PeakSearch::add(std::int64_t kernel, const Candidate& candidate) noexcept try {
  Found& found = found_[static_cast<std::size_t>(kernel)];
  const std::lock_guard<std::mutex> lock(found.mutex);
  found.candidates.push_back(candidate);
  if (options_.top > 0 && found.candidates.size() >= found.prune_at)
    prune(found, slack_[static_cast<std::size_t>(kernel)]);
} catch (const std::bad_alloc&) {
  out_of_memory_.store(true, std::memory_order_relaxed);
}

// As many sure candidates as are wanted, each more than twice the distance from the others, keep out what is worse than all
// of them: a better peak can be too close to one of them only.
void PeakSearch::prune(Found& found, float slack) const {
  std::sort(found.candidates.begin(), found.candidates.end(), better);
  std::vector<const Candidate*> apart;
  for (const Candidate& c : found.candidates) {
    const auto close = [&](const Candidate* other) { return within(c, *other, 2 * min_distance_); };
    if (!c.sure || std::any_of(apart.begin(), apart.end(), close)) continue;
    apart.push_back(&c);
    if (static_cast<std::int64_t>(apart.size()) < options_.top) continue;
    const float bar = c.score - slack;
    found.bar.store(std::max(found.bar.load(std::memory_order_relaxed), bar), std::memory_order_relaxed);
    const auto below = [bar](const Candidate& other) { return other.score < bar; };
    found.candidates.erase(std::remove_if(found.candidates.begin(), found.candidates.end(), below),
                           found.candidates.end());
    break;
  }
  found.prune_at = std::max<std::size_t>(64, 2 * found.candidates.size());
}

std::vector<Candidate>& PeakSearch::sorted(std::int64_t kernel) {
  std::vector<Candidate>& candidates = found_[static_cast<std::size_t>(kernel)].candidates;
  // A tile that was computed again has brought some twice.
  const auto place = [](const Candidate& a, const Candidate& b) { return precedes(a.y, a.x, b.y, b.x); };
  const auto same = [](const Candidate& a, const Candidate& b) { return a.y == b.y && a.x == b.x; };
  std::stable_sort(candidates.begin(), candidates.end(), place);
  candidates.erase(std::unique(candidates.begin(), candidates.end(), same), candidates.end());
  std::sort(candidates.begin(), candidates.end(), better);
  return candidates;
}

void settle_peaks(const ExactScores& exact, const FindOptions& options, std::int64_t min_distance, std::int64_t k,
                  const std::vector<Candidate>& candidates, float slack, std::vector<Match>& matches) {
  const double sign = is_distance(exact.templates.method) ? -1 : 1;
  std::vector<Match> peaks;
  std::size_t check_at = 8;
  for (const Candidate& c : candidates) {
    if (options.top > 0 && peaks.size() >= check_at) {
      // What is settled cannot be beaten by what follows.
      const double settled = static_cast<double>(c.score) + static_cast<double>(slack);
      if (static_cast<std::int64_t>(select(peaks, options.top, min_distance, sign, settled).size()) == options.top)
        break;
      check_at = peaks.size() + peaks.size() / 4 + 1;
    }
    double merit = 0;
    if (!exact.at(k, c.y, c.x, merit)) continue;
    if (!std::isnan(options.threshold) && !(merit >= options.threshold * sign)) continue;
    if (!c.sure && !is_peak(exact, k, c, merit)) continue;
    Match match;
    match.template_index = k, match.y = c.y, match.x = c.x, match.score = merit * sign;
    peaks.push_back(match);
  }
  for (Match& match : select(peaks, options.top, min_distance, sign, -HUGE_VAL)) {
    refine(exact, options.refinement, match);
    matches.push_back(match);
  }
}

void suppress_overlaps(const PackedTemplates& t, const FindOptions& options, std::vector<Match>& matches) {
  if (options.max_overlap >= 1) return;
  const double sign = is_distance(t.method) ? -1 : 1;
  std::vector<Match> sorted = matches, kept;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [sign](const Match& a, const Match& b) { return a.score * sign > b.score * sign; });
  const auto overlap = [&](const Match& a, const Match& b) {
    const auto high = static_cast<double>(std::max<std::int64_t>(0, t.height - std::abs(a.y - b.y)));
    const auto wide = static_cast<double>(std::max<std::int64_t>(0, t.width - std::abs(a.x - b.x)));
    return high * wide / (2 * static_cast<double>(t.height * t.width) - high * wide);
  };
  for (const Match& match : sorted) {
    const auto covers = [&](const Match& other) {
      return other.template_index != match.template_index && overlap(other, match) > options.max_overlap;
    };
    if (std::none_of(kept.begin(), kept.end(), covers)) kept.push_back(match);
  }
  std::stable_sort(kept.begin(), kept.end(),
                   [](const Match& a, const Match& b) { return a.template_index < b.template_index; });
  matches = std::move(kept);
}

}  // namespace corrbank::detail
