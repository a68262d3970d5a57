#include "problem.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <random>
#include <stdexcept>

#include "tests/plan_sweep.h"

namespace corrbank_tune {

using namespace corrbank::detail;
using corrbank::Algorithm;
using corrbank::Options;

namespace {

constexpr Limits one_thread{1, SIZE_MAX, 0};

std::string row_name(const char* over, int positions, int kernels) {
  return std::string(over) + "_" + std::to_string(positions) + "x" + std::to_string(kernels);
}

std::string constant(const char* name, int value) {
  return value == 0 ? "" : std::string("_") + name + std::to_string(value);
}

std::string sides(int a, int b) { return std::to_string(a) + "x" + std::to_string(b); }

Geometry geometry_of(const Shape& s, const PackedBank& bank) {
  return geometry(corrbank::ImageView(static_cast<const float*>(nullptr), s.channels, s.height, s.width), bank, 0);
}

// As many kernels as show a row's speed: a block of 16, or a tile if that is wider. Tiles may not cross blocks.
std::int64_t measured_kernels(const Kernel& kernel, std::int64_t count) {
  const int width = kernel.tile_kernels();
  if (kernel.walk == Walk::pixels) {
    return count >= width ? width : (width == block_kernels ? count : 0);
  }
  return std::min<std::int64_t>(count, block_kernels) / width * width;
}

void add_direct(std::vector<Candidate>& found, const Geometry& g, const PackedBank& bank) {
  for (const Kernel& kernel : all_kernels()) {
    Candidate c;
    c.kernels = measured_kernels(kernel, bank.count);
    c.tile_kernels = kernel.tile_kernels();
    c.plan.direct = plan_direct_row({&kernel, 0, c.kernels}, g, bank, 1);
    if (c.plan.direct.segment_count == 0) continue;
    choose(c.plan, bank, Algorithm::direct);
    c.name = std::string("direct/") + kernel.name;
    const TapTables& taps = c.plan.direct.taps;
    if (kernel.walk == Walk::rows && g.height > 1) {
      c.constants = "width=" + std::to_string(g.width) + ",inner_taps=" + std::to_string(taps.inner) +
                    ",outer_taps=" + std::to_string(taps.outer);
    }
    found.push_back(c);
  }
}

void add_winograd(std::vector<Candidate>& found, const Geometry& g, const PackedBank& bank) {
  for (const WinogradTransform& t : all_winograd_transforms()) {
    for (const WinogradProduct& p : all_winograd_products()) {
      Candidate c;
      if (plan_winograd_rows(t, p, g, bank, one_thread, c.plan.winograd) != nullptr) continue;
      c.plan.direct = plan_direct(g, bank, 1);
      c.kernels = bank.count;
      choose(c.plan, bank, Algorithm::winograd);
      const char* over = p.lanes_over == LanesOver::tiles ? "tiles" : "kernels";
      c.name = "winograd/" + sides(t.rows, t.columns) + "/" + row_name(over, p.positions, p.kernels) +
               constant("channels", p.channels) + constant("tile_count", p.tiles);
      c.constants = "channels=" + std::to_string(c.plan.winograd.channels_at_once) +
                    ",tile_count=" + std::to_string(c.plan.winograd.block_tiles);
      found.push_back(c);
    }
  }
}

void add_fft(std::vector<Candidate>& found, const Geometry& g, const PackedBank& bank) {
  for (const FftSize& rows : all_fft_sizes()) {
    for (const FftSize& columns : all_fft_sizes()) {
      if (rows.size < g.kernel_height || columns.size < g.kernel_width) continue;
      for (const FftProduct& product : all_fft_products()) {
        for (const bool many : {false, true}) {
          const FftRows choice{rows, columns, product, many};
          Candidate c;
          if (!worth_planning(choice, g)) continue;
          if (plan_fft_rows(choice, g, bank, one_thread, c.plan.fft) != nullptr) continue;
          c.plan.direct = plan_direct(g, bank, 1);
          c.kernels = bank.count;
          choose(c.plan, bank, Algorithm::fft);
          const char* over = product.over == FftLanes::tiles ? "tiles" : "kernels";
          c.name = "fft/" + sides(rows.size, columns.size) + "/" + row_name(over, product.positions, product.kernels) +
                   (many ? "/many" : "/few");
          found.push_back(c);
        }
      }
    }
  }
}

std::vector<float> random_floats(std::int64_t count, unsigned seed) {
  std::minstd_rand random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  std::generate(values.begin(), values.end(), [&] { return uniform(random); });
  return values;
}

}  // namespace

std::vector<Candidate> candidates(const Shape& shape, const PackedBank& bank) {
  std::vector<Candidate> found;
  const Geometry g = geometry_of(shape, bank);
  add_direct(found, g, bank);
  add_winograd(found, g, bank);
  add_fft(found, g, bank);
  return found;
}

bool planned(const std::string& algorithm, const Shape& shape, const PackedBank& bank, int threads, Candidate& c) {
  Options options;
  options.threads = threads;
  if (algorithm == "direct") options.algorithm = Algorithm::direct;
  if (algorithm == "winograd") options.algorithm = Algorithm::winograd;
  if (algorithm == "fft") options.algorithm = Algorithm::fft;
  c.name = "plan/" + algorithm;
  c.kernels = bank.count;
  return plan_call(geometry_of(shape, bank), bank, options, c.plan).ok();
}

std::shared_ptr<PackedBank> bank_for_plans(const Shape& s) {
  auto bank = std::make_shared<PackedBank>();
  bank->count = s.kernels, bank->channels = s.channels, bank->height = s.kernel_height, bank->width = s.kernel_width;
  bank->target = &the_target();
  return bank;
}

std::set<std::string> rows_in_plans() {
  std::set<std::string> rows;
  for (const auto [channels, size, count] : corrbank_test::swept_banks()) {
    for (const std::int64_t width : corrbank_test::swept_widths) {
      const std::int64_t height = corrbank_test::swept_height(width);
      const Shape shape{channels, height + size - 1, width + size - 1, count, size, size};
      const auto bank = bank_for_plans(shape);
      const DirectPlan plan = plan_direct(geometry_of(shape, *bank), *bank, 1);
      for (int s = 0; s < plan.segment_count; ++s) rows.insert(plan.segments[s].kernel->name);
    }
  }
  return rows;
}

const Target& the_target() { return *all_targets().begin(); }

Problem::Problem(const Shape& s)
    : shape_(s), image_(random_floats(s.channels * s.height * s.width, 1)),
      kernels_(random_floats(s.kernels * s.channels * s.kernel_height * s.kernel_width, 2)),
      responses_(static_cast<std::size_t>(s.kernels * s.response_height() * s.response_width())),
      image_view_(image_.data(), s.channels, s.height, s.width) {
  Options options;
  options.target = the_target().name;
  const corrbank::KernelsView kernels(kernels_.data(), s.kernels, s.channels, s.kernel_height, s.kernel_width);
  if (corrbank::Status status = corrbank::Bank::create(kernels, options, bank_))
    throw std::runtime_error(status.message());
}

bool Problem::prepare(const Candidate& candidate) {
  workspace_.resize(std::max(workspace_.size(), candidate.plan.workspace_bytes));
  return corrbank::detail::prepare(candidate.plan, bank());
}

double Problem::run(const Candidate& candidate, int threads) {
  Options options;
  options.threads = threads;
  const std::int64_t plane = shape_.response_height() * shape_.response_width();
  const Operands operands{image_.data(), responses_.data(), shape_.kernels > 1 ? plane : 0};
  const auto start = std::chrono::steady_clock::now();
  run_planned(geometry(image_view_, bank(), 0), bank(), options, candidate.plan, operands, workspace_.data());
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
}

double Problem::error(const Candidate& candidate) const {
  constexpr int looked_at = 100;
  const Shape& s = shape_;
  std::minstd_rand random(3);
  const auto draw = [&random](std::int64_t count) {
    return std::uniform_int_distribution<std::int64_t>(0, count - 1)(random);
  };
  double largest = 0;
  for (int i = 0; i < looked_at; ++i) {
    // The last row and column are where tiles end.
    const std::int64_t k = draw(candidate.kernels);
    const std::int64_t y = i % 4 == 0 ? s.response_height() - 1 : draw(s.response_height());
    const std::int64_t x = i % 3 == 0 ? s.response_width() - 1 : draw(s.response_width());
    double sum = 0, of_kernel = 0, of_window = 0;
    for (std::int64_t c = 0; c < s.channels; ++c) {
      for (std::int64_t dy = 0; dy < s.kernel_height; ++dy) {
        for (std::int64_t dx = 0; dx < s.kernel_width; ++dx) {
          const double w =
              kernels_[static_cast<std::size_t>(((k * s.channels + c) * s.kernel_height + dy) * s.kernel_width + dx)];
          const double v = image_[static_cast<std::size_t>((c * s.height + y + dy) * s.width + x + dx)];
          sum += v * w, of_kernel += w * w, of_window += v * v;
        }
      }
    }
    const float response = responses_[static_cast<std::size_t>((k * s.response_height() + y) * s.response_width() + x)];
    largest = std::max(largest, std::abs(response - sum) / std::sqrt(of_kernel * of_window));
  }
  return largest;
}

}  // namespace corrbank_tune
