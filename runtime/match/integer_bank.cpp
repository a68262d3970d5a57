#include "match/integer_bank.h"

#include <cstring>

#include "geometry.h"
#include "match/templates.h"

namespace corrbank::detail {
namespace {

// With so many taps no sum reaches 2^31.
constexpr std::int64_t most_taps = 0x7fffffff / (255 * 255);

// Puts a row of a template in its groups of taps, the last one filled up with zeros; `to` is its place in the first group.
template <typename Element>
void put_row(const double* taps, std::int64_t width, const DotsForm& form, std::size_t group_bytes,
             unsigned char* to) noexcept {
  for (std::int64_t j = 0; j < width; ++j) {
    const auto value = static_cast<Element>(taps[j]);
    std::memcpy(to + static_cast<std::size_t>(j / form.taps()) * group_bytes +
                    static_cast<std::size_t>(j % form.taps()) * sizeof value,
                &value, sizeof value);
  }
}

// A template, [channel][row][column], as number `kernel` of `kernels`.
void put(const PackedTemplates& t, const DotsForm& form, const double* taps, int kernel, int kernels,
         unsigned char* to) noexcept {
  const auto one = static_cast<std::size_t>(form.taps() * form.element_bytes());
  const std::size_t group_bytes = one * static_cast<std::size_t>(kernels);
  const auto row_bytes = static_cast<std::size_t>(tap_groups(form, t).of_row) * group_bytes;
  to += one * static_cast<std::size_t>(kernel);
  for (std::int64_t row = 0; row < t.channels * t.height; ++row, to += row_bytes, taps += t.width) {
    if (form.element_bytes() == 1) {
      put_row<std::uint8_t>(taps, t.width, form, group_bytes, to);
    } else {
      put_row<std::int16_t>(taps, t.width, form, group_bytes, to);
    }
  }
}

}  // namespace

TapGroups tap_groups(const DotsForm& form, const PackedTemplates& t) noexcept {
  const auto of_row = static_cast<int>(quotient_up(t.width, form.taps()));
  return {of_row, of_row * static_cast<int>(t.height)};
}

void IntegerBank::prepare(const PackedTemplates& t, const TemplateGroup& group) {
  if (t.taps() > most_taps) return;
  form = dots_form(*t.target);
  const auto groups = static_cast<std::size_t>(tap_groups(form, t).of_channel) * static_cast<std::size_t>(t.channels);
  const std::size_t template_bytes = groups * static_cast<std::size_t>(form.taps() * form.element_bytes());
  const auto taps = static_cast<std::size_t>(t.taps());
  const auto plane = static_cast<std::size_t>(t.height * t.width);
  weights.resize(template_bytes * group.ids.size());
  mask_weights.resize(template_bytes);
  std::vector<double> values(taps);
  for (std::size_t i = 0; i < taps; ++i) values[i] = group.masked() ? group.mask[i] : 1;
  put(t, form, values.data(), 0, 1, mask_weights.data());

  std::size_t at = 0;
  for (std::int64_t first = 0; first < group.count();) {
    const DotsRow* row = form.rows;
    while (row->kernels > group.count() - first) ++row;
    blocks.push_back({row, first, at});
    for (int kernel = 0; kernel < row->kernels; ++kernel) {
      const float* from =
          t.values.data() + static_cast<std::size_t>(group.ids[static_cast<std::size_t>(first + kernel)]) * taps;
      double sum = 0, energy = 0, all = 0;
      for (std::size_t i = 0; i < taps; ++i) {
        values[i] = group.masked() ? group.mask[i] * static_cast<double>(from[i]) : static_cast<double>(from[i]);
        sum += values[i], energy += values[i] * values[i];
        if ((i + 1) % plane != 0) continue;
        sums.push_back(sum);
        all += sum, sum = 0;
      }
      energies.push_back(energy);
      bias.push_back(static_cast<std::int32_t>(all * form.offset()));
      put(t, form, values.data(), kernel, row->kernels, weights.data() + at);
    }
    at += template_bytes * static_cast<std::size_t>(row->kernels);
    first += row->kernels;
  }
}

}  // namespace corrbank::detail
