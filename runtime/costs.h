// What the stages of each algorithm cost on a target, and the sizes that suit its caches, as measured:
// generators/tuned/<target>.json, compiled in. Nanoseconds of one core where nothing else is said.
#pragma once

#include <array>
#include <cstddef>

#include "kernels.h"
#include "most_rows.h"

namespace corrbank::detail {

// A number for each row of a list of the tuned file, by its number there.
class PerRow {
 public:
  [[nodiscard]] constexpr double& of(int number) noexcept { return values_[static_cast<std::size_t>(number)]; }
  [[nodiscard]] constexpr double of(int number) const noexcept { return values_[static_cast<std::size_t>(number)]; }

 private:
  std::array<double, most_rows> values_{};
};

struct DirectCosts {
  double cycle_ns;           // of a cycle as the model counts them: 2 multiply-adds, or 2 loads
  double tile_overhead;      // cycles: zeroing, the loop's ends
  double position_overhead;  // cycles: addresses
  double unpacking;          // cycles a response of the pixels walk takes out of its panel
  double strip_overhead;     // cycles of a strip in each channel
  double strip_zero;         // cycles of a vector of responses that strips then add to
  double line_crossing;      // loads that one across the end of a cache line counts more
  // Factors:
  double few_sums_delay;  // on a tile with no more sums than are under way at once: any delay shows
  double pixel_reloads;   // on a pixels tile: a pointer for each pixel is more than there are general registers
  double strip_spills;    // on a strip's taps: not all sums and operands fit the registers
  double image_from_l2;   // on the sums of a rows tile whose image does not stay in L1
  double image_once;      // on those of 1x1 kernels, whose tiles share nothing of the image
  PerRow rows;            // on all cycles of a row's tiles
  // Nanoseconds of a byte of the image beyond what the caches hold: where the processor fetches it ahead, where not.
  double streamed_byte, uncached_byte;
  double l1_bytes;      // of the image under a tile, in L1
  double cached_bytes;  // of the image
};

struct WinogradCosts {
  double scale;  // factor on all of it
  // A vector of V, by the size of the tiles.
  double input_8x8, input_8x8_rows, input_6x6, input_4x4, input_1x8;
  PerRow product;  // a vector multiply-add
  double step;     // of a tile of sums to its next channel, beside the multiply-adds
  double sum;      // a vector of a tile of sums: set to zero, stored
  double output;   // a vector of responses from the products
  // A row of a tile on its way to the responses, where lanes run over tiles and over kernels.
  double scatter_tiles, scatter_kernels;
  double panel;             // calling the kernels for a panel of a block
  double call;              // what every call takes
  double bank_byte;         // of the form of the bank that is read from behind L2
  double uncached_byte;     // of image and responses beyond what the caches hold
  double form_byte;         // of the form of a bank that is made
  double l2_bytes;          // of a bank that stays in L2
  double cached_bytes;      // of image and responses
  double last_level_bytes;  // of bank, image and responses, before the last level of caches misses
};

// A number for each size of transform; 0 for those that the target has none of.
class PerSize {
 public:
  [[nodiscard]] constexpr double& of(int size) noexcept { return values_[index(size)]; }
  [[nodiscard]] constexpr double of(int size) const noexcept { return values_[index(size)]; }

 private:
  static constexpr std::array<int, 8> sizes_{16, 24, 32, 48, 64, 96, 128, 256};
  static constexpr std::size_t index(int size) noexcept {
    std::size_t i = 0;
    while (sizes_[i] != size) ++i;
    return i;
  }
  std::array<double, sizes_.size()> values_{};
};

struct FftCosts {
  double scale;  // factor on all of it
  // As many transforms as the target's FFT has lanes.
  PerSize rows_forward, columns_forward, columns_inverse, rows_inverse;
  PerRow product;        // as many complex multiply-adds
  double product_sum;    // as many sums: set to zero, stored
  double filled;         // as many zeros in spectra, or pixels of a copy
  double scatter;        // a response
  double call;           // what every call takes
  double uncached_byte;  // of slabs of few channels and of forms, where the caches do not hold them
  double slab_byte;      // of slabs of many channels, there and back
  double form_byte;      // of the form of a bank that is made
  double l2_bytes;       // of what a thread of the order for few channels works on
  double cached_bytes;   // of image and responses, or of a form
};

// Sizes of blocks, and what is fetched ahead or stored past the caches: a matter of speed alone, no response depends on them.
struct Blocks {
  double direct_chunk_bytes;       // of the image that all kernels see before the next part of it
  double winograd_tiles_bytes;     // of the transforms of a block of tiles
  double winograd_finished_bytes;  // of responses that are transformed back before they are moved
  double winograd_channels_ahead;  // that tiles are fetched ahead of their transforms
  double winograd_near_bytes;      // of image and responses that are not fetched ahead: they are near as they are
  double fft_places;               // lane groups of tiles in a block
  double fft_slab_bytes;           // that are read in order before their columns are transformed
  double fft_near_bytes;           // of image and responses, as of Winograd
  double fft_lines_ahead;          // of the image, as many at most as are fetched ahead of their transforms
  double fft_finished_bytes;       // of responses that are transformed back before they are moved
  double streamed_bytes;           // of responses, from where on they are stored past the caches
  // Shares of the work that threads take:
  double direct_tasks_per_thread;
  double winograd_pieces_per_thread;  // of the transforms of shared blocks
};

struct Costs {
  DirectCosts direct;
  WinogradCosts winograd;
  FftCosts fft;
  Blocks blocks;
};

// Of a target of the CPU.
const Costs& costs(const Target& target) noexcept;

}  // namespace corrbank::detail
