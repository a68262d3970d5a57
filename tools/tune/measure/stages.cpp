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
    // As many rows or columns as stay in L2 together with what is made of them, of 256 KiB.
    const int count = std::max(4, (256 << 10) / static_cast<int>(n * element * sizeof(float)));
    const auto rows = static_cast<std::size_t>(count);
    std::vector<float> image(n * rows * static_cast<std::size_t>(lanes), 1.0f);
    std::vector<float> spectra(n * (rows + 1) * element, 1.0f), panel(image.size());
    std::vector<std::int32_t> offsets(static_cast<std::size_t>(lanes));
    std::vector<float> shifts(offsets.size(), 0.0f);
    for (std::size_t l = 0; l < offsets.size(); ++l) offsets[l] = static_cast<std::int32_t>(l * n * rows);
    const auto stride = static_cast<std::ptrdiff_t>(element);
    // As runs have them: a row's bins lie apart by all its rows, a column's elements side by side.
    const Spectra by_row{spectra.data(), stride, stride * static_cast<std::ptrdiff_t>(rows + 1)};
    const Spectra by_column{spectra.data(), stride, stride * static_cast<std::ptrdiff_t>(n)};
    const auto set = [&](const char* pass, auto call) {
      const std::string name = std::string("fft.") + pass + ".of(" + std::to_string(size.size) + ")";
      *find_coefficient(name) = best_nanoseconds(call) / count;
    };
    set("rows_forward",
        [&] { rows_forward(size, lanes, image.data(), offsets.data(), shifts.data(), size.size, count, by_row); });
    // Zeros stay zeros however often they are transformed in place.
    std::fill(spectra.begin(), spectra.end(), 0.0f);
    set("columns_forward", [&] { columns_forward(size, lanes, by_column, by_column, count); });
    set("columns_inverse", [&] { columns_inverse(size, lanes, by_column, by_column, count); });
    set("rows_inverse",
        [&] { rows_inverse(size, lanes, by_row, panel.data(), offsets.data(), size.size, count, size.size); });
  }
}

}  // namespace corrbank_tune
