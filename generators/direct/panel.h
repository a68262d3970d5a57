// The panel between the pixels walk and the unpack kernel.
#pragma once

namespace corrbank_generators {

constexpr int panel_kernels = 16;  // of a vector; runtime/kernels.h calls it block_kernels

}  // namespace corrbank_generators
