// Sums over the windows of a part of an image: what scores are divided by, and what distances add. Computed in f64, without
// ever taking a sum off another, so that neither NaN nor large values reach other windows than their own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "match/source.h"
#include "match/templates.h"

namespace corrbank::detail {

// Windows whose first pixels are rows [y, y + rows) and columns [x, x + columns).
struct WindowBlock {
  std::int64_t y, x;
  int rows, columns;
};

// For each window of a block, [row][pitch]:
struct WindowSums {
  int pitch;
  double* norm;    // 1 / sqrt of the sum of squares that scores are divided by, 1 where they are not; 0: invalid
  double* energy;  // sum M^2 J^2: of distances, and what the accuracy of correlations depends on
};

// Memory for blocks of at most rows x columns windows.
class WindowScratch {
 public:
  // Doubles.
  static std::size_t size(const PackedTemplates& templates, int rows, int columns) noexcept {
    return WindowScratch().lay_out(templates, rows, columns, nullptr);
  }
  WindowScratch(const PackedTemplates& templates, int rows, int columns, double* memory) noexcept {
    lay_out(templates, rows, columns, memory);
  }

  // Valid until the next call.
  WindowSums sum(const PackedTemplates& templates, const TemplateGroup& group, const Source& source,
                 const WindowBlock& block) noexcept;

 private:
  double *pixels_ = nullptr, *squares_ = nullptr, *spare_ = nullptr;  // of one channel
  double* sums_ = nullptr;                                            // of one channel: [8][windows], see the .cpp
  double *norm_ = nullptr, *energy_ = nullptr, *total_ = nullptr, *squared_total_ = nullptr;
  std::int32_t *taps_ = nullptr, *places_ = nullptr;  // of masks
  int pitch_ = 0, pixel_pitch_ = 0;

  WindowScratch() noexcept = default;
  // Where all that lies in memory, if there is any; its size in doubles.
  std::size_t lay_out(const PackedTemplates& templates, int rows, int columns, double* memory) noexcept;
  void read(const PackedTemplates& templates, const Source& source, const WindowBlock& block, std::int64_t c) noexcept;
  void box_sums(const PackedTemplates& templates, const WindowBlock& block) noexcept;
  void mask_sums(const PackedTemplates& templates, const TemplateGroup& group, const WindowBlock& block,
                 std::int64_t c) noexcept;
  void add_channel(const PackedTemplates& templates, const TemplateGroup& group, std::ptrdiff_t windows, std::int64_t c,
                   double offset) noexcept;
  void finish(const PackedTemplates& templates, const TemplateGroup& group, std::ptrdiff_t windows) noexcept;
};

}  // namespace corrbank::detail
