// Templates of u8, with masks of u8 if any, as integers are summed of them (dots.h).
//
// With an image of u8 all sums are integers below 2^31: r = sum M T I of a template, and of the mask S = sum M I and sums of M I^2.
// What scores are made of follows from them (method.h has the scores, templates.h what is correlated):
//   ccorr, sqdiff           r, and sum M I^2 - 2 r + sum M T^2
//   what f32 would give     r + sum over channels of factor S + add
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "match/dots.h"

namespace corrbank::detail {

struct PackedTemplates;
struct TemplateGroup;

struct IntegerBank {
  // Templates [first, first + row->kernels) of the group.
  struct Block {
    const DotsRow* row;
    std::int64_t first;
    std::size_t weights;  // where they begin
  };

  DotsForm form;  // empty: not these templates
  std::vector<Block> blocks;
  std::vector<unsigned char> weights,
      mask_weights;                // of the blocks; of one template whose taps are the mask, a row's form
  std::vector<std::int32_t> bias;  // by template: what makes r of sums without the form's offset
  std::vector<double> sums;        // [template][channel]: sum M T
  std::vector<double> energies;    // by template: sum M T^2

  // Throws std::bad_alloc.
  void prepare(const PackedTemplates& templates, const TemplateGroup& group);
  [[nodiscard]] std::size_t bytes() const noexcept {
    return weights.capacity() + mask_weights.capacity() + bias.capacity() * sizeof(std::int32_t) +
           (sums.capacity() + energies.capacity()) * sizeof(double) + blocks.capacity() * sizeof(Block);
  }
};

// Groups of taps in a template's row, in one of its channels.
struct TapGroups {
  int of_row, of_channel;
};
TapGroups tap_groups(const DotsForm& form, const PackedTemplates& templates) noexcept;

}  // namespace corrbank::detail
