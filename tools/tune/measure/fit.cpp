#include "fit.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <stdexcept>

#include "costs.h"

namespace corrbank_tune {

using namespace corrbank::detail;

namespace {

// A coefficient twice its start costs as much as samples that miss by 7 % each. Fitted more closely to the few shapes of a search,
// the costs of Winograd missed those of others by more than what they start from did (2026-11-29: 42 random shapes, by 13 % rather
// than 7 %).
constexpr double stay = 1e-2;
constexpr double first_step = 0.5, last_step = 0.01;
constexpr double least = 1e-3;  // of a coefficient that starts at nothing

// Factors of the models are delays: none makes anything faster.
double lowest(const std::string& name) {
  static const char* const delays[] = {"direct.few_sums_delay", "direct.pixel_reloads", "direct.strip_spills",
                                       "direct.image_from_l2", "direct.image_once"};
  return std::find(std::begin(delays), std::end(delays), name) != std::end(delays) ? 1 : 0;
}

// Predicts one sample's time from the coefficients as they are: plans of the same rows, made again.
using Predict = std::function<double()>;

class Misfits {
 public:
  explicit Misfits(const std::vector<Sample>& samples) {
    for (const Sample& sample : samples) add(sample);
  }

  [[nodiscard]] double mean_square() const {
    double sum = 0, weights = 0;
    for (const Entry& e : entries_) {
      const double miss = std::log(e.predict() / e.nanoseconds);
      // Beyond a third the model has missed something that no coefficient tells.
      const double square = std::abs(miss) < 0.3 ? miss * miss : 0.3 * (2 * std::abs(miss) - 0.3);
      sum += e.weight * square;
      weights += e.weight;
    }
    return sum / weights;
  }

 private:
  struct Entry {
    Predict predict;
    double nanoseconds, weight;
  };

  void add(const Sample& sample) {
    const Shape& s = sample.shape;
    const auto bank = bank_for_plans(s);
    for (const Candidate& c : candidates(s, *bank)) {
      if (c.name == sample.name) return entries_.push_back({predictor(s, c, bank), sample.nanoseconds, sample.weight});
    }
    throw std::runtime_error("no candidate " + sample.name);
  }

  static Predict predictor(const Shape& s, const Candidate& c, const std::shared_ptr<PackedBank>& bank) {
    const Geometry g =
        geometry(corrbank::ImageView(static_cast<const float*>(nullptr), s.channels, s.height, s.width), *bank, 0);
    const Limits limits{1, SIZE_MAX, 0};
    switch (c.plan.algorithm) {
      case corrbank::Algorithm::winograd:
        return [=, t = c.plan.winograd.transform, p = c.plan.winograd.product] {
          WinogradPlan made{};
          plan_winograd_rows(*t, *p, g, *bank, limits, made);
          return made.nanoseconds;
        };
      case corrbank::Algorithm::fft:
        return [=, rows = FftRows{*c.plan.fft.rows, *c.plan.fft.columns, *c.plan.fft.product, c.plan.fft.many}] {
          FftPlan made{};
          plan_fft_rows(rows, g, *bank, limits, made);
          return made.nanoseconds;
        };
      default:
        return [=, segment = c.plan.direct.segments[0]] { return plan_direct_row(segment, g, *bank, 1).nanoseconds; };
    }
  }

  std::vector<Entry> entries_;
};

}  // namespace

Misfit fit(const std::vector<Sample>& samples, const std::vector<std::string>& names) {
  struct Unknown {
    double *value, start, lowest;
  };
  std::vector<Unknown> unknowns;
  for (const std::string& name : names) {
    double* value = find_coefficient(name);
    if (value == nullptr) throw std::runtime_error("no coefficient " + name);
    *value = std::max({*value, lowest(name), least});
    unknowns.push_back({value, *value, lowest(name)});
  }
  const Misfits misfits(samples);
  const auto loss = [&] {
    double moved = 0;
    for (const Unknown& u : unknowns) moved += std::pow(std::log(*u.value / u.start), 2);
    return misfits.mean_square() + stay * moved / static_cast<double>(unknowns.size());
  };
  const double before = std::sqrt(misfits.mean_square());
  double now = loss();
  for (double step = first_step; step > last_step;) {
    bool better = false;
    for (const Unknown& u : unknowns) {
      for (const double factor : {1 + step, 1 / (1 + step)}) {
        const double old = *u.value;
        *u.value = std::max(old * factor, u.lowest);
        const double changed = loss();
        if (changed < now * (1 - 1e-5)) {
          now = changed;
          better = true;
          break;
        }
        *u.value = old;
      }
    }
    if (!better) step /= 2;
  }
  return {before, std::sqrt(misfits.mean_square())};
}

}  // namespace corrbank_tune
