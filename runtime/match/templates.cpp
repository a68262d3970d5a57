#include "match/templates.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "geometry.h"
#include "match/method.h"
#include "targets.h"
#include "validate.h"

namespace corrbank {

using detail::PackedTemplates;

namespace detail {
namespace {

std::int64_t place(const KernelsView& view, std::int64_t k, std::int64_t c, std::int64_t i) noexcept {
  return k * view.kernel_stride + c * view.channel_stride + i * view.row_stride;
}

// One template's mask, all channels of it.
std::vector<double> read_mask(const KernelsView& masks, std::int64_t k, const PackedTemplates& t) {
  std::vector<double> mask(static_cast<std::size_t>(t.taps()));
  double* out = mask.data();
  for (std::int64_t c = 0; c < t.channels; ++c) {
    for (std::int64_t i = 0; i < t.height; ++i) {
      const std::int64_t row = place(masks, masks.count == 1 ? 0 : k, masks.channels == 1 ? 0 : c, i);
      for (std::int64_t j = 0; j < t.width; ++j) {
        const double weight = element(masks.data, masks.dtype, row + j);
        *out++ = masks.dtype == DType::u8 ? (weight != 0 ? 1 : 0) : weight;
      }
    }
  }
  return mask;
}

bool all_finite(const std::vector<double>& values) noexcept {
  return std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
}

// Templates side by side with the same mask.
Status make_groups(const KernelsView* masks, PackedTemplates& t) {
  t.group_of.resize(static_cast<std::size_t>(t.count));
  t.place_in_group = t.group_of;
  for (std::int64_t k = 0; k < t.count; ++k) {
    std::vector<double> mask;
    if (masks != nullptr) mask = read_mask(*masks, k, t);
    if (!all_finite(mask)) return {StatusCode::bad_option, "a weight of the mask is not finite"};
    auto group = std::find_if(t.groups.begin(), t.groups.end(), [&](const TemplateGroup& g) { return g.mask == mask; });
    if (group == t.groups.end()) {
      t.groups.emplace_back();
      group = t.groups.end() - 1;
      group->mask = std::move(mask);
    }
    t.group_of[static_cast<std::size_t>(k)] = group - t.groups.begin();
    t.place_in_group[static_cast<std::size_t>(k)] = group->count();
    group->ids.push_back(k);
  }
  return {};
}

void sum_mask(const PackedTemplates& t, TemplateGroup& group) {
  const auto plane = static_cast<std::size_t>(t.height * t.width);
  for (std::int64_t c = 0; c < t.channels; ++c) {
    double sum = group.masked() ? 0 : static_cast<double>(plane), squares = sum;
    if (group.masked()) {
      const double* m = group.mask.data() + static_cast<std::size_t>(c) * plane;
      for (std::size_t i = 0; i < plane; ++i) {
        sum += m[i], squares += m[i] * m[i];
        for (const double weight : {m[i] * m[i], m[i], 0.0, 0.0}) group.mask_weights.push_back(weight);
      }
    }
    group.mask_sums.push_back(sum);
    group.mask_squares.push_back(squares);
  }
}

// What is taken off images and templates of distances: the templates' mean, as an integer, or a multiple of a power of two
// far below their differences, so that the differences stay exact. Of normed distances, which divide by the templates' norms, the
// mean nearest to 0 of any: no template has a larger norm without it, and rounding counts for no more.
void estimate_offsets(PackedTemplates& t) {
  const std::int64_t plane = t.height * t.width;
  const auto values = static_cast<double>(plane), all_values = static_cast<double>(t.count) * values;
  for (std::int64_t c = 0; c < t.channels; ++c) {
    double all = 0, squares = 0, lowest = HUGE_VAL, highest = -HUGE_VAL;
    for (std::int64_t k = 0; k < t.count; ++k) {
      const float* of_template = t.values.data() + (k * t.channels + c) * plane;
      double sum = 0;
      for (std::int64_t i = 0; i < plane; ++i) {
        const auto v = static_cast<double>(of_template[i]);
        sum += v, squares += v * v;
      }
      all += sum, lowest = std::min(lowest, sum / values), highest = std::max(highest, sum / values);
    }
    double mean = all / all_values;
    if (is_normed(t.method)) mean = std::clamp(0.0, lowest, highest);
    t.offsets.push_back(round_offset(mean, squares / all_values));
  }
}

// Numbers of a template that its group keeps.
struct Prepared {
  std::vector<double> correlated;    // [c][i][j]
  std::vector<double> channel_sums;  // of them
  double add = 0, scale = 0;
};

// The means that are taken off a template's channels, weighted by its mask.
std::vector<double> means_of(const PackedTemplates& t, const TemplateGroup& group, const float* values) {
  const std::int64_t plane = t.height * t.width;
  std::vector<double> sums(static_cast<std::size_t>(t.channels));
  double all = 0, mask_all = 0;
  for (std::int64_t c = 0; c < t.channels; ++c) {
    double sum = 0;
    for (std::int64_t i = c * plane; i < (c + 1) * plane; ++i) {
      sum += static_cast<double>(values[i]) * (group.masked() ? group.mask[static_cast<std::size_t>(i)] : 1);
    }
    const double weight = group.mask_sums[static_cast<std::size_t>(c)];
    sums[static_cast<std::size_t>(c)] = weight != 0 ? sum / weight : 0;
    all += sum, mask_all += weight;
  }
  if (t.method == Method::zncc) std::fill(sums.begin(), sums.end(), mask_all != 0 ? all / mask_all : 0);
  return sums;
}

Prepared prepare_template(const PackedTemplates& t, const TemplateGroup& group, const float* values) {
  const std::int64_t plane = t.height * t.width;
  const auto weight = [&](std::int64_t i) { return group.masked() ? group.mask[static_cast<std::size_t>(i)] : 1.0; };
  const bool centred = is_centred(t.method);
  std::vector<double> off(static_cast<std::size_t>(t.channels));
  if (centred) off = means_of(t, group, values);
  if (is_distance(t.method)) off = t.offsets;

  Prepared made;
  made.correlated.resize(static_cast<std::size_t>(t.taps()));
  double own_energy = 0, raw_energy = 0, difference_energy = 0;
  std::vector<double> weighted(static_cast<std::size_t>(t.channels));  // sum M T', for centred ones
  for (std::int64_t c = 0; c < t.channels; ++c) {
    for (std::int64_t i = c * plane; i < (c + 1) * plane; ++i) {
      const double m = weight(i), raw = static_cast<double>(values[i]) * m;
      const double less = (static_cast<double>(values[i]) - off[static_cast<std::size_t>(c)]) * m;
      made.correlated[static_cast<std::size_t>(i)] = less * m;
      weighted[static_cast<std::size_t>(c)] += less * m;
      raw_energy += raw * raw;
      difference_energy += less * less;
    }
  }
  own_energy = centred ? difference_energy : raw_energy;
  if (centred) {
    double all = 0, mask_all = 0;
    for (std::int64_t c = 0; c < t.channels; ++c) {
      all += weighted[static_cast<std::size_t>(c)], mask_all += group.mask_sums[static_cast<std::size_t>(c)];
    }
    for (std::int64_t c = 0; c < t.channels; ++c) {
      const auto at = static_cast<std::size_t>(c);
      const double sum = t.method == Method::zncc ? all : weighted[at];
      const double by = t.method == Method::zncc ? mask_all : group.mask_sums[at];
      if (by == 0) continue;
      for (std::int64_t i = c * plane; i < (c + 1) * plane; ++i) {
        made.correlated[static_cast<std::size_t>(i)] -= weight(i) * sum / by;
      }
    }
  }
  made.add = is_distance(t.method) ? difference_energy : 0;
  const bool empty = std::all_of(group.mask_squares.begin(), group.mask_squares.end(), [](double s) { return s == 0; });
  const bool constant = centred ? own_energy <= constant_template_below * raw_energy : own_energy == 0;
  const bool needs_energy = centred || is_normed(t.method);
  if (!std::isfinite(own_energy) || empty || (needs_energy && constant)) {
    std::fill(made.correlated.begin(), made.correlated.end(), 0.0);
    made.add = 0, made.scale = 0;
  } else {
    made.scale = is_normed(t.method) ? 1 / std::sqrt(own_energy) : 1;
  }
  if (t.method == Method::ccorr || t.method == Method::ccorr_normed) {
    for (std::int64_t c = 0; c < t.channels; ++c) {
      double sum = 0;
      for (std::int64_t i = c * plane; i < (c + 1) * plane; ++i) sum += made.correlated[static_cast<std::size_t>(i)];
      made.channel_sums.push_back(sum);
    }
  }
  return made;
}

Status prepare_group(PackedTemplates& t, TemplateGroup& group, const Options& options) {
  sum_mask(t, group);
  const auto taps = static_cast<std::size_t>(t.taps()), count = group.ids.size();
  const auto padded = static_cast<std::size_t>(round_up(group.count(), exact_kernels));
  group.exact.assign(taps * padded, 0.0);
  std::vector<float> kernels(taps * count);
  for (std::size_t g = 0; g < count; ++g) {
    const Prepared made = prepare_template(t, group, t.values.data() + static_cast<std::size_t>(group.ids[g]) * taps);
    for (std::size_t i = 0; i < taps; ++i) {
      group.exact[i * padded + g] = made.correlated[i];
      kernels[g * taps + i] = static_cast<float>(made.correlated[i]);
    }
    group.channel_sums.insert(group.channel_sums.end(), made.channel_sums.begin(), made.channel_sums.end());
    double squares = 0;
    for (const double value : made.correlated) squares += value * value;
    group.norm.push_back(std::sqrt(squares));
    group.add.push_back(made.add);
    group.scale.push_back(made.scale);
  }
  return Bank::create({kernels.data(), group.count(), t.channels, t.height, t.width}, options, group.bank);
}

// The largest ccorr or sqdiff that an image of u8 can have.
double largest_of(const PackedTemplates& t) noexcept {
  double largest = 0;
  const auto taps = static_cast<std::size_t>(t.taps());
  for (std::int64_t k = 0; k < t.count; ++k) {
    double sum = 0;
    for (std::size_t i = 0; i < taps; ++i) {
      const auto v = static_cast<double>(t.values[static_cast<std::size_t>(k) * taps + i]);
      const double away = std::max(v, 255 - v);
      sum += is_distance(t.method) ? away * away : v * 255;
    }
    largest = std::max(largest, sum);
  }
  return largest;
}

}  // namespace

double round_offset(double mean, double mean_square) noexcept {
  if (!std::isfinite(mean) || !std::isfinite(mean_square)) return 0;
  const double deviation = std::sqrt(std::max(mean_square - mean * mean, 0.0));
  if (deviation == 0 && mean == std::rint(mean)) return mean;
  const double step = deviation > 0 ? std::exp2(std::floor(std::log2(deviation)) - 6) : std::fabs(mean) * 0x1p-20;
  const double rounded = step > 0 ? std::rint(mean / step) * step : 0;
  return static_cast<double>(static_cast<float>(rounded));
}

Status PackedTemplates::prepare(const KernelsView& view, const KernelsView* masks, const Options& options) {
  count = view.count, channels = view.channels, height = view.height, width = view.width;
  values.resize(static_cast<std::size_t>(count * taps()));
  float* out = values.data();
  for (std::int64_t k = 0; k < count; ++k) {
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t i = 0; i < height; ++i) {
        for (std::int64_t j = 0; j < width; ++j) {
          *out++ = static_cast<float>(element(view.data, view.dtype, place(view, k, c, i) + j));
        }
      }
    }
  }
  integers = view.dtype == DType::u8 && (masks == nullptr || masks->dtype == DType::u8) && is_integer(method);
  if (is_distance(method)) estimate_offsets(*this);
  if (integers) largest_score = largest_of(*this);
  if (Status status = make_groups(masks, *this)) return status;
  for (TemplateGroup& group : groups) {
    if (Status status = prepare_group(*this, group, options)) return status;
  }
  target = PackedBank::of(groups.front().bank)->target;
  if (view.dtype == DType::u8 && (masks == nullptr || masks->dtype == DType::u8)) {
    for (TemplateGroup& group : groups) group.integers.prepare(*this, group);
  }
  return {};
}

}  // namespace detail

