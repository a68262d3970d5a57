// Images and templates of u8 correlated in integers, block by block: raw scores without any error, and the correlations of the
// other methods rounded once.
#pragma once

#include <cstddef>
#include <cstdint>

#include "match/scores.h"
#include "match/source.h"
#include "match/templates.h"
#include "match/windows.h"

namespace corrbank::detail {

// Whether the templates can be, with an image of u8.
bool has_integers(const PackedTemplates& templates) noexcept;

// Blocks of an image of height x width windows.
struct IntegerBlocks {
  int rows, columns;
  std::size_t scratch;  // bytes of a block's
};
IntegerBlocks integer_blocks(const PackedTemplates& templates, std::int64_t height, std::int64_t width) noexcept;

// What that takes for a group of so many templates.
double integer_nanoseconds(const PackedTemplates& templates, std::int64_t kernels, std::int64_t height,
                           std::int64_t width) noexcept;

// Correlates a block of the image with a group's templates. `offsets`: what correlations in f32 take off the image's channels.
// `scratch` as integer_blocks() says, aligned to 64 bytes.
void correlate_integers(const PackedTemplates& templates, const TemplateGroup& group, const Source& source,
                        const double* offsets, const WindowBlock& block, char* scratch, ScoreSink& sink) noexcept;

}  // namespace corrbank::detail
