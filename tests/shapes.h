// The extents of a case, and the sweep over the extents at which kernels change their way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

namespace corrbank_test {

struct Shape {
  std::int64_t channels, height, width;  // of the image
  std::int64_t count, kernel_height, kernel_width;

  [[nodiscard]] std::int64_t response_height() const { return height - kernel_height + 1; }
  [[nodiscard]] std::int64_t response_width() const { return width - kernel_width + 1; }
  [[nodiscard]] std::int64_t taps() const { return channels * kernel_height * kernel_width; }
  [[nodiscard]] std::size_t image_size() const { return static_cast<std::size_t>(channels * height * width); }
  [[nodiscard]] std::size_t kernels_size() const { return static_cast<std::size_t>(count * taps()); }
  [[nodiscard]] std::size_t responses_size() const {
    return static_cast<std::size_t>(count * response_height() * response_width());
  }
  [[nodiscard]] std::int64_t products() const { return static_cast<std::int64_t>(responses_size()) * taps(); }
};

inline std::ostream& operator<<(std::ostream& out, const Shape& s) {
  return out << s.channels << "x" << s.height << "x" << s.width << " with " << s.count << " kernels of "
             << s.kernel_height << "x" << s.kernel_width;
}

// Pairwise: every number of channels, of kernels, of columns and of rows meets every kernel size; channels meet
// kernels, and both kernels and rows meet columns. The rest is drawn from a fixed seed. What would take long is drawn
// again, so that thousands of shapes fit into seconds.
inline std::vector<Shape> sweep_shapes() {
  constexpr std::int64_t max_products = 4'000'000;
  constexpr int lanes = 16;  // of the widest target
  std::vector<std::int64_t> counts, widths, heights;
  for (int n = 1; n <= 17; ++n) counts.push_back(n);
  for (int n : {49, 50, 51, 127, 128, 129}) counts.push_back(n);
  for (int n = 1; n <= 2 * lanes + 1; ++n) widths.push_back(n);
  widths.push_back(198);
  for (int n = 1; n <= 9; ++n) heights.push_back(n);
  heights.push_back(13);
  // {0, 0} is a kernel as large as the image, which is then as large as the responses of the other kernels.
  using Kernel = std::pair<std::int64_t, std::int64_t>;
  const std::vector<Kernel> kernels = {{1, 1}, {1, 7}, {7, 1}, {3, 3}, {5, 5}, {7, 7}, {11, 11}, {0, 0}};

  std::mt19937 random(20261123);
  const auto any = [&random](const auto& from) {
    return from[std::uniform_int_distribution<std::size_t>(0, from.size() - 1)(random)];
  };
  // Channels, kernels, rows and columns of the responses, kernel size.
  using Draw = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, Kernel>;
  std::vector<Shape> shapes;
  const auto add = [&](auto&& draw) {
    for (int tries = 0; tries < 200; ++tries) {
      const auto [channels, count, height, width, kernel] = draw();
      const Shape shape =
          kernel.first == 0
              ? Shape{channels, height, width, count, height, width}
              : Shape{channels,     height + kernel.first - 1, width + kernel.second - 1, count, kernel.first,
                      kernel.second};
      if (shape.products() > max_products) continue;
      shapes.push_back(shape);
      return;
    }
  };
  for (const auto& kernel : kernels) {
    for (std::int64_t n : counts) {
      add([&] { return Draw{n, any(counts), any(heights), any(widths), kernel}; });
      add([&] { return Draw{any(counts), n, any(heights), any(widths), kernel}; });
    }
    for (std::int64_t n : widths) add([&] { return Draw{any(counts), any(counts), any(heights), n, kernel}; });
    for (std::int64_t n : heights) add([&] { return Draw{any(counts), any(counts), n, any(widths), kernel}; });
  }
  for (std::int64_t channels : counts) {
    for (std::int64_t n : counts) add([&] { return Draw{channels, n, any(heights), any(widths), any(kernels)}; });
  }
  for (std::int64_t width : widths) {
    for (std::int64_t n : counts) add([&] { return Draw{any(counts), n, any(heights), width, any(kernels)}; });
    for (std::int64_t n : heights) add([&] { return Draw{any(counts), any(counts), n, width, any(kernels)}; });
  }
  // Few kernels of 3x3 have a walk of their own, in strips of up to 8 rows and 16 vectors.
  for (std::int64_t width : {255, 256, 257, 300, 517}) widths.push_back(width);
  const std::vector<std::int64_t> strip_heights = {2, 4, 5, 7, 8, 9, 13, 17};
  for (std::int64_t width : widths) {
    for (std::int64_t n = 1; n <= 7; ++n) {
      add([&] { return Draw{any(counts), n, any(strip_heights), width, Kernel{3, 3}}; });
    }
  }
  // Which walk is the fastest for them, few channels and many tell.
  for (const std::int64_t channels : {1, 512}) {
    for (const std::int64_t n : {1, 2, 4, 6}) {
      for (const std::int64_t height : {2, 6, 9}) {
        for (const std::int64_t width : {8, 16, 300}) {
          const Shape shape{channels, height + 2, width + 2, n, 3, 3};
          if (shape.products() <= 5 * max_products) shapes.push_back(shape);
        }
      }
    }
  }
  // Single rows long enough to be cut between threads.
  for (const auto& kernel : kernels) {
    for (std::int64_t width : {1600, 1601, 4200, 4201}) {
      add([&] { return Draw{any(counts), any(counts), 1, width, kernel}; });
    }
  }
  return shapes;
}

}  // namespace corrbank_test
