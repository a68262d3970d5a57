// Banks and images over which plans of the direct algorithm take every row of a target: a row that none of them needs is dead weight,
// which tools/tune leaves out and targets_test.cpp does not let pass.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace corrbank_test {

struct SweptBank {
  std::int64_t channels, size, count;  // of `count` kernels of size x size
};
inline std::vector<SweptBank> swept_banks() {
  std::vector<SweptBank> banks;
  for (const std::int64_t channels : {1, 3, 16, 64, 512}) {
    for (const std::int64_t size : {1, 3, 5, 9}) {
      for (std::int64_t count = 1; count <= 130; count += count < 35 ? 1 : 13) banks.push_back({channels, size, count});
    }
  }
  return banks;
}

// Of responses.
constexpr std::int64_t swept_widths[] = {1, 3, 7, 8, 14, 16, 40, 56, 198, 254, 640};
constexpr std::int64_t swept_height(std::int64_t width) { return std::min<std::int64_t>(width, 254); }

}  // namespace corrbank_test
