// What a match needs before its stages run: plans, and where everything lies in the workspace.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdio>
#include <new>

#include "geometry.h"
#include "match/integers.h"
#include "match/method.h"
#include "match/run_match.h"
#include "match/small_windows.h"
#include "match/stage_sizes.h"
#include "match/window_maps.h"

namespace corrbank::detail {
namespace {

// Rows and columns of the pixels that offsets are estimated of; fewer where there are so many channels that it takes time.
constexpr std::int64_t sampled_of(std::int64_t channels) noexcept { return channels > 16 ? 8 : 16; }

// Windows of noise whose norms lie within a fifth or so of each other.
constexpr std::int64_t tight_taps = 128;

}  // namespace

Geometry MatchRun::geometry() const noexcept {
  Geometry g{};
  g.channels = t_.channels, g.kernel_height = t_.height, g.kernel_width = t_.width;
  g.height = image_.height - t_.height + 1, g.width = image_.width - t_.width + 1;
  g.channel_stride = needs_copy() ? image_.height * image_.width : image_.channel_stride;
  g.row_stride = needs_copy() ? image_.width : image_.row_stride;
  g.response_row_stride = g.width;
  return g;
}

bool MatchRun::needs_copy() const noexcept { return image_.dtype != DType::f32; }

bool MatchRun::may_use_integers() const noexcept { return image_.dtype == DType::u8 && has_integers(t_); }

// After the plans: whether integers are faster, or what was asked for.
bool MatchRun::uses_integers() const noexcept {
  if (!may_use_integers()) return false;
  const bool direct = options_.algorithm == Algorithm::direct || options_.exactness == Exactness::direct;
  if (exactly() || direct) return true;
  if (options_.algorithm != Algorithm::automatic) return false;
  const Geometry g = geometry();
  return integer_nanoseconds(t_, most_kernels_, g.height, g.width) < correlation_plan().nanoseconds();
}

bool MatchRun::any_masked() const noexcept {
  return std::any_of(t_.groups.begin(), t_.groups.end(), [](const TemplateGroup& g) { return g.masked(); });
}

MatchRun::Extent MatchRun::sums_block() const noexcept {
  const Geometry g = geometry();
  std::int64_t rows = std::clamp<std::int64_t>(t_.height, sums_rows, 2 * sums_rows);
  if (!any_masked() && has_small_windows(t_)) {
    rows = small_rows(t_.height) * (t_.channels == 1 ? 2 : 1);
  } else if (!any_masked()) {
    rows = t_.height * std::max<std::int64_t>(1, 2 * sums_rows / t_.height);  // whole groups (window_maps.cpp)
  }
  return {static_cast<int>(std::min(g.height, rows)), static_cast<int>(std::min<std::int64_t>(g.width, sums_columns))};
}

std::size_t MatchRun::scratch_bytes() const noexcept {
  const Extent sums = sums_block();
  const std::size_t summing =
      std::max({any_masked() ? WindowScratch::size(t_, sums.rows, sums.columns) : 0,
                window_map_scratch(t_, sums.rows, sums.columns), small_window_scratch(t_, sums.rows, sums.columns)}) *
      sizeof(double);
  std::size_t blocks = 0;
  for (const GroupPlan& plan : plans_) blocks = std::max(blocks, plan.blocks.bytes());
  const auto pixels = static_cast<std::size_t>(t_.channels * (again_rows + t_.height - 1) * again_pitch(t_));
  const std::size_t repeats = (pixels + WindowScratch::size(t_, again_rows, again_columns) +
                               std::size_t{again_rows} * again_columns * (again_kernels + 2)) *
                              sizeof(double);
  const Geometry g = geometry();
  const std::size_t integers = may_use_integers() ? integer_blocks(t_, g.height, g.width).scratch : 0;
  return whole_lines(std::max({summing, blocks + repeats, integers}));
}

void MatchRun::lay_out() noexcept {
  const Geometry g = geometry();
  const auto windows = static_cast<std::size_t>(g.height * g.width);
  const auto channels = static_cast<std::size_t>(t_.channels), kernels = static_cast<std::size_t>(most_kernels_);
  std::size_t at = 0;
  const auto take = [&at](std::size_t bytes) {
    const std::size_t taken = at;
    at += whole_lines(bytes);
    return taken;
  };
  scratch_bytes_ = scratch_bytes();
  layout_.norm = take(windows * sizeof(float));
  layout_.energy = take(is_distance(t_.method) ? windows * sizeof(float) : 0);
  layout_.largest = take(static_cast<std::size_t>(g.height * quotient_up(g.width, ScoreMaps::segment)) * sizeof(float));
  layout_.again = take(static_cast<std::size_t>(g.height) * sizeof(RedoFlag));
  layout_.taps = take(static_cast<std::size_t>(t_.taps()) * sizeof(std::int32_t));
  layout_.zeros = take((kernels + 2 * channels) * sizeof(float));
  layout_.copy = take(copies() ? static_cast<std::size_t>(g.channels * g.channel_stride) * 4 : 0);
  layout_.scratch = take(scratch_bytes_ * static_cast<std::size_t>(options_.threads));
  layout_.engine = take(engine_bytes_);
  layout_.end = at + workspace_line;  // it may begin anywhere
}

Status MatchRun::plan(std::size_t& bytes) {
  const Geometry g = geometry();
  for (const TemplateGroup& group : t_.groups) most_kernels_ = std::max(most_kernels_, group.count());
  plans_.resize(t_.groups.size());
  engine_options_ = options_;
  engine_options_.workspace = nullptr, engine_options_.workspace_size = 0;
  const auto plan_blocks = [&](std::size_t i) {
    plans_[i].blocks = plan_direct_blocks(g, *PackedBank::of(t_.groups[i].bank));
  };
  if (options_.workspace_limit > 0) {
    // What is left for the engine: whatever it runs, all else fits.
    for (std::size_t i = 0; i < plans_.size(); ++i) plan_blocks(i);
    lay_out();
    if (options_.workspace_limit <= layout_.end) {
      char text[128];
      std::snprintf(text, sizeof text, "options.workspace_limit is %zu but this call needs more than %zu bytes",
                    options_.workspace_limit, layout_.end);
      return {StatusCode::workspace_too_small, text};
    }
    engine_options_.workspace_limit = options_.workspace_limit - layout_.end;
  }
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const PackedBank& bank = *PackedBank::of(t_.groups[i].bank);
    CallPlan& made = plans_[i].call;
    if (Status status = bank.plans->get(g, bank, engine_options_, made)) return status;
    engine_bytes_ = std::max(engine_bytes_, made.workspace_bytes);
    plans_[i].blocks = {};
    if (made.algorithm == Algorithm::direct) plan_blocks(i);
  }
  integers_ = uses_integers();
  if (integers_) engine_bytes_ = 0;
  lay_out();
  bytes = layout_.end;
  return {};
}

