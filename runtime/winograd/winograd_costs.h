// What the stages of Winograd's method cost on each target: data, measured.
#pragma once

namespace corrbank::detail {

// Nanoseconds of one core.
struct WinogradCosts {
  const char* target;
  double input;    // a vector of V
  double product;  // a vector multiply-add
  double channel;  // a step of a tile of sums to its next channel, on top of the multiply-adds
  double output;   // a vector of M on its way to responses
  double scatter;  // a row of a tile of responses
  double panel;    // what calling the kernels for a panel takes
};

const WinogradCosts& winograd_costs(const char* target) noexcept;

}  // namespace corrbank::detail
