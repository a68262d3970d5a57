#include "match/peaks.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "geometry.h"

namespace corrbank::detail {
namespace {

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

// Whether none of the neighbours that may be better than a window is: by candidates' scores as far as they tell, else exactly.
class PeakTest {
 public:
  PeakTest(ExactScores& exact, const Candidates& candidates) noexcept : exact_(exact), all_(candidates) {}

  // Leaves in `doubts` the neighbours whose scores in f32 do not tell.
  bool may_be_peak(const Candidate& c, std::uint16_t& doubts) const noexcept {
    if (c.beaten) return false;
    doubts = c.close;
    for (int bit = 0; bit < neighbour_bits; ++bit) {
      if ((c.unknown >> bit & 1) == 0) continue;
      const Estimate other = known_of(c.y + bit / 3 - 1, c.x + bit % 3 - 1, c.known.score);
      if (other.score - other.doubt > c.known.score) return false;
      if (other.score >= c.known.score - c.known.doubt) doubts |= static_cast<std::uint16_t>(1 << bit);
    }
    return true;
  }
  [[nodiscard]] bool is_peak(const Candidate& c, std::uint16_t doubts, double merit) const noexcept {
    for (int bit = 0; bit < neighbour_bits; ++bit) {
      if ((doubts >> bit & 1) == 0) continue;
      const std::int64_t y = c.y + bit / 3 - 1, x = c.x + bit % 3 - 1;
      double other = 0;
      if (!exact_.at(y, x, other)) continue;
      if (other > merit || (other == merit && precedes(y, x, c.y, c.x))) return false;
    }
    return true;
  }

 private:
  static constexpr int neighbour_bits = 9;

  // Of a window; if it is no candidate what its score may be, but no more than `score`, which a candidate has.
  [[nodiscard]] Estimate known_of(std::int64_t y, std::int64_t x, float score) const noexcept {
    const auto before = [](const Candidate& c, const Candidate& window) {
      return precedes(c.y, c.x, window.y, window.x);
    };
    const auto found =
        std::lower_bound(all_.by_place.begin(), all_.by_place.end(), Candidate{y, x, {}, 0, 0, false}, before);
    if (found != all_.by_place.end() && found->y == y && found->x == x) return found->known;
    for (const SearchedPart& region : all_.without_beaten) {
      if (region.has(y, x)) return {score, all_.slack};
    }
    return {std::min(all_.bar, score), all_.slack};
  }

  ExactScores& exact_;
  const Candidates& all_;
};

// Where the parabola through three values has its top, in (-0.5, 0.5).
double top_of(double before, double at, double after, Refinement refinement) noexcept {
  if (refinement == Refinement::log_gaussian && before > 0 && at > 0 && after > 0) {
    before = std::log(before), at = std::log(at), after = std::log(after);
  }
  const double curvature = before - 2 * at + after;
  if (!(curvature < 0)) return 0;
  return std::min(std::max((before - after) / (2 * curvature), -0.5), 0.5);
}

void refine(ExactScores& exact, Refinement refinement, Match& match) noexcept {
  match.refined_y = static_cast<double>(match.y), match.refined_x = static_cast<double>(match.x);
  if (refinement == Refinement::none) return;
  // Of distances the logarithm has no meaning: its peak is not a bell.
  if (is_distance(exact.method())) refinement = Refinement::parabola;
  const auto merit = [&](std::int64_t dy, std::int64_t dx, double& value) {
    return exact.at(match.y + dy, match.x + dx, value);
  };
  double at = 0, before = 0, after = 0;
  if (!merit(0, 0, at)) return;
  if (merit(-1, 0, before) && merit(1, 0, after)) match.refined_y += top_of(before, at, after, refinement);
  if (merit(0, -1, before) && merit(0, 1, after)) match.refined_x += top_of(before, at, after, refinement);
}

}  // namespace

ExactScores::ExactScores(const PackedTemplates& t, const Source& source, std::int64_t k)
    : templates_(t), source_(source), k_(k), weights_(static_cast<std::size_t>(t.taps())), pixels_(weights_.size()) {
  const TemplateGroup& group = t.groups[static_cast<std::size_t>(t.group_of[static_cast<std::size_t>(k)])];
  const auto padded = static_cast<std::size_t>(round_up(group.count(), exact_kernels));
  const auto place = static_cast<std::size_t>(t.place_in_group[static_cast<std::size_t>(k)]);
  for (std::size_t tap = 0; tap < weights_.size(); ++tap) weights_[tap] = group.exact[tap * padded + place];
}

bool ExactScores::at(std::int64_t y, std::int64_t x, double& score) noexcept {
  const PackedTemplates& t = templates_;
  if (y < 0 || x < 0 || y > source_.height - t.height || x > source_.width - t.width) return false;
  if (!exact_score(t, source_, k_, weights_.data(), y, x, pixels_.data(), score)) return false;
  if (is_distance(t.method)) score = -score;
  return true;
}

void settle_peaks(ExactScores& exact, const FindOptions& options, std::int64_t min_distance,
                  const Candidates& candidates, std::vector<Match>& matches) {
  const double sign = is_distance(exact.method()) ? -1 : 1;
  const PeakTest test(exact, candidates);
  std::vector<Match> peaks;
  std::size_t check_at = static_cast<std::size_t>(options.top);
  for (const std::size_t number : candidates.best_first) {
    const Candidate& c = candidates.by_place[number];
    std::uint16_t doubts = 0;
    if (!test.may_be_peak(c, doubts)) continue;
    if (options.top > 0 && peaks.size() >= check_at) {
      // What is settled cannot be beaten by what follows.
      const double settled = static_cast<double>(c.known.score) + static_cast<double>(candidates.slack);
      if (static_cast<std::int64_t>(select(peaks, options.top, min_distance, sign, settled).size()) == options.top)
        break;
      check_at = peaks.size() + peaks.size() / 4 + 1;
    }
    double merit = 0;
    if (!exact.at(c.y, c.x, merit)) continue;
    if (!std::isnan(options.threshold) && !(merit >= options.threshold * sign)) continue;
    if (!test.is_peak(c, doubts, merit)) continue;
    Match match;
    match.template_index = exact.template_index(), match.y = c.y, match.x = c.x, match.score = merit * sign;
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