const CallPlan& MatchRun::correlation_plan() const noexcept {
  std::size_t largest = 0;
  for (std::size_t i = 1; i < plans_.size(); ++i) {
    if (t_.groups[i].count() > t_.groups[largest].count()) largest = i;
  }
  return plans_[largest].call;
}

bool MatchRun::prepare() const noexcept {
  for (std::size_t i = 0; i < plans_.size() && !exactly() && !integers_; ++i) {
    if (!detail::prepare(plans_[i].call, *PackedBank::of(t_.groups[i].bank))) return false;
  }
  return true;
}

void MatchRun::estimate_offsets() {
  offsets_ = t_.offsets;
  if (!offsets_.empty()) return;
  // Correlations in integers are exact as they are; to give an offset back to them rounds off what dark windows have.
  if (integers_ && !is_centred(t_.method)) {
    offsets_.assign(static_cast<std::size_t>(t_.channels), 0.0);
    return;
  }
  const std::int64_t sampled = sampled_of(t_.channels);
  double all = 0, all_energy = 0, all_count = 0;
  for (std::int64_t c = 0; c < t_.channels; ++c) {
    double sum = 0, energy = 0, count = 0;
    for (std::int64_t i = 0; i < sampled; ++i) {
      const std::int64_t row =
          c * image_.channel_stride + (2 * i + 1) * image_.height / (2 * sampled) * image_.row_stride;
      for (std::int64_t j = 0; j < sampled; ++j) {
        const double v = element(image_.data, image_.dtype, row + (2 * j + 1) * image_.width / (2 * sampled));
        if (!std::isfinite(v)) continue;
        sum += v, energy += v * v, count += 1;
      }
    }
    offsets_.push_back(count > 0 ? round_offset(sum / count, energy / count) : 0);
    all += sum, all_energy += energy, all_count += count;
  }
  // One mean over all channels is taken off windows: so is one offset.
  if (t_.method == Method::zncc && all_count > 0) {
    std::fill(offsets_.begin(), offsets_.end(), round_offset(all / all_count, all_energy / all_count));
  }
}

