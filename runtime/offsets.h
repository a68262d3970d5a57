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

// The sums of the taps, that the bank keeps: makes them. False: no memory.
bool prepare_offsets(const PackedBank& bank) noexcept;
// What they take, or will.
std::size_t offsets_bytes(const PackedBank& bank) noexcept;

// corrections[k] for each kernel, by the sums that were made before.
void correct_for_means(const PackedBank& bank, const float* means, float* corrections) noexcept;

}  // namespace corrbank::detail
