// The panel between the pixels walk and the unpack kernel: [vector of block_kernels kernels][pixel][block_kernels].
#pragma once

namespace corrbank_generators {

constexpr int block_kernels = 16;  // runtime/kernels.h has the same

}  // namespace corrbank_generators