void MatchRun::start(void* workspace) {
  estimate_offsets();
  no_offsets_.assign(static_cast<std::size_t>(t_.channels), 0.0);
  source_ = {image_.data,  image_.dtype,          image_.channels,   image_.height,
             image_.width, image_.channel_stride, image_.row_stride, offsets_.data()};
  const Geometry g = geometry();
  char* const memory =
      static_cast<char*>(workspace) + (workspace_line - reinterpret_cast<std::uintptr_t>(workspace) % workspace_line);
  const auto floats = [memory](std::size_t at) { return reinterpret_cast<float*>(memory + at); };
  maps_ = {floats(layout_.norm),
           is_distance(t_.method) && !makes_scores() ? floats(layout_.energy) : nullptr,
           reinterpret_cast<RedoFlag*>(memory + layout_.again),
           g.height,
           g.width,
           nullptr,
           t_.taps() >= tight_taps,
           aim_ == Aim::peaks ? -FLT_MAX : 0.0f,
           &flat_error_};
  for (std::int64_t y = 0; y < g.height; ++y) new (maps_.again + y) RedoFlag(false);
  largest_norms_ = floats(layout_.largest);
  taps_ = reinterpret_cast<std::int32_t*>(memory + layout_.taps);
  scratch_ = memory + layout_.scratch, engine_ = memory + layout_.engine;
  zeros_ = floats(layout_.zeros);
  means_ = zeros_ + most_kernels_ + t_.channels;
  std::fill(zeros_, means_, 0.0f);
  for (std::int64_t c = 0; c < t_.channels; ++c) means_[c] = static_cast<float>(offsets_[static_cast<std::size_t>(c)]);
  fill_taps();
  if (!copies()) return;
  copy_ = floats(layout_.copy);
  copy_image();
}

// Of pixels of a block as correlate_again() has them.
void MatchRun::fill_taps() noexcept {
  const std::int64_t pitch = again_pitch(t_);
  std::int32_t* tap = taps_;
  for (std::int64_t c = 0; c < t_.channels; ++c) {
    for (std::int64_t i = 0; i < t_.height; ++i) {
      for (std::int64_t j = 0; j < t_.width; ++j) {
        *tap++ = static_cast<std::int32_t>((c * (again_rows + t_.height - 1) + i) * pitch + j);
      }
    }
  }
}

void MatchRun::copy_image() noexcept {
  for_each_block(image_.channels * image_.height, [this](std::int64_t row, char* /*scratch*/) {
    source_.read(row / image_.height, row % image_.height, 0, image_.width, copy_ + row * image_.width);
  });
}

}  // namespace corrbank::detail
