// What find() settles in f64 takes a twentieth of its time less by these than by two lanes: 32 templates of 3x32x32 (2026-11-28, AMD
// EPYC "Zen 4"). Included once lanes_*.h has said for which processor.
#pragma once

#include <numeric>

#include "match/f32_stages.h"

namespace corrbank::detail::CORRBANK_LANES {
constexpr int total_parts = product_lanes / double_lanes;

CORRBANK_FOR_LANES inline double total(const Doubles (&parts)[total_parts]) noexcept {
  double each[product_lanes];
  for (int n = 0; n < total_parts; ++n) store(each + n * double_lanes, parts[n]);
  return std::accumulate(each, each + product_lanes, 0.0);
}

static CORRBANK_FOR_LANES WindowTotals window_totals(const WindowPixels& window, const double* weights,
                                                     double (&products)[product_lanes]) noexcept {
  const Doubles offset = all(window.offset);
  Doubles product[total_parts], plain[total_parts], energy[total_parts];
  for (int n = 0; n < total_parts; ++n) {
    product[n] = load(products + n * double_lanes);
    plain[n] = energy[n] = all(0.0);
  }
  const float* row = window.data;
  for (int y = 0; y < window.high; ++y, row += window.row_stride, weights += window.wide) {
    for (int x = 0; x < window.wide; x += product_lanes) {
      for (int n = 0; n < total_parts; ++n) {
        const int at = x + n * double_lanes, left = window.wide - at;
        if (left <= 0) break;
        const Doubles values = widen_first_less(left, row + at, offset);
        product[n] = multiply_add(values, load_first(left, weights + at), product[n]);
        plain[n] += values, energy[n] = multiply_add(values, values, energy[n]);
      }
    }
  }
  for (int n = 0; n < total_parts; ++n) store(products + n * double_lanes, product[n]);
  return {total(plain), total(energy)};
}

}  // namespace corrbank::detail::CORRBANK_LANES
