// The largest image that view.hpp allows: sizes that only just fit the kernels' 32-bit arithmetic.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "testing.h"

namespace corrbank_test {
namespace {

// Gigabytes of elements that all lie on the same few megabytes of a file, with a page behind that nobody may touch.
class RepeatedMemory {
 public:
  explicit RepeatedMemory(std::uint64_t elements) {
    if (elements > SIZE_MAX / 2 / sizeof(float)) return;
    const std::size_t bytes = static_cast<std::size_t>(elements) * sizeof(float);
    const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t mapped = (bytes + part - 1) / part * part;
    size_ = mapped + page;
    void* base = mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED) return;
    base_ = static_cast<char*>(base);
    const int file = memfd_create("corrbank_test", 0);
    bool good = file >= 0 && ftruncate(file, part) == 0;
    for (std::size_t at = 0; good && at < mapped; at += part) {
      good = mmap(base_ + at, part, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) != MAP_FAILED;
    }
    if (file >= 0) close(file);
    if (good) data_ = reinterpret_cast<float*>(base_ + mapped - bytes);
  }
  RepeatedMemory(const RepeatedMemory&) = delete;
  RepeatedMemory& operator=(const RepeatedMemory&) = delete;
  ~RepeatedMemory() {
    if (base_ != nullptr) munmap(base_, size_);
  }
  // Null where the system does not lend so much address space.
  [[nodiscard]] float* data() const { return data_; }
  static constexpr std::size_t part = std::size_t{64} << 20;

 private:
  std::size_t size_ = 0;
  char* base_ = nullptr;
  float* data_ = nullptr;
};

constexpr std::int64_t longest = 2147483647;

class Limits : public TargetTest {};

CORRBANK_FOR_EACH_CPU_TARGET(Limits);

TEST_P(Limits, TheLongestRows) {
  const RepeatedMemory image(longest), responses(longest);
  if (image.data() == nullptr || responses.data() == nullptr)
    GTEST_SKIP() << "16 GiB of address space are not to be had";
  constexpr std::int64_t period = RepeatedMemory::part / sizeof(float);
  const auto pixel = [](std::int64_t n) { return static_cast<float>(n % period % 251); };  // counted from the end
  for (std::int64_t n = 0; n < period; ++n) image.data()[longest - 1 - n] = pixel(n);
  const float weights[3] = {2, 3, 5};
  // One row, and two that a 1x1 kernel sees as one.
  for (const Shape& s :
       {Shape{1, 1, longest, 1, 1, 1}, Shape{1, 1, longest, 1, 1, 3}, Shape{1, 2, longest / 2, 1, 1, 1}}) {
    const auto size = static_cast<std::int64_t>(s.responses_size());
    ASSERT_TRUE(succeeded(corrbank::correlate(
        {image.data() + longest - s.height * s.width, 1, s.height, s.width}, {weights, 1, 1, 1, s.kernel_width},
        {responses.data() + longest - size, 1, s.height, s.response_width()}, options())));
    // The ends of the responses, all of whose memory the last of them share.
    for (std::int64_t n = 0; n < 4096; ++n) {
      float expected = 0;
      for (std::int64_t j = 0; j < s.kernel_width; ++j) expected += weights[j] * pixel(n + s.kernel_width - 1 - j);
      ASSERT_EQ(responses.data()[longest - 1 - n], expected) << s << ", " << n << " responses before the last";
    }
  }
}

}  // namespace
}  // namespace corrbank_test
