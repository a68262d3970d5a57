// Large common offsets. An image of small differences around a large value loses them to rounding where an algorithm adds
// and subtracts before it multiplies. So winograd and fft take an estimate of each channel's mean off its elements, and
// give sum_c mean_c * (sum of the channel's taps) back to each response:
//
//   sum_cij I w = sum_cij (I - mean_c) w + sum_c mean_c sum_ij w
//
// Any estimate is right; a good one keeps the differences.
#pragma once

#include "bank.h"
#include "geometry.h"

namespace corrbank::detail {

// means[c] for each channel: of some elements spread over the image; 0 where that is small beside them, or not finite.
void estimate_means(const Geometry& geometry, const float* image, float* means) noexcept;

// The sums of each kernel's taps, channel by channel: a form of the bank. Null: no memory.
inline constexpr FormKey tap_sums_form{FormKey::tap_sums};
std::size_t tap_sums_bytes(const PackedBank& bank) noexcept;
const double* tap_sums(const PackedBank& bank) noexcept;

// corrections[k] for each kernel; tap_sums() has succeeded before.
void correct_for_means(const PackedBank& bank, const float* means, float* corrections) noexcept;

}  // namespace corrbank::detail
