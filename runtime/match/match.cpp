// The verbs of match.hpp: validate -> plan -> sums, correlations, scores -> Status.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <new>

#include "match/integers.h"
#include "match/method.h"
#include "match/peaks.h"
#include "match/run_match.h"
#include "match/scores.h"
#include "report.h"
#include "targets.h"
#include "threads.h"
#include "validate.h"
#include "workspace.h"

namespace corrbank {

using namespace detail;

namespace {

const Status no_workspace(StatusCode::out_of_memory, "no memory for the workspace");
const Status no_form(StatusCode::out_of_memory, "no memory for the templates as the algorithm needs them");
const Status no_list(StatusCode::out_of_memory, "no memory for the peaks");

BankShape shape_of(const PackedTemplates& t) noexcept { return {t.count, t.channels, t.height, t.width}; }

// Options and templates: what every verb checks first.
Status check(const Templates& templates, const Options& options) noexcept {
  if (Status status = validate_options(options)) return status;
  if (templates.empty()) return {StatusCode::bank_mismatch, "templates are empty: Templates::create() makes some"};
  return check_target(options, templates.target(), "templates were prepared");
}

// Calls each(group, its number) once its windows have been measured.
template <typename Each>
Status run_groups(MatchRun& run, const PackedTemplates& t, const Options& options, const Each& each) {
  std::size_t bytes = 0;
  if (Status status = run.plan(bytes)) return status;
  if (Status status = check_workspace(options, bytes)) return status;
  if (!run.prepare()) return no_form;
  const Workspace workspace(options, bytes);
  if (workspace.data() == nullptr) return no_workspace;
  run.start(workspace.data());
  for (std::size_t i = 0; i < t.groups.size(); ++i) {
    run.measure(i);
    if (Status status = each(t.groups[i], i)) return status;
  }
  return {};
}

// Scores of i32 have to be integers that fit.
Status check_integers(const PackedTemplates& t, const ImageView& image, const ResponsesView& scores) noexcept {
  if (scores.dtype != DType::i32) return {};
  if (!t.integers || image.dtype != DType::u8) {
    return {StatusCode::bad_option,
            "responses.dtype is i32, but scores are integers only of ccorr and sqdiff for image, templates and masks "
            "of u8"};
  }
  if (t.largest_score <= 0x7fffffff) return {};
  return {StatusCode::too_large, "responses.dtype is i32, but scores of these templates can be larger than 2^31 - 1"};
}

MatchRun::Aim aim_of(const PackedTemplates& t, const ImageView& image) noexcept {
  return t.integers && image.dtype == DType::u8 ? MatchRun::Aim::exact_scores : MatchRun::Aim::scores;
}

void write_validity(const TemplateGroup& group, const ScoreMaps& maps, std::uint8_t* valid) noexcept {
  const std::int64_t windows = maps.height * maps.width;
  for (std::size_t k = 0; k < group.ids.size(); ++k) {
    std::uint8_t* to = valid + group.ids[k] * windows;
    const bool template_valid = group.scale[k] != 0;
    for (std::int64_t i = 0; i < windows; ++i) {
      to[i] = template_valid && maps.norm[i] != 0 && maps.norm[i] > -HUGE_VALF ? 1 : 0;
    }
  }
}

Status check_find(const ImageView& image, const PackedTemplates& t, const FindOptions& f, ImageView& region) noexcept {
  char text[200];
  if (f.top < 0) {
    std::snprintf(text, sizeof text, "find_options.top is %lld but must not be negative",
                  static_cast<long long>(f.top));
    return {StatusCode::bad_option, text};
  }
  if (f.top == 0 && std::isnan(f.threshold)) {
    return {StatusCode::bad_option, "find_options.top is 0, all matches, which needs a find_options.threshold"};
  }
  if (!(f.max_overlap >= 0)) return {StatusCode::bad_option, "find_options.max_overlap must be 0 to 1"};
  if (static_cast<int>(f.refinement) < 0 || f.refinement > Refinement::log_gaussian) {
    return {StatusCode::bad_option, "find_options.refinement is none of this version"};
  }
  region = image;
  const Region& r = f.region;
  if (r.y == 0 && r.x == 0 && r.height == 0 && r.width == 0) return {};
  if (r.y < 0 || r.x < 0 || r.height < t.height || r.width < t.width || r.height > image.height - r.y ||
      r.width > image.width - r.x) {
    std::snprintf(
        text, sizeof text,
        "find_options.region, %lld x %lld from (%lld, %lld) on, lies outside the image or is smaller than the "
        "templates",
        static_cast<long long>(r.height), static_cast<long long>(r.width), static_cast<long long>(r.y),
        static_cast<long long>(r.x));
    return {StatusCode::bad_extent, text};
  }
  region.height = r.height, region.width = r.width;
  region.data = static_cast<const char*>(image.data) + (r.y * image.row_stride + r.x) * dtype_bytes(image.dtype);
  return {};
}

// The peaks of a group's templates, one list each so that threads can settle them.
struct Settling {
  const PackedTemplates& templates;
  const Source& source;
  const FindOptions& options;
  std::int64_t min_distance;
  const TemplateGroup& group;
  PeakSearch& search;
  std::vector<std::vector<Match>> lists;
  std::atomic<std::size_t> next{0};
  std::atomic<bool> out_of_memory{false};
};

void settle(void* argument, int /*thread*/) noexcept {
  Settling& s = *static_cast<Settling*>(argument);
  for (std::size_t k = s.next.fetch_add(1); k < s.lists.size(); k = s.next.fetch_add(1)) {
    try {
      const auto kernel = static_cast<std::int64_t>(k);
      const Candidates candidates = s.search.candidates(kernel);
      if (candidates.best_first.empty()) continue;
      ExactScores exact(s.templates, s.source, s.group.ids[k]);
      settle_peaks(exact, s.options, s.min_distance, candidates, s.lists[k]);
    } catch (const std::bad_alloc&) {
      s.out_of_memory = true;
    }
  }
}

}  // namespace

Status match(const ImageView& image, const Templates& templates, const ResponsesView& scores, const Options& options,
             std::uint8_t* valid) noexcept try {
  if (Status status = check(templates, options)) return status;
  const PackedTemplates& t = *PackedTemplates::of(templates);
  if (Status status = validate_match(image, shape_of(t), scores)) return status;
  if (Status status = check_integers(t, image, scores)) return status;
  if (Status status = validate_workspace(image, scores, options)) return status;
  if (valid != nullptr) {
    const auto count = static_cast<std::size_t>(scores.count * scores.height * scores.width);
    if (Status status = validate_outside(image, scores, valid, count, "valid")) return status;
  }
  MatchRun run(t, image, options, aim_of(t, image));
  return run_groups(run, t, options, [&](const TemplateGroup& group, std::size_t number) -> Status {
    const Scoring scoring(t, group, run.offsets(), 1, run.makes_scores());
    ScoreWriter writer(run.maps(), scoring, group, scores);
    run.correlate(number, writer);
    if (valid != nullptr) write_validity(group, run.maps(), valid);
    return {};
  });
} catch (const std::bad_alloc&) {
  return no_workspace;
}

Status match_best(const ImageView& image, const Templates& templates, const ResponsesView& scores, std::int32_t* best,
                  const Options& options) noexcept try {
  if (Status status = check(templates, options)) return status;
  const PackedTemplates& t = *PackedTemplates::of(templates);
  BankShape one = shape_of(t);
  one.count = 1;
  if (Status status = validate_match(image, one, scores)) return status;
  if (scores.dtype != DType::f32) return {StatusCode::bad_option, "responses.dtype must be f32 for the best scores"};
  if (best == nullptr) return {StatusCode::null_pointer, "best is null"};
  const auto count = static_cast<std::size_t>(scores.height * scores.width);
  if (Status status = validate_outside(image, scores, best, count * sizeof *best, "best")) return status;
  if (Status status = validate_workspace(image, scores, options)) return status;
  MatchRun run(t, image, options, aim_of(t, image));
  const double sign = is_distance(t.method) ? -1 : 1;
  const Status status = run_groups(run, t, options, [&](const TemplateGroup& group, std::size_t number) -> Status {
    const Scoring scoring(t, group, run.offsets(), sign, run.makes_scores());
    if (&group == &t.groups.front()) std::fill_n(best, count, -1);  // what was refused has left it alone
    BestWriter writer(run.maps(), scoring, group, scores, best);
    run.correlate(number, writer);
    return {};
  });
  if (status) return status;
  for (std::int64_t y = 0; y < scores.height; ++y) {
    float* row = static_cast<float*>(scores.data) + y * scores.row_stride;
    for (std::int64_t x = 0; x < scores.width; ++x) {
      row[x] = best[y * scores.width + x] < 0 ? 0 : row[x] * static_cast<float>(sign);
    }
  }
  return {};
} catch (const std::bad_alloc&) {
  return no_workspace;
}

Status find(const ImageView& image, const Templates& templates, const FindOptions& find_options,
            std::vector<Match>& matches, const Options& options) noexcept try {
  if (Status status = check(templates, options)) return status;
  const PackedTemplates& t = *PackedTemplates::of(templates);
  if (Status status = validate_match_image(image, shape_of(t))) return status;
  if (Status status = validate_pixels(image)) return status;
  if (Status status = validate_workspace(image, {}, options)) return status;
  ImageView region;
  if (Status status = check_find(image, t, find_options, region)) return status;
  const std::int64_t distance =
      find_options.min_distance < 0 ? std::min(t.height, t.width) / 2 : find_options.min_distance;
  const double sign = is_distance(t.method) ? -1 : 1;
  std::vector<Match> found;
  MatchRun run(t, region, options, MatchRun::Aim::peaks);
  const Status status = run_groups(run, t, options, [&](const TemplateGroup& group, std::size_t number) -> Status {
    const Scoring scoring(t, group, run.offsets(), sign, run.makes_scores());
    std::vector<float> slack(group.ids.size());
    for (std::size_t k = 0; k < slack.size(); ++k) slack[k] = run.slack(group, k);
    PeakSearch search(run.maps(), scoring, find_options, distance, std::move(slack));
    run.correlate(number, search);
    Settling settling{t, run.source(), find_options, distance, group, search, {}};
    settling.lists.resize(group.ids.size());
    const auto tasks = std::min<std::int64_t>(options.threads, group.count());
    run_tasks(options, static_cast<int>(tasks), settle, &settling);
    if (search.out_of_memory() || settling.out_of_memory) return no_list;
    for (const std::vector<Match>& list : settling.lists) found.insert(found.end(), list.begin(), list.end());
    return {};
  });
  if (status) return status;
  std::stable_sort(found.begin(), found.end(),
                   [](const Match& a, const Match& b) { return a.template_index < b.template_index; });
  suppress_overlaps(t, find_options, found);
  for (Match& match : found) {
    match.y += find_options.region.y, match.x += find_options.region.x;
    match.refined_y += static_cast<double>(find_options.region.y);
    match.refined_x += static_cast<double>(find_options.region.x);
  }
  matches = std::move(found);
  return {};
} catch (const std::bad_alloc&) {
  return no_list;
}

Status warmup(const ImageView& image, const Templates& templates, const Options& options) noexcept try {
  if (Status status = check(templates, options)) return status;
  const PackedTemplates& t = *PackedTemplates::of(templates);
  if (Status status = validate_match_image(image, shape_of(t))) return status;
  MatchRun run(t, image, options, MatchRun::Aim::scores);
  std::size_t bytes = 0;
  if (Status status = run.plan(bytes)) return status;
  return run.prepare() ? Status() : no_form;
} catch (const std::bad_alloc&) {
  return no_form;
}

Status workspace_bytes(const ImageView& image, const Templates& templates, const Options& options,
                       std::size_t& bytes) noexcept try {
  if (Status status = check(templates, options)) return status;
  const PackedTemplates& t = *PackedTemplates::of(templates);
  if (Status status = validate_match_image(image, shape_of(t))) return status;
  MatchRun run(t, image, options, MatchRun::Aim::scores);
  return run.plan(bytes);
} catch (const std::bad_alloc&) {
  return no_workspace;
}

Status plan(const ImageView& image, const Templates& templates, const Options& options, Plan& out) noexcept try {
  if (Status status = check(templates, options)) return status;
  const PackedTemplates& t = *PackedTemplates::of(templates);
  if (Status status = validate_match_image(image, shape_of(t))) return status;
  MatchRun run(t, image, options, MatchRun::Aim::scores);
  std::size_t bytes = 0;
  if (Status status = run.plan(bytes)) return status;
  const TemplateGroup& largest =
      *std::max_element(t.groups.begin(), t.groups.end(),
                        [](const TemplateGroup& a, const TemplateGroup& b) { return a.count() < b.count(); });
  out = describe(run.geometry(), *PackedBank::of(largest.bank), run.correlation_plan(), options.threads);
  out.workspace_bytes = bytes;
  if (!run.in_integers()) return {};
  const Geometry g = run.geometry();
  out.algorithm = "direct";
  out.predicted_seconds = 1e-9 * integer_nanoseconds(t, largest.count(), g.height, g.width);
  std::snprintf(out.text, sizeof out.text, "direct on %s: in integers; workspace %zu bytes, predicted %.3g ms",
                t.target->name, bytes, 1e3 * out.predicted_seconds);
  return {};
} catch (const std::bad_alloc&) {
  return no_workspace;
}

}  // namespace corrbank
