// The bank's kernels, transformed: U = G w G^T, in double, rounded once.
#include <algorithm>

#include "winograd.h"

namespace corrbank::detail {
namespace {

constexpr int max_points = 8, max_taps = 7;

// G of one side; 1 for a side of one tap.
struct SideMatrix {
  int rows, taps;
  double g[max_points][max_taps];
};

// The finite points of generators/winograd/cook_toom.cpp.
const double* points(int n) noexcept {
  static constexpr double of_4[] = {0, 1, -1}, of_6[] = {0, 0.75, -0.75, 1.5, -1.5};
  static constexpr double of_8[] = {0, 1, -1, 2, -2, 0.5, -0.5};
  return n == 4 ? of_4 : (n == 6 ? of_6 : of_8);
}

// Row i has the powers of point i over the product of its distances to the others, the last the highest power alone.
SideMatrix side_matrix(int tile, int taps) noexcept {
  SideMatrix side{taps == 1 ? 1 : tile, taps, {}};
  side.g[side.rows - 1][taps - 1] = 1;
  if (taps == 1) return side;
  const double* a = points(tile);
  for (int i = 0; i + 1 < tile; ++i) {
    double power = 1;
    for (int other = 0; other + 1 < tile; ++other) {
      if (other != i) power /= a[i] - a[other];
    }
    for (int tap = 0; tap < taps; ++tap, power *= a[i]) side.g[i][tap] = power;
  }
  return side;
}

struct Making {
  const PackedBank& bank;
  const WinogradPlan& plan;
};

// Kernels of a block of the packed bank, side by side: compilers make vectors of them.
using Group = double[block_kernels];

template <typename T>
void add(double factor, const T* from, int count, Group& to) noexcept {
  for (int k = 0; k < count; ++k) to[k] += factor * static_cast<double>(from[k]);
}

bool transform_kernels(const void* context, void* memory) noexcept {
  const auto& [bank, plan] = *static_cast<const Making*>(context);
  const WinogradTransform& t = *plan.transform;
  const std::int64_t width = plan.product->panel_kernels();
  const SideMatrix down = side_matrix(t.tile_rows(), t.kernel_rows);
  const SideMatrix across = side_matrix(t.tile_columns(), t.kernel_columns);
  auto* out = static_cast<float*>(memory);
  const std::int64_t place = bank.channels * width, panel = place * down.rows * across.rows;
  std::fill_n(out + (plan.panels - 1) * panel, panel, 0.0f);  // the last has kernels that do not exist
  for (std::int64_t first = 0; first < bank.count; first += block_kernels) {
    const float* tap = bank.kernel(first);
    const int count = bank.block_width(first);
    std::int64_t kernel[block_kernels] = {};  // where each begins
    for (int k = 0; k < count; ++k) kernel[k] = (first + k) / width * panel + (first + k) % width;
    for (std::int64_t c = 0; c < bank.channels; ++c) {
      Group half[max_points][max_taps] = {};  // G w
      for (int i = 0; i < down.taps; ++i) {
        for (int j = 0; j < across.taps; ++j, tap += count) {
          for (int row = 0; row < down.rows; ++row) add(down.g[row][i], tap, count, half[row][j]);
        }
      }
      for (int row = 0; row < down.rows; ++row) {
        for (int column = 0; column < across.rows; ++column) {
          Group sum = {};
          for (int j = 0; j < across.taps; ++j) add(across.g[column][j], half[row][j], count, sum);
          float* const to = out + (row * across.rows + column) * place + c * width;
          for (int k = 0; k < count; ++k) to[kernel[k]] = static_cast<float>(sum[k]);
        }
      }
    }
  }
  return true;
}

}  // namespace

const float* winograd_bank(const PackedBank& bank, const WinogradPlan& plan) noexcept {
  const Making making{bank, plan};
  return static_cast<const float*>(bank.forms.get(plan.form, plan.form_bytes, transform_kernels, &making));
}

bool prepare_winograd(const PackedBank& bank, const WinogradPlan& plan) noexcept {
  return winograd_bank(bank, plan) != nullptr;
}

}  // namespace corrbank::detail
