#include "stages.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "costs.h"
#include "fft/passes.h"

namespace corrbank_tune {

using namespace corrbank::detail;

namespace {

constexpr double seconds_each = 0.02;
constexpr int least_calls = 5;

template <typename Call>
double best_nanoseconds(Call call) {
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  double best = 1e300;
  for (int n = 0; n < least_calls || Clock::now() - begin < std::chrono::duration<double>(seconds_each); ++n) {
    const auto start = Clock::now();
    call();
    best = std::min(best, std::chrono::duration<double, std::nano>(Clock::now() - start).count());
  }
  return best;
}

}  // namespace

void measure_passes() {
  const FftTarget& target = *all_fft_targets().begin();
  const int lanes = target.lanes;
  for (const FftSize& size : all_fft_sizes()) {
    const auto n = static_cast<std::size_t>(size.size), element = 2 * static_cast<std::size_t>(lanes);
    // Square tiles one after the other, as many as stay in L2 together with what is made of them, of 256 KiB.
    const std::size_t tile = n * (n + 1) * static_cast<std::size_t>(lanes);
    const std::size_t tiles = std::max<std::size_t>(1, (256 << 10) / (tile * sizeof(float)));
    const std::size_t rows = tiles * n;
    // Rows of an image begin anywhere in a line of the caches.
    const auto stride = static_cast<std::ptrdiff_t>(n + 1);
    std::vector<float> image(tiles * tile, 1.0f), spectra(n * (rows + 1) * element), panel(tile);
    std::vector<std::int32_t> offsets(static_cast<std::size_t>(lanes)), stored(offsets.size());
    std::vector<float> shifts(offsets.size(), 0.0f);
    for (std::size_t l = 0; l < offsets.size(); ++l) {
      offsets[l] = static_cast<std::int32_t>(l * n * (n + 1));
      stored[l] = static_cast<std::int32_t>(l * n);
    }
    // As runs have them: a row's bins lie apart by all its rows, a column's elements side by side.
    const auto apart = static_cast<std::ptrdiff_t>(element);
    const auto by_row = [&](std::size_t t) {
      return Spectra{spectra.data() + t * n * element, apart, apart * static_cast<std::ptrdiff_t>(rows + 1)};
    };
    const Spectra by_column{spectra.data(), apart, apart * static_cast<std::ptrdiff_t>(n)};
    const int count = size.size;
    const auto each_tile = [&](const auto& call) {
      return [tiles, call] {
        for (std::size_t t = 0; t < tiles; ++t) call(t);
      };
    };
    const auto set = [&](const char* pass, const auto& call) {
      const std::string name = std::string("fft.") + pass + ".of(" + std::to_string(size.size) + ")";
      *find_coefficient(name) = best_nanoseconds(call) / static_cast<double>(rows);
    };
    set("rows_forward", each_tile([&](std::size_t t) {
          rows_forward(size, lanes, image.data() + t * tile, offsets.data(), shifts.data(), stride, count, by_row(t));
        }));
    // Zeros stay zeros however often they are transformed in place.
    std::fill(spectra.begin(), spectra.end(), 0.0f);
    set("columns_forward", [&] { columns_forward(size, lanes, by_column, by_column, static_cast<int>(rows)); });
    set("columns_inverse", [&] { columns_inverse(size, lanes, by_column, by_column, static_cast<int>(rows)); });
    set("rows_inverse", each_tile([&](std::size_t t) {
          rows_inverse(size, lanes, by_row(t), panel.data(), stored.data(), stride * lanes, count, size.size);
        }));
  }
}

}  // namespace corrbank_tune
