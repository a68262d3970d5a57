/* What the C part of the test offers to the C++ part. */
#ifndef CORRBANK_TESTS_C_API_TEST_H
#define CORRBANK_TESTS_C_API_TEST_H

#ifdef __cplusplus
extern "C" {
#endif

/* Correlates an image of 2x5x10 with three kernels of 2x3x3 into responses of 3x3x8, through every verb of the C ABI.
 * Returns "" or what went wrong; the text lasts until the next call. */
const char* c_small_case(const char* target, const float* image, const float* kernels, float* responses);

#ifdef __cplusplus
}
#endif

#endif
