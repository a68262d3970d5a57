// Template matching on top of correlate(): scores of templates against every window of an image, and their peaks.
//
// With image I, template T, mask M (1 where there is none), all sums over the window and all channels of the template:
//
//   ccorr          sum M^2 T I
//   ccorr_normed   sum M^2 T I / sqrt(sum M^2 T^2 * sum M^2 I^2)
//   sqdiff         sum M^2 (T - I)^2
//   sqdiff_normed  sqdiff / sqrt(sum M^2 T^2 * sum M^2 I^2)
//   ccoeff         sum T' I'                    T' = M (T - mean T), I' = M (I - mean I), means weighted by M, per channel
//   ccoeff_normed  sum T' I' / sqrt(sum T'^2 * sum I'^2)
//   zncc           ccoeff_normed with one mean over all channels
//
// The first six are OpenCV's TM_CCORR to TM_CCOEFF_NORMED (its matchTemplate documentation), for any number of channels; zncc
// is scikit-image's match_template. For one channel ccoeff_normed and zncc are the same. sqdiff and sqdiff_normed are
// distances (0 is best), the others are better the larger they are. ccorr_normed, ccoeff_normed and zncc lie in [-1, 1].
//
// Degenerate cases: a template is invalid if it is constant (ccoeff*, zncc), zero (ccorr_normed, sqdiff_normed), not finite,
// or its mask empty; a window is invalid if it is constant, or zero, likewise, or holds a value that is not finite.
// Constant means: a sum of squares below 1e-12 of what it was before means were taken off. An invalid score is 0, match()
// can tell which those are, and find() never reports one. Finite images give finite scores.
//
// Accuracy: correlations run in f32, by the algorithm that options allow, on an image without its mean and templates
// without theirs; sums over windows are taken in f64. Windows so flat that rounding of f32 could move a normalised score by
// more than about 1e-5 are computed again in f64. Scores of find() are f64 throughout.
// An image and templates of u8 without mask or with one of u8 have integer ccorr and sqdiff, which are exact; scores of i32
// hold them, f32 rounds them. The other methods correlate them in integers too where the direct algorithm is asked for or that
// is expected to be fastest: their correlations are then rounded once, however flat a window is.
//
// Sources: OpenCV's documentation of matchTemplate; for the accuracy of one-pass variances Chan, Golub, LeVeque, Algorithms
// for computing the sample variance (1983).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "corrbank/corrbank.hpp"

namespace corrbank {

namespace detail {
struct PackedTemplates;
}

enum class Method : int {
  ccorr = 0,
  ccorr_normed = 1,
  sqdiff = 2,
  sqdiff_normed = 3,
  ccoeff = 4,
  ccoeff_normed = 5,
  zncc = 6,
};

// Templates prepared once for one method and target, like a Bank. Owns copies; movable, immutable after create().
class CORRBANK_API Templates {
 public:
  Templates() noexcept = default;
  Templates(Templates&& other) noexcept;
  Templates& operator=(Templates&& other) noexcept;
  Templates(const Templates&) = delete;
  Templates& operator=(const Templates&) = delete;
  ~Templates();

  // Templates of f32, u8 or u16 in the host's memory. `masks`, if not null, are [1 or count, 1 or channels, height, width]:
  // one for all templates or one each, one for all channels or one each; of u8 (0 is out, anything else is in) or f32
  // (weights, finite). Templates that share a mask are matched together. Target "cuda" is refused (target_unavailable).
  static Status create(const KernelsView& templates, Method method, const KernelsView* masks, const Options& options,
                       Templates& made) noexcept;

