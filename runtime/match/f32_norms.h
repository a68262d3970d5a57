// What f32 sums over windows have to be for norms of them. Included once lanes_*.h has said for which processor.
#pragma once

namespace corrbank::detail::CORRBANK_LANES {

// Energies of windows are at most so many times what is left without their means, or their rounding errors are too large for f32;
// and large enough not to lose digits themselves.
constexpr float most_energy = 4, least_energy = 1e-30f, largest_energy = 1e38f;

CORRBANK_FOR_LANES inline float largest_of(Vector values) noexcept {
  float each[lanes];
  store(each, values);
  return *std::max_element(each, each + lanes);
}

// The first `count` of a vector of norms, and the largest energies. Whether the norms are exact enough.
CORRBANK_FOR_LANES inline bool store_norms(Vector norm, Vector energy, int count, float* to, Vector& largest) noexcept {
  const unsigned exist = count >= lanes ? (1U << lanes) - 1 : (1U << count) - 1;
  const unsigned enough =
      less(energy, norm * all(most_energy)) & less(all(least_energy), energy) & less(energy, all(largest_energy));
  store_first(count, to, inverse_root(norm));
  largest = max_of_first(count, largest, energy);
  return (exist & ~enough) == 0;
}

}  // namespace corrbank::detail::CORRBANK_LANES
