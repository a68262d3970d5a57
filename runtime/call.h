// One call of correlate(), as the algorithms get it: everything is valid, planned and prepared.
#pragma once

#include <cstddef>
#include <cstdint>

#include "bank.h"
#include "corrbank/options.hpp"
#include "direct/direct.h"
#include "geometry.h"

namespace corrbank::detail {

// Parts of a workspace begin at multiples of this many bytes, a line of the caches.
constexpr std::size_t workspace_line = 64;
constexpr std::size_t whole_lines(std::size_t bytes) noexcept {
  return (bytes + workspace_line - 1) / workspace_line * workspace_line;
}

class Sink;

struct Call {
  Geometry geometry;
  const PackedBank& bank;
  const Options& options;
  DirectPlan direct;   // what runs, or what redoes the tiles that other algorithms must not answer for
  const float* image;  // first element
  float* responses;
  std::int64_t response_kernel_stride;  // 0 for a single kernel
  TapMemory& taps;                      // the tables of direct.taps

  // Of winograd and fft:
  const float* means = nullptr;        // [channels]: what is taken off each element of a channel (offsets.h)
  const float* corrections = nullptr;  // [kernels]: what that took off each response, for scatter() to give back
  bool tile_means = false;             // fft takes each tile's own means off too, of which responses see nothing
  bool stream = false;                 // responses are stored past the caches (scatter.h)
  char* workspace = nullptr;           // aligned to 64 bytes; as many as the algorithm's plan asked for
  Sink* sink = nullptr;                // takes the tiles (scatter.h) instead of `responses`

  // Of the image and of all responses.
  [[nodiscard]] double bytes() const noexcept { return geometry.image_bytes() + geometry.response_bytes(bank.count); }
};

// What a plan has to keep to.
struct Limits {
  int threads;            // that may take part; what is computed must not depend on it
  std::size_t workspace;  // bytes of Call::workspace at most; SIZE_MAX: the algorithm's own default
  double preparation;     // how much of preparing a form counts as part of the call: 0 (nothing) to 1 (all of it)
};

}  // namespace corrbank::detail