  [[nodiscard]] bool empty() const noexcept { return packed_ == nullptr; }
  [[nodiscard]] std::int64_t count() const noexcept;
  [[nodiscard]] std::int64_t channels() const noexcept;
  [[nodiscard]] std::int64_t height() const noexcept;
  [[nodiscard]] std::int64_t width() const noexcept;
  [[nodiscard]] Method method() const noexcept;
  // Whether template k can have a score at all.
  [[nodiscard]] bool valid(std::int64_t k) const noexcept;
  // Memory held.
  [[nodiscard]] std::size_t bytes() const noexcept;
  [[nodiscard]] const char* target() const noexcept;

 private:
  friend struct detail::PackedTemplates;
  detail::PackedTemplates* packed_ = nullptr;
};

// Writes every score: scores[k, y, x] of template k against the window whose first pixel is (y, x). `scores` is exactly
// [count, H - h + 1, W - w + 1], of f32, or of i32 where scores are integers and none can leave 32 bits, and shares no
// memory with the image. `valid`, if not null, is compact [count, H - h + 1, W - w + 1]: 1 where the score means something.
CORRBANK_API Status match(const ImageView& image, const Templates& templates, const ResponsesView& scores,
                          const Options& options = {}, std::uint8_t* valid = nullptr) noexcept;

// The best score of all templates at each window, scores [1, H - h + 1, W - w + 1] of f32, and which template has it:
// compact [H - h + 1, W - w + 1]. Ties go to the lower number. Where no template is valid: 0 and -1.
CORRBANK_API Status match_best(const ImageView& image, const Templates& templates, const ResponsesView& scores,
                               std::int32_t* best, const Options& options = {}) noexcept;

// How a peak's place between pixels is estimated, from its neighbours' scores along each axis.
enum class Refinement : int {
  none = 0,
  parabola = 1,
  log_gaussian = 2,  // a parabola through logarithms; where a score is not positive, through the scores
};

// A rectangle of an image: first row and column, rows and columns. All zero: the whole.
struct Region {
  std::int64_t y = 0, x = 0, height = 0, width = 0;
};

struct FindOptions {
  // Matches of each template at most; 0: all that reach the threshold, which then has to be given.
  std::int64_t top = 1;
  // Scores must be at least this, or, of distances, at most; NaN: any score.
  double threshold = std::numeric_limits<double>::quiet_NaN();
  // Of two peaks of a template that are no more than this many rows and columns apart, the better one counts. Negative: half
  // the template's smaller side.
  std::int64_t min_distance = -1;
  // Matches of different templates whose windows overlap by more than this part of their union: the better one counts.
  // 1: all count.
  double max_overlap = 1;
  Refinement refinement = Refinement::none;
  // Only windows that lie in this part of the image.
  Region region{};
};

struct Match {
  std::int64_t template_index = 0;
  std::int64_t y = 0, x = 0;  // first pixel of the window
  double score = 0;
  double refined_y = 0, refined_x = 0;  // y and x without refinement
};

// Peaks of the scores: windows no worse than their eight neighbours, taken from the best on, each but for those that a
// better one is too close to (FindOptions). Ties go to the lower y, then the lower x. No score map is stored: memory does not
// grow with the number of templates times windows, and what is found does not depend on threads, tiles or algorithm.
// `matches` are sorted by template, then from the best on. Allocates.
CORRBANK_API Status find(const ImageView& image, const Templates& templates, const FindOptions& find_options,
                         std::vector<Match>& matches, const Options& options = {}) noexcept;

// Bytes that match() and find() allocate once, or take of options.workspace, besides find()'s list of peaks.
CORRBANK_API Status workspace_bytes(const ImageView& image, const Templates& templates, const Options& options,
                                    std::size_t& bytes) noexcept;

// Prepares what match() and find() of such an image will run, so that the first call does not: templates in the algorithm's
// form, which they keep. The image's data may be null.
CORRBANK_API Status warmup(const ImageView& image, const Templates& templates, const Options& options = {}) noexcept;

// What match() and find() would run for the correlations.
CORRBANK_API Status plan(const ImageView& image, const Templates& templates, const Options& options,
                         Plan& out) noexcept;

}  // namespace corrbank
