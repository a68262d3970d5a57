// The tables of Winograd's kernels: what generators/tuned lists, as data. The only way the runtime knows them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels.h"

namespace corrbank::detail {

// F(rows x columns, kernel_rows x kernel_columns): tiles of rows x columns responses. A side of one tap is not transformed.
struct WinogradTransform {
  const char* target;
  int rows, kernel_rows, columns, kernel_columns;
  void (*input)();  // cast back by transform_input()
  void (*output)();

  [[nodiscard]] int tile_rows() const noexcept { return rows + kernel_rows - 1; }
  [[nodiscard]] int tile_columns() const noexcept { return columns + kernel_columns - 1; }
  [[nodiscard]] int places() const noexcept { return tile_rows() * tile_columns(); }
  // Those whose kernel transforms differ: along a side of one tap they are the same.
  [[nodiscard]] int bank_rows() const noexcept { return kernel_rows == 1 ? 1 : tile_rows(); }
  [[nodiscard]] int bank_columns() const noexcept { return kernel_columns == 1 ? 1 : tile_columns(); }
};

enum class LanesOver { tiles, kernels };

struct WinogradProduct {
  const char* target;
  LanesOver lanes_over;
  int positions;  // of a tile of sums: vectors of tiles, or tiles
  int kernels;    // kernels, or vectors of kernels
  int lanes;
  int channels, tiles;  // it was made for alone; 0: for any number
  void (*function)();   // cast back by multiply()

  [[nodiscard]] int panel_kernels() const noexcept {
    return lanes_over == LanesOver::tiles ? kernels : kernels * lanes;
  }
  // What a number of tiles must be a multiple of.
  [[nodiscard]] int tile_unit() const noexcept {
    return lanes_over == LanesOver::tiles ? positions * lanes : positions;
  }
};

Table<WinogradTransform> all_winograd_transforms() noexcept;
Table<WinogradProduct> all_winograd_products() noexcept;

// Lanes [0, count) of V, `pitch` floats from a place to the next; count is a multiple of the target's lanes.
struct WinogradInput {
  const float* image;
  std::int64_t row_stride;
  const std::int32_t* offsets;  // [count + ahead]: of the lane's first element
  const float* shifts;          // [count]: added to the lane's elements: a negated mean
  int count, ahead;
  float* tiles;
  int pitch;
};
void transform_input(const WinogradTransform& transform, const WinogradInput& input) noexcept;

// M of one panel: [place][kernel][tile], or [place][tile][kernel] where lanes run over kernels.
void multiply(const WinogradTransform& transform, const WinogradProduct& product, const float* panel,
              const float* tiles, int pitch, int channels, int tile_count, float* products) noexcept;

// From M to responses: [kernel][row][tile][column], or [tile][row][kernel][column].
void transform_output(const WinogradTransform& transform, const WinogradProduct& product, const float* products,
                      int tile_count, float* responses) noexcept;

}  // namespace corrbank::detail