Templates::Templates(Templates&& other) noexcept : packed_(other.packed_) { other.packed_ = nullptr; }
Templates& Templates::operator=(Templates&& other) noexcept {
  std::swap(packed_, other.packed_);
  return *this;
}
Templates::~Templates() { delete packed_; }

Status Templates::create(const KernelsView& templates, Method method, const KernelsView* masks, const Options& options,
                         Templates& made) noexcept try {
  if (Status status = detail::validate_options(options)) return status;
  if (Status status = detail::validate_templates(templates, method, masks)) return status;
  const detail::Target* target = nullptr;
  if (Status status = detail::find_target(detail::target_name(templates.device, options), target)) return status;
  if (target->device == DeviceType::cuda) {
    return {StatusCode::target_unavailable, "target is cuda, which does not match templates; its Bank correlates"};
  }
  Templates templates_made;
  templates_made.packed_ = new PackedTemplates;
  templates_made.packed_->method = method;
  if (Status status = templates_made.packed_->prepare(templates, masks, options)) return status;
  made = std::move(templates_made);
  return {};
} catch (const std::bad_alloc&) {
  return {StatusCode::out_of_memory, "no memory for the templates"};
}

std::int64_t Templates::count() const noexcept { return packed_ != nullptr ? packed_->count : 0; }
std::int64_t Templates::channels() const noexcept { return packed_ != nullptr ? packed_->channels : 0; }
std::int64_t Templates::height() const noexcept { return packed_ != nullptr ? packed_->height : 0; }
std::int64_t Templates::width() const noexcept { return packed_ != nullptr ? packed_->width : 0; }
Method Templates::method() const noexcept { return packed_ != nullptr ? packed_->method : Method::ccorr; }
const char* Templates::target() const noexcept { return packed_ != nullptr ? packed_->target->name : ""; }

bool Templates::valid(std::int64_t k) const noexcept {
  if (packed_ == nullptr || k < 0 || k >= packed_->count) return false;
  const auto at = static_cast<std::size_t>(k);
  const detail::TemplateGroup& group = packed_->groups[static_cast<std::size_t>(packed_->group_of[at])];
  return group.scale[static_cast<std::size_t>(packed_->place_in_group[at])] != 0;
}

std::size_t Templates::bytes() const noexcept {
  if (packed_ == nullptr) return 0;
  std::size_t bytes = sizeof *packed_ + packed_->values.capacity() * sizeof(float);
  for (const detail::TemplateGroup& group : packed_->groups) {
    bytes += group.bank.bytes() + group.integers.bytes() + sizeof group;
    for (const auto* numbers : {&group.exact, &group.mask, &group.mask_weights, &group.channel_sums, &group.add}) {
      bytes += numbers->capacity() * sizeof(double);
    }
  }
  return bytes;
}

}  // namespace corrbank
