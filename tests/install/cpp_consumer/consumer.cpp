// A kernel of ones over an image of 0, 1, 2, ...: each response is the sum of its window.
#include <corrbank/corrbank.hpp>
#include <cstdio>
#include <vector>

int main() {
  constexpr int channels = 2, height = 5, width = 9, size = 3;
  std::vector<float> image(channels * height * width), kernel(channels * size * size, 1.0f);
  for (std::size_t i = 0; i < image.size(); ++i) image[i] = static_cast<float>(i);
  std::vector<float> responses((height - size + 1) * (width - size + 1));

  corrbank::Bank bank;
  auto status = corrbank::Bank::create({kernel.data(), 1, channels, size, size}, {}, bank);
  if (status.ok())
    status = corrbank::correlate({image.data(), channels, height, width}, bank,
                                 {responses.data(), 1, height - size + 1, width - size + 1});
  if (status) {
    std::fprintf(stderr, "consumer: %s\n", status.message());
    return 1;
  }

  for (int y = 0; y + size <= height; ++y)
    for (int x = 0; x + size <= width; ++x) {
      float sum = 0;
      for (int c = 0; c < channels; ++c)
        for (int i = 0; i < size; ++i)
          for (int j = 0; j < size; ++j) sum += image[(c * height + y + i) * width + x + j];
      if (responses[y * (width - size + 1) + x] != sum) {
        std::fprintf(stderr, "consumer: response (%d, %d) is wrong\n", y, x);
        return 1;
      }
    }
  std::printf("corrbank %s on %s\n", corrbank::version(), bank.target());
  return 0;
}
