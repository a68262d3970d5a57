/* What the C part of the test offers to the C++ part. */
#ifndef CORRBANK_TESTS_C_API_TEST_H
#define CORRBANK_TESTS_C_API_TEST_H

#ifdef __cplusplus
extern "C" {
#endif

/* Correlates an image of 2x5x10 with three kernels of 2x3x3 into responses of 3x3x8, through every verb of the C ABI.
 * Returns "" or what went wrong; the text lasts until the next call. */
const char* c_small_case(const char* target, const float* image, const float* kernels, float* responses);

/* Matches two templates of 5x6 in an image of 20x30, both of uint8_t: ccorr into scores of 2x16x25, and each template's best
 * place by ccoeff_normed into places [2][y, x]. Returns as above. */
const char* c_match_case(const char* target, const unsigned char* image, const unsigned char* templates, int* scores,
                         int* places);

#ifdef __cplusplus
}
#endif

#endif
