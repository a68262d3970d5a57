// Times what an autoscheduler made of the plain correlation. SYMBOL is its function; arguments: C H W K kh kw seconds. Prints the
// nanoseconds of the shortest call, and the largest error of some responses, relative to the largest response.
#include <HalideRuntime.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

extern "C" int SYMBOL(halide_buffer_t* image, halide_buffer_t* bank, halide_buffer_t* responses);

namespace {

struct Tensor {
  std::vector<float> data;
  std::vector<halide_dimension_t> dims;
  halide_buffer_t buffer{};

  explicit Tensor(const std::vector<int>& extents) {
    int stride = 1;
    for (const int extent : extents) {
      dims.emplace_back(0, extent, stride);
      stride *= extent;
    }
    data.resize(static_cast<std::size_t>(stride));
    buffer.host = reinterpret_cast<uint8_t*>(data.data());
    buffer.type = halide_type_t(halide_type_float, 32);
    buffer.dimensions = static_cast<int>(dims.size());
    buffer.dim = dims.data();
  }
  void fill(unsigned seed) {
    std::srand(seed);
    for (float& value : data) value = static_cast<float>(std::rand()) / static_cast<float>(RAND_MAX) - 0.5f;
  }
  [[nodiscard]] double at(int a, int b, int c, int d = 0) const {
    std::size_t i = static_cast<std::size_t>(a) +
                    static_cast<std::size_t>(b) * static_cast<std::size_t>(dims[1].stride) +
                    static_cast<std::size_t>(c) * static_cast<std::size_t>(dims[2].stride);
    if (dims.size() > 3) i += static_cast<std::size_t>(d) * static_cast<std::size_t>(dims[3].stride);
    return data[i];
  }
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 8) return 2;
  const auto extent = [&](int i) { return std::atoi(arguments[i]); };
  const int c = extent(1), h = extent(2), w = extent(3), k = extent(4), kh = extent(5), kw = extent(6);
  const double seconds = std::atof(arguments[7]);
  Tensor image({w, h, c}), bank({k, kw, kh, c}), responses({w - kw + 1, h - kh + 1, k});
  image.fill(1);
  bank.fill(2);
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double best = 1e300;
  for (int call = 0; call < 2 || Clock::now() - begin < std::chrono::duration<double>(seconds); ++call) {
    const auto start = Clock::now();
    if (SYMBOL(&image.buffer, &bank.buffer, &responses.buffer) != 0) return 1;
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  double worst = 0, largest = 0;
  for (int i = 0; i < 50; ++i) {
    const int x = i * 7919 % (w - kw + 1), y = i * 104729 % (h - kh + 1), n = i * 31 % k;
    double sum = 0;
    for (int z = 0; z < c; ++z) {
      for (int dy = 0; dy < kh; ++dy) {
        for (int dx = 0; dx < kw; ++dx) sum += bank.at(n, dx, dy, z) * image.at(x + dx, y + dy, z);
      }
    }
    largest = std::max(largest, std::abs(sum));
    worst = std::max(worst, std::abs(sum - responses.at(x, y, n)));
  }
  std::printf("%.0f %.3g\n", best, worst / largest);
  return 0;
}
