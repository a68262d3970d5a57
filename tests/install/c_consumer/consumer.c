/* A kernel of ones over an image of 0, 1, 2, ...: each response is the sum of its window. */
#include <corrbank/corrbank.h>
#include <stdio.h>
#include <string.h>

enum { channels = 2, height = 5, width = 9, kernel_size = 3 };
enum { out_height = height - kernel_size + 1, out_width = width - kernel_size + 1 };

int main(void) {
  static float pixels[channels * height * width], weights[channels * kernel_size * kernel_size];
  static float out[out_height * out_width];
  corrbank_image image;
  corrbank_kernels kernels;
  corrbank_responses responses;
  corrbank_bank* bank = NULL;
  char message[224];
  int c, y, x, i, j, n;

  for (n = 0; n < channels * height * width; ++n) pixels[n] = (float)n;
  for (n = 0; n < channels * kernel_size * kernel_size; ++n) weights[n] = 1;

  memset(&image, 0, sizeof image);
  image.size = sizeof image;
  image.data = pixels;
  image.channels = channels;
  image.height = height;
  image.width = width;
  image.channel_stride = height * width;
  image.row_stride = width;
  memset(&kernels, 0, sizeof kernels);
  kernels.size = sizeof kernels;
  kernels.data = weights;
  kernels.count = 1;
  kernels.channels = channels;
  kernels.height = kernels.width = kernel_size;
  kernels.kernel_stride = channels * kernel_size * kernel_size;
  kernels.channel_stride = kernel_size * kernel_size;
  kernels.row_stride = kernel_size;
  memset(&responses, 0, sizeof responses);
  responses.size = sizeof responses;
  responses.data = out;
  responses.count = 1;
  responses.height = out_height;
  responses.width = out_width;
  responses.kernel_stride = out_height * out_width;
  responses.row_stride = out_width;

  if (corrbank_bank_create(&kernels, NULL, &bank, message) != CORRBANK_OK ||
      corrbank_correlate(&image, bank, &responses, NULL, message) != CORRBANK_OK) {
    fprintf(stderr, "consumer: %s\n", message);
    return 1;
  }
  for (y = 0; y < out_height; ++y) {
    for (x = 0; x < out_width; ++x) {
      float sum = 0;
      for (c = 0; c < channels; ++c)
        for (i = 0; i < kernel_size; ++i)
          for (j = 0; j < kernel_size; ++j) sum += pixels[(c * height + y + i) * width + x + j];
      if (out[y * out_width + x] != sum) {
        fprintf(stderr, "consumer: response (%d, %d) is wrong\n", y, x);
        return 1;
      }
    }
  }

  kernels.count = 0;
  if (corrbank_bank_create(&kernels, NULL, &bank, message) != CORRBANK_BAD_EXTENT) {
    fprintf(stderr, "consumer: a bank of no kernels was not refused\n");
    return 1;
  }
  printf("corrbank %s on %s\n", corrbank_version(), corrbank_bank_target(bank));
  corrbank_bank_destroy(bank);
  return 0;
}
