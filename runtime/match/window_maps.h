// Sums over windows without masks, on the target's own vectors: the norms and energies of whole images (windows.h has those of
// few windows, and with masks).
#pragma once

#include <cstddef>

#include "match/windows.h"

namespace corrbank::detail {

// Doubles of scratch for blocks of at most rows x columns windows.
std::size_t window_map_scratch(const PackedTemplates& templates, int rows, int columns) noexcept;

// Norms and energies of a block's windows to maps whose rows are `stride` apart; `energies` may be null. The
// largest energy.
float make_window_maps(const PackedTemplates& templates, const Source& source, const WindowBlock& block,
                       double* scratch, float* norms, float* energies, std::ptrdiff_t stride) noexcept;

}  // namespace corrbank::detail
