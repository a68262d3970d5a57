#include "match/run_match.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "match/integers.h"
#include "match/method.h"
#include "match/window_maps.h"
#include "threads.h"

namespace corrbank::detail {
namespace {

// Windows are summed in blocks whose pixels stay in L2.
constexpr int sums_rows = 64, sums_columns = 256;
// What is computed again, in blocks of this many windows.
constexpr int again_rows = 8, again_columns = exact_columns, again_kernels = 64;
constexpr std::int64_t direct_columns = 256, direct_bytes = 256 << 10;
constexpr std::int64_t sampled = 16;  // rows and columns of the pixels that offsets are estimated of

// A score may be off by this much in f32, else it is computed again; as part of sqrt(energy of the pixels around it) the
// rounding errors of the algorithms reach what follows: as measured on photographs (docs/matching.md), and of direct sums, one
// product after the other, also as the square root of their number.
constexpr double tolerance = 5e-6;
double rounding(Algorithm algorithm, std::int64_t taps) noexcept {
  switch (algorithm) {
    case Algorithm::winograd: return 1e-6;
    case Algorithm::fft: return 2e-7;
    default: return 6e-8 * std::sqrt(static_cast<double>(taps));
  }
}

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

// After the plan of the largest group: whether integers are faster, or what was asked for.
bool MatchRun::uses_integers() const noexcept {
  if (!may_use_integers()) return false;
  if (exactly_ || plan_.algorithm == Algorithm::direct) return true;
  if (options_.algorithm != Algorithm::automatic) return false;
  const Geometry g = geometry();
  return integer_nanoseconds(t_, most_kernels_, g.height, g.width) < plan_.nanoseconds();
}

bool MatchRun::may_use_integers() const noexcept { return image_.dtype == DType::u8 && has_integers(t_); }

MatchRun::Extent MatchRun::sums_block() const noexcept {
  const Geometry g = geometry();
  return {
      static_cast<int>(std::min<std::int64_t>(g.height, std::clamp<std::int64_t>(t_.height, sums_rows, 2 * sums_rows))),
      static_cast<int>(std::min<std::int64_t>(g.width, sums_columns))};
}

MatchRun::Extent MatchRun::direct_block(std::int64_t kernels) const noexcept {
  const Geometry g = geometry();
  const std::int64_t columns =
      std::min(g.width, std::max<std::int64_t>(64, direct_columns / std::max<std::int64_t>(1, t_.channels / 16)));
  const std::int64_t rows = direct_bytes / (4 * columns * std::max(kernels, t_.channels));
  return {static_cast<int>(std::min(g.height, std::clamp<std::int64_t>(rows, 4, 64))), static_cast<int>(columns)};
}

std::size_t MatchRun::scratch_bytes(std::int64_t kernels) const noexcept {
  const Extent sums = sums_block(), direct = direct_block(kernels);
  const auto pixels = [&](Extent e, std::int64_t spare) {
    return static_cast<std::size_t>(t_.channels * (e.rows + t_.height - 1) * (e.columns + t_.width - 1 + spare));
  };
  const std::size_t summing =
      std::max(WindowScratch::size(t_, sums.rows, sums.columns), window_map_scratch(t_, sums.rows, sums.columns)) *
      sizeof(double);
  const std::size_t blocks = whole_lines(pixels(direct, 0) * sizeof(float)) +
                             static_cast<std::size_t>(kernels * direct.rows * direct.columns) * sizeof(float);
  const Extent again{again_rows, again_columns};
  const std::size_t repeats = (pixels(again, 1) + WindowScratch::size(t_, again_rows, again_columns) +
                               std::size_t{again_rows} * again_columns * again_kernels) *
                              sizeof(double);
  const Geometry g = geometry();
  const std::size_t integers = may_use_integers() ? integer_blocks(t_, g.height, g.width).scratch : 0;
  return whole_lines(std::max({summing, blocks, repeats, integers}));
}

Status MatchRun::plan(std::size_t& bytes) noexcept {
  const Geometry g = geometry();
  for (const TemplateGroup& group : t_.groups) most_kernels_ = std::max(most_kernels_, group.count());
  const auto windows = static_cast<std::size_t>(g.height * g.width);
  const auto channels = static_cast<std::size_t>(t_.channels);
  const Extent block = sums_block();
  const auto blocks = static_cast<std::size_t>(quotient_up(g.height, block.rows) * quotient_up(g.width, block.columns));
  scratch_bytes_ = scratch_bytes(most_kernels_);
  fixed_bytes_ = whole_lines(windows * sizeof(float)) * (is_distance(t_.method) ? 2 : 1) +
                 whole_lines(static_cast<std::size_t>(t_.taps()) * sizeof(std::int32_t)) +
                 whole_lines((static_cast<std::size_t>(most_kernels_) + 2 * channels) * sizeof(float)) +
                 whole_lines(blocks * channels * sizeof(Moments)) +
                 scratch_bytes_ * static_cast<std::size_t>(options_.threads) + workspace_line;
  const bool copies = needs_copy() && !exactly_;
  const std::size_t copy_bytes = copies ? whole_lines(static_cast<std::size_t>(g.channels * g.channel_stride) * 4) : 0;
  fixed_bytes_ += copy_bytes;
  engine_options_ = options_;
  engine_options_.workspace = nullptr, engine_options_.workspace_size = 0;
  if (options_.workspace_limit > 0) {
    if (options_.workspace_limit <= fixed_bytes_) {
      char text[128];
      std::snprintf(text, sizeof text, "options.workspace_limit is %zu but this call needs more than %zu bytes",
                    options_.workspace_limit, fixed_bytes_);
      return {StatusCode::workspace_too_small, text};
    }
    engine_options_.workspace_limit = options_.workspace_limit - fixed_bytes_;
  }
  std::int64_t most = 0;
  for (const TemplateGroup& group : t_.groups) {
    const PackedBank& bank = *PackedBank::of(group.bank);
    CallPlan made;
    if (Status status = bank.plans->get(g, bank, engine_options_, made)) return status;
    engine_bytes_ = std::max(engine_bytes_, made.workspace_bytes);
    if (group.count() > most) plan_ = made, most = group.count();
  }
  integers_ = uses_integers();
  bytes = integers_ ? fixed_bytes_ - copy_bytes : fixed_bytes_ + whole_lines(engine_bytes_);
  return {};
}

void MatchRun::estimate_offsets() {
  offsets_ = t_.offsets;
  if (!offsets_.empty()) return;
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
  const Geometry g = geometry();
  source_ = {image_.data,  image_.dtype,          image_.channels,   image_.height,
             image_.width, image_.channel_stride, image_.row_stride, offsets_.data()};
  auto at = reinterpret_cast<std::uintptr_t>(workspace);
  at = (at + workspace_line - 1) / workspace_line * workspace_line;
  auto* memory = static_cast<char*>(workspace) + (at - reinterpret_cast<std::uintptr_t>(workspace));
  const auto take = [&memory](std::size_t bytes) {
    char* const taken = memory;
    memory += whole_lines(bytes);
    return taken;
  };
  const auto windows = static_cast<std::size_t>(g.height * g.width) * sizeof(float);
  const auto channels = static_cast<std::size_t>(t_.channels), kernels = static_cast<std::size_t>(most_kernels_);
  maps_ = {reinterpret_cast<float*>(take(windows)), nullptr, g.height, g.width};
  if (is_distance(t_.method)) maps_.energy = reinterpret_cast<float*>(take(windows));
  taps_ = reinterpret_cast<std::int32_t*>(take(static_cast<std::size_t>(t_.taps()) * sizeof(std::int32_t)));
  zeros_ = reinterpret_cast<float*>(take((kernels + 2 * channels) * sizeof(float)));
  std::fill_n(zeros_, kernels + channels, 0.0f);
  means_ = zeros_ + kernels + channels;
  for (std::size_t c = 0; c < channels; ++c) means_[c] = static_cast<float>(offsets_[c]);
  const Extent block = sums_block();
  const auto blocks = static_cast<std::size_t>(quotient_up(g.height, block.rows) * quotient_up(g.width, block.columns));
  moments_ = reinterpret_cast<Moments*>(take(blocks * channels * sizeof(Moments)));
  if (needs_copy() && !exactly_ && !integers_)
    copy_ = reinterpret_cast<float*>(take(static_cast<std::size_t>(g.channels * g.channel_stride) * 4));
  scratch_ = take(scratch_bytes_ * static_cast<std::size_t>(options_.threads));
  engine_ = memory;
  if (copy_ != nullptr) copy_image();
  const std::int64_t pitch = again_columns + t_.width;
  std::int32_t* tap = taps_;
  for (std::int64_t c = 0; c < t_.channels; ++c) {
    for (std::int64_t i = 0; i < t_.height; ++i) {
      for (std::int64_t j = 0; j < t_.width; ++j) {
        *tap++ = static_cast<std::int32_t>((c * (again_rows + t_.height - 1) + i) * pitch + j);
      }
    }
  }
}

template <typename Work>
void MatchRun::for_each_block(std::int64_t count, const Work& work) noexcept {
  struct Shared {
    MatchRun& run;
    const Work& work;
    std::int64_t count;
    std::atomic<std::int64_t> next{0};
  } shared{*this, work, count};
  const auto task = [](void* argument, int thread) {
    auto& s = *static_cast<Shared*>(argument);
    char* scratch = s.run.scratch_ + s.run.scratch_bytes_ * static_cast<std::size_t>(thread);
    for (std::int64_t i = s.next.fetch_add(1); i < s.count; i = s.next.fetch_add(1)) s.work(i, scratch);
  };
  run_tasks(options_, static_cast<int>(std::min<std::int64_t>(count, options_.threads)), task, &shared);
}

void MatchRun::copy_image() noexcept {
  for_each_block(image_.channels * image_.height, [this](std::int64_t row, char* /*scratch*/) {
    source_.read(row / image_.height, row % image_.height, 0, image_.width, copy_ + row * image_.width);
  });
}

void MatchRun::measure(const TemplateGroup& group) noexcept {
  if (integers_ && !is_normed(t_.method) && !is_centred(t_.method)) {
    std::fill_n(maps_.norm, maps_.height * maps_.width, 1.0f);
    return;
  }
  const Geometry g = geometry();
  const Extent size = sums_block();
  const std::int64_t across = quotient_up(g.width, size.columns), down = quotient_up(g.height, size.rows);
  largest_energy_ = 0;
  for_each_block(across * down, [&](std::int64_t i, char* scratch) {
    const std::int64_t y = i / across * size.rows, x = i % across * size.columns;
    const WindowBlock block{y, x, static_cast<int>(std::min<std::int64_t>(size.rows, g.height - y)),
                            static_cast<int>(std::min<std::int64_t>(size.columns, g.width - x))};
    auto* memory = reinterpret_cast<double*>(scratch);
    float* norm = maps_.norm + maps_.at(y, x);
    float* energy = maps_.energy != nullptr ? maps_.energy + maps_.at(y, x) : nullptr;
    float largest = 0;
    if (!group.masked()) {
      largest = make_window_maps(t_, source_, block, memory, norm, energy, maps_.width, moments_ + i * t_.channels);
    } else {
      WindowScratch scratch_of(t_, size.rows, size.columns, memory);
      const WindowSums sums = scratch_of.sum(t_, group, source_, block, moments_ + i * t_.channels);
      for (int row = 0; row < block.rows; ++row) {
        for (int column = 0; column < block.columns; ++column) {
          const auto e = static_cast<float>(sums.energy[row * sums.pitch + column]);
          norm[row * maps_.width + column] = static_cast<float>(sums.norm[row * sums.pitch + column]);
          if (energy != nullptr) energy[row * maps_.width + column] = e;
          largest = e > largest ? e : largest;
        }
      }
    }
    float before = largest_energy_.load(std::memory_order_relaxed);
    while (before < largest && !largest_energy_.compare_exchange_weak(before, largest)) {
    }
  });
  if (exactly_) {
    const std::int64_t windows = maps_.height * maps_.width;
    for (std::int64_t i = 0; i < windows; ++i) maps_.norm[i] = maps_.norm[i] == 0 ? -HUGE_VALF : -maps_.norm[i];
  } else if (is_normed(t_.method) && !integers_) {
    flag_flat_windows(group);
  }
}

// Rounding errors follow the energy of the pixels that a tile transforms together; where they are more than a score may be
// off by, norms become negative.
void MatchRun::flag_flat_windows(const TemplateGroup& group) noexcept {
  const Extent size = sums_block();
  const std::int64_t across = quotient_up(maps_.width, size.columns), down = quotient_up(maps_.height, size.rows);
  CallPlan made;
  const PackedBank& bank = *PackedBank::of(group.bank);
  if (bank.plans->get(geometry(), bank, engine_options_, made)) return;
  const bool fft = made.algorithm == Algorithm::fft;
  const std::int64_t reach_y = fft ? quotient_up(made.fft.rows->size, size.rows) : 0;
  const std::int64_t reach_x = fft ? quotient_up(made.fft.columns->size, size.columns) : 0;
  const double off = rounding(made.algorithm, t_.taps()) / tolerance;
  for_each_block(across * down, [&](std::int64_t i, char* /*scratch*/) {
    const std::int64_t block_y = i / across, block_x = i % across;
    double energy = 0;  // of a pixel, all channels
    for (std::int64_t c = 0; c < t_.channels; ++c) {
      Moments all;
      for (std::int64_t v = std::max<std::int64_t>(0, block_y - reach_y); v <= std::min(down - 1, block_y + reach_y);
           ++v) {
        for (std::int64_t u = std::max<std::int64_t>(0, block_x - reach_x);
             u <= std::min(across - 1, block_x + reach_x); ++u) {
          const Moments& m = moments_[(v * across + u) * t_.channels + c];
          if (!std::isfinite(m.energy)) continue;
          all.pixels += m.pixels, all.sum += m.sum, all.energy += m.energy;
        }
      }
      if (all.pixels == 0) continue;
      // In transforms a constant does not disturb templates whose sum is 0.
      const bool undisturbed = is_centred(t_.method) && made.algorithm != Algorithm::direct;
      const double mean = undisturbed ? all.sum / all.pixels : 0;
      energy += std::max(all.energy / all.pixels - mean * mean, 0.0);
    }
    const auto least = static_cast<float>(1 / (off * std::sqrt(energy * static_cast<double>(t_.height * t_.width))));
    const std::int64_t y = block_y * size.rows, x = block_x * size.columns;
    for (std::int64_t row = y; row < std::min(y + size.rows, maps_.height); ++row) {
      float* norm = maps_.norm + maps_.at(row, 0);
      for (std::int64_t column = x; column < std::min(x + size.columns, maps_.width); ++column) {
        norm[column] = norm[column] > least ? -norm[column] : norm[column];
      }
    }
  });
}

bool MatchRun::correlate(const TemplateGroup& group, ScoreSink& sink) noexcept {
  if (integers_) {
    correlate_integers(group, sink);
    return true;
  }
  const PackedBank& bank = *PackedBank::of(group.bank);
  const Geometry g = geometry();
  if (!exactly_) {
    CallPlan made;
    if (bank.plans->get(g, bank, engine_options_, made) || !prepare(made, bank)) return false;
    if (made.algorithm == Algorithm::direct) {
      correlate_in_blocks(group, sink);
    } else {
      const WorkspaceParts parts = workspace_parts(made, bank, engine_);
      TapMemory taps(parts.inner_taps, parts.outer_taps);
      Call call{g,
                bank,
                engine_options_,
                made.direct,
                copy_ != nullptr ? copy_ : static_cast<const float*>(image_.data),
                nullptr,
                0,
                taps};
      call.means = copy_ != nullptr ? zeros_ : means_;
      call.corrections = zeros_;
      call.workspace = parts.own;
      call.sink = &sink;
      run_algorithm(call, made);
    }
  }
  correlate_again(group, sink);
  return true;
}

// The direct algorithm, on blocks of the image without its offsets: what it sums is small where differences are.
void MatchRun::correlate_in_blocks(const TemplateGroup& group, ScoreSink& sink) noexcept {
  const PackedBank& bank = *PackedBank::of(group.bank);
  const Geometry whole = geometry();
  const Extent size = direct_block(most_kernels_);
  const std::int64_t across = quotient_up(whole.width, size.columns), down = quotient_up(whole.height, size.rows);
  const std::int64_t pitch = size.columns + t_.width - 1, plane = (size.rows + t_.height - 1) * pitch;
  Geometry g = whole;
  g.height = size.rows, g.width = size.columns, g.channel_stride = plane, g.row_stride = pitch;
  g.response_row_stride = size.columns;
  CallPlan full;
  full.direct = plan_direct(g, bank, 1);
  const WorkspaceParts parts = workspace_parts(full, bank, engine_);
  TapMemory taps(parts.inner_taps, parts.outer_taps);
  Options alone = engine_options_;
  alone.threads = 1, alone.executor = nullptr;
  for_each_block(across * down, [&](std::int64_t i, char* scratch) {
    const std::int64_t y = i / across * size.rows, x = i % across * size.columns;
    auto* pixels = reinterpret_cast<float*>(scratch);
    auto* sums =
        reinterpret_cast<float*>(scratch + whole_lines(static_cast<std::size_t>(t_.channels * plane) * sizeof(float)));
    Geometry part = g;
    part.height = std::min<std::int64_t>(size.rows, whole.height - y);
    part.width = std::min<std::int64_t>(size.columns, whole.width - x);
    for (std::int64_t c = 0; c < t_.channels; ++c) {
      for (std::int64_t row = 0; row < part.image_height(); ++row) {
        source_.read(c, y + row, x, part.image_width(), pixels + c * plane + row * pitch);
      }
    }
    const bool is_full = part.height == g.height && part.width == g.width;
    const std::int64_t kernel_stride = std::int64_t{size.rows} * size.columns;
    const Call call{part,   bank, alone,         is_full ? full.direct : plan_direct(part, bank, 1),
                    pixels, sums, kernel_stride, taps};
    run_direct(call);
    const Panel panel{sums,
                      0,
                      size.columns,
                      static_cast<int>(part.height),
                      static_cast<int>(part.width),
                      static_cast<int>(bank.count),
                      kernel_stride};
    const Tile tile{static_cast<std::int32_t>(y), static_cast<std::int32_t>(x), 0, 0};
    if (sink.take(0, panel, &tile, 1)) sink.refuse(tile, panel.rows, panel.columns);
  });
}

void MatchRun::correlate_integers(const TemplateGroup& group, ScoreSink& sink) noexcept {
  const IntegerBlocks size = integer_blocks(t_, maps_.height, maps_.width);
  const std::int64_t across = quotient_up(maps_.width, size.columns), down = quotient_up(maps_.height, size.rows);
  for_each_block(across * down, [&](std::int64_t i, char* scratch) {
    const std::int64_t y = i / across * size.rows, x = i % across * size.columns;
    const WindowBlock block{y, x, static_cast<int>(std::min<std::int64_t>(size.rows, maps_.height - y)),
                            static_cast<int>(std::min<std::int64_t>(size.columns, maps_.width - x))};
    detail::correlate_integers(t_, group, source_, offsets_.data(), block, scratch, sink);
  });
}

void MatchRun::correlate_again(const TemplateGroup& group, ScoreSink& sink) noexcept {
  const std::int64_t across = quotient_up(maps_.width, again_columns), down = quotient_up(maps_.height, again_rows);
  const std::int64_t pitch = again_columns + t_.width, plane = (again_rows + t_.height - 1) * pitch;
  const std::int64_t padded = round_up(group.count(), exact_kernels);
  for_each_block(across * down, [&](std::int64_t i, char* scratch) {
    const std::int64_t y = i / across * again_rows, x = i % across * again_columns;
    const int rows = static_cast<int>(std::min<std::int64_t>(again_rows, maps_.height - y));
    const int columns = static_cast<int>(std::min<std::int64_t>(again_columns, maps_.width - x));
    int first = rows, end = 0;  // rows with windows to do again
    for (int row = 0; row < rows; ++row) {
      const float* norm = maps_.norm + maps_.at(y + row, x);
      if (std::none_of(norm, norm + columns, [](float n) { return n < 0; })) continue;
      first = std::min(first, row), end = row + 1;
    }
    if (first >= end) return;
    const WindowBlock block{y + first, x, end - first, columns};
    auto* pixels = reinterpret_cast<double*>(scratch);
    double* sums = pixels + t_.channels * plane;
    WindowScratch memory(t_, again_rows, again_columns,
                         sums + std::ptrdiff_t{again_rows} * again_columns * again_kernels);
    for (std::int64_t c = 0; c < t_.channels; ++c) {
      for (std::int64_t row = 0; row < block.rows + t_.height - 1; ++row) {
        double* to = pixels + c * plane + row * pitch;
        const std::int64_t width = columns + t_.width - 1;
        source_.read(c, block.y + row, x, width, to);
        std::fill(to + width, to + pitch, 0.0);
      }
    }
    const WindowSums windows = memory.sum(t_, group, source_, block, nullptr);
    const ScoreSink::Again again{block.y, x, block.rows, columns, again_columns, windows.norm, windows.energy};
    for (std::int64_t k = 0; k < padded; k += again_kernels) {
      const int kernels = static_cast<int>(std::min<std::int64_t>(again_kernels, padded - k));
      sum_exactly(*t_.target, {pixels, static_cast<std::ptrdiff_t>(pitch), taps_, static_cast<int>(t_.taps()),
                               group.exact.data() + k, static_cast<std::ptrdiff_t>(padded), kernels, sums, block.rows,
                               again_columns});
      for (int n = 0; n < kernels && k + n < group.count(); ++n) {
        sink.take_again(k + n, sums + std::ptrdiff_t{n} * block.rows * again_columns, again);
      }
    }
  });
}

float MatchRun::slack(const TemplateGroup& group, std::size_t k) const noexcept {
  if (is_normed(t_.method)) return static_cast<float>(6 * tolerance);
  // Integers, rounded to f32 if they are large.
  if (integers_ && is_integer(t_.method)) {
    return t_.largest_score <= 0x1p24 ? 0 : static_cast<float>(t_.largest_score * 0x1p-23);
  }
  const double largest = std::sqrt(static_cast<double>(largest_energy_.load(std::memory_order_relaxed)));
  return static_cast<float>(2 * 4e-6 * group.norm[k] * largest * (is_distance(t_.method) ? 2 : 1));
}

}  // namespace corrbank::detail
