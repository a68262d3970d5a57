// The FFT's passes, each alone and in cache: their coefficients as the cost model counts them.
#pragma once

namespace corrbank_tune {

// Sets fft.rows_forward, columns_forward, columns_inverse and rows_inverse of every size of the target.
void measure_passes();

}  // namespace corrbank_tune
