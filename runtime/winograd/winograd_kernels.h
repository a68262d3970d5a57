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
  int channels, tiles;  // at once, it was made for alone; 0: for any number
  int number;           // of the row, for its cost
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

// From a place of M with so many elements to the next, floats. The output transform reads all places of a tile, which share few lines
// of L1 if they are apart by multiples of 1 KiB: then it took 5 times as long (SSE4.1, 512 tiles of 8x8, 2026-11-28).
constexpr std::int64_t products_pitch(std::int64_t elements) noexcept {
  return elements % 256 == 0 ? elements + 16 : elements;
}

// M of one panel: [place][kernel][tile], or [place][tile][kernel] where lanes run over kernels.
struct WinogradSums {
  const float* panel;     // of the bank
  const float* tiles;     // V
  int pitch;              // of V
  int channels, at_once;  // so many are summed at once, then added to the sum of those before
  int tile_count;
  float* products;  // M
};
// What is done before each row of places.
struct BeforeRow {
  void (*call)(void* context, int row);
  void* context;
};
void multiply(const WinogradTransform& transform, const WinogradProduct& product, const WinogradSums& sums,
              const BeforeRow& before_row) noexcept;

// From M to responses, of kernels [first, first + count): [kernel][row][tile][column]; of tiles where lanes run over kernels:
// [tile][row][kernel][column].
void transform_output(const WinogradTransform& transform, const WinogradProduct& product, const float* products,
                      int tile_count, int first, int count, float* responses) noexcept;

}  // namespace corrbank::detail
