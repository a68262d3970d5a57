// One shape with its data, and the ways to do it: every row of the build's target, forced.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "corrbank/corrbank.hpp"
#include "geometry.h"
#include "plan.h"

namespace corrbank_tune {

struct Shape {
  std::int64_t channels, height, width, kernels, kernel_height, kernel_width;

  [[nodiscard]] std::int64_t response_height() const { return height - kernel_height + 1; }
  [[nodiscard]] std::int64_t response_width() const { return width - kernel_width + 1; }
  [[nodiscard]] bool valid() const {
    return channels > 0 && kernels > 0 && kernel_height > 0 && kernel_width > 0 && response_height() > 0 &&
           response_width() > 0;
  }
};

// A way to do a shape. Names are "direct/rows_3x8", "winograd/6x6/tiles_1x25" (by responses of a tile; a row with constants has
// them behind, "tiles_1x25_channels128"),
// "fft/64x48/tiles_2x5/many", and "plan/automatic", "plan/direct", "plan/winograd", "plan/fft" for what is planned.
// A row of direct does some of the kernels only: `kernels` of them, in tiles of `tile_kernels`; all others do all.
struct Candidate {
  std::string name;
  // What its row could be made for alone, as the tuned file has it: "channels=128,tile_count=96"; "-": nothing.
  std::string constants = "-";
  corrbank::detail::CallPlan plan;
  std::int64_t kernels = 0, tile_kernels = 0;

  [[nodiscard]] double predicted() const { return plan.nanoseconds(); }
};

// Without data: for planning alone.
std::shared_ptr<corrbank::detail::PackedBank> bank_for_plans(const Shape& shape);

// A bank for planning alone will do.
std::vector<Candidate> candidates(const Shape& shape, const corrbank::detail::PackedBank& bank);

// What plan_call() chooses. False: it refuses.
bool planned(const std::string& algorithm, const Shape& shape, const corrbank::detail::PackedBank& bank, int threads,
             Candidate& candidate);

// Rows of direct that plans take with the costs that are set, by their names, over tests/plan_sweep.h.
std::set<std::string> rows_in_plans();

// The target of the build.
const corrbank::detail::Target& the_target();

class Problem {
 public:
  explicit Problem(const Shape& shape);

  [[nodiscard]] const Shape& shape() const { return shape_; }
  [[nodiscard]] const corrbank::detail::PackedBank& bank() const { return *corrbank::detail::PackedBank::of(bank_); }

  // False: no memory.
  bool prepare(const Candidate& candidate);
  // Nanoseconds of one call.
  double run(const Candidate& candidate, int threads);
  // Of the last run: the largest error of some responses, relative to the norms of kernel and window.
  [[nodiscard]] double error(const Candidate& candidate) const;

 private:
  Shape shape_;
  std::vector<float> image_, kernels_, responses_;
  corrbank::Bank bank_;
  corrbank::ImageView image_view_;
  std::vector<char> workspace_;
};

}  // namespace corrbank_tune
