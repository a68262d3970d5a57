// Templates as match() and find() use them: in groups that share a mask, each a Bank of what is correlated.
//
// What is correlated, with image offsets c (means, or for distances the templates'; J = I - c):
//   ccorr, ccorr_normed      M^2 T            ccorr = r + sum over channels of c * sum M^2 T
//   sqdiff, sqdiff_normed    M^2 (T - c)      sqdiff = sum M^2 J^2 - 2 r + sum M^2 (T - c)^2
//   ccoeff, *_normed, zncc   M T' - M sum(M T') / sum M      whose sum is 0, so that no mean of the window is needed
#pragma once

#include <cstdint>
#include <vector>

#include "bank.h"
#include "corrbank/match.hpp"
#include "match/integer_bank.h"
#include "match/match_kernels.h"
#include "match/source.h"

namespace corrbank::detail {

struct TemplateGroup {
  std::vector<std::int64_t> ids;  // of its templates
  Bank bank;
  IntegerBank integers;              // of u8
  std::vector<double> exact;         // what is correlated, in f64: [tap][templates, rounded up to exact_kernels]
  std::vector<double> mask;          // M [channel][row][column]; empty: 1 everywhere
  std::vector<double> mask_weights;  // by channel: [tap][M^2, M, 0, 0], for exact sums
  std::vector<double> mask_sums, mask_squares;  // by channel: sum M, sum M^2
  std::vector<double> add;                      // by template: sum M^2 (T - c)^2 of distances, else 0
  std::vector<double> channel_sums;  // [template][channel]: of what is correlated; of ccorr* alone, else empty
  std::vector<double> norm;          // by template: sqrt of the sum of squares of what is correlated
  std::vector<double> scale;         // by template: 1 / sqrt of its own sum of squares, or 1; 0: invalid

  [[nodiscard]] std::int64_t count() const noexcept { return static_cast<std::int64_t>(ids.size()); }
  [[nodiscard]] bool masked() const noexcept { return !mask.empty(); }
};

struct PackedTemplates {
  Method method{};
  const Target* target = nullptr;
  std::int64_t count = 0, channels = 0, height = 0, width = 0;
  std::vector<float> values;    // T [k][c][i][j]; all element types fit
  std::vector<double> offsets;  // by channel: what distances take off templates and images; else empty
  std::vector<TemplateGroup> groups;
  std::vector<std::int64_t> group_of, place_in_group;  // by template
  bool integers = false;                               // u8, masks too: scores are integers where the method makes them
  double largest_score = 0;                            // that integers can reach with an image of u8

  [[nodiscard]] std::int64_t taps() const noexcept { return channels * height * width; }
  static const PackedTemplates* of(const Templates& t) noexcept { return t.packed_; }
  // Fills in what create() has checked. Throws std::bad_alloc.
  Status prepare(const KernelsView& templates, const KernelsView* masks, const Options& options);
};

// A mean as what is taken off elements: a multiple of a power of two far below their deviation, so that integers and elements
// on a large pedestal keep all their digits. 0 for what is not finite.
double round_offset(double mean, double mean_square) noexcept;

// The score of template k, of which `weights` [tap] are what is correlated, against the window at (y, x), in f64. False:
// invalid.
bool exact_score(const PackedTemplates& templates, const Source& source, std::int64_t k, const double* weights,
                 std::int64_t y, std::int64_t x, double* pixels, double& score) noexcept;

// An element of an image or of templates.
inline double element(const void* data, DType dtype, std::int64_t index) noexcept {
  switch (dtype) {
    case DType::u8: return static_cast<const std::uint8_t*>(data)[index];
    case DType::u16: return static_cast<const std::uint16_t*>(data)[index];
    default: return static_cast<double>(static_cast<const float*>(data)[index]);
  }
}

}  // namespace corrbank::detail
