// What a call may be: the contract of view.hpp, options.hpp and corrbank.hpp in 128-bit arithmetic, where no product
// of two extents wraps. Shares nothing with runtime/validate.cpp, which it judges, and lists every rule that a call
// breaks: a refusal may name any of them.
#pragma once

#include <gtest/gtest.h>
#include <corrbank/corrbank.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <utility>
#include <vector>

#include "wide.h"

namespace corrbank_test {

struct Violation {
  corrbank::StatusCode code;
  const char* argument;  // that a message has to name
};
using Violations = std::vector<Violation>;

constexpr Wide largest_span = (Wide{1} << 31) - 1;
constexpr Wide largest_whole = Wide{1} << 60;
constexpr int kernels_of_a_block = 16;  // a bank is packed in blocks, and a block is what has a span

// Products of up to 2^63 each; what is larger stays larger than every limit.
inline Wide times(Wide a, Wide b) { return std::min(a * b, Wide{1} << 63); }

// Elements from the first to the last, of dimensions {extent, stride} around rows of `width`.
inline Wide span_of(Wide width, std::initializer_list<std::pair<Wide, Wide>> dimensions) {
  Wide span = width;
  for (const auto& [extent, stride] : dimensions) span += extent > 1 ? times(extent - 1, stride) : 0;
  return span;
}

inline Wide span_of(const corrbank::ImageView& i) {
  return span_of(i.width, {{i.channels, i.channel_stride}, {i.height, i.row_stride}});
}
inline Wide span_of(const corrbank::KernelsView& k) {
  return span_of(k.width, {{k.count, k.kernel_stride}, {k.channels, k.channel_stride}, {k.height, k.row_stride}});
}
inline Wide span_of(const corrbank::ResponsesView& r) {
  return span_of(r.width, {{r.count, r.kernel_stride}, {r.height, r.row_stride}});
}

// [first, end) in bytes.
struct Memory {
  Wide first, end;
  [[nodiscard]] bool meets(const Memory& other) const { return first < other.end && other.first < end; }
  [[nodiscard]] bool wraps() const { return end > Wide{UINTPTR_MAX}; }
};
inline Memory memory(const void* data, Wide bytes) {
  const Wide first = reinterpret_cast<std::uintptr_t>(data);
  return {first, first + bytes};
}
template <typename View>
Memory memory(const View& view) {
  return memory(view.data, span_of(view) * 4);
}

namespace rules {

using corrbank::StatusCode;

inline void check_data(const void* data, const char* name, Violations& found) {
  if (data == nullptr) found.push_back({StatusCode::null_pointer, name});
  if (reinterpret_cast<std::uintptr_t>(data) % 4 != 0) found.push_back({StatusCode::misaligned, name});
}

inline void check_dtype(corrbank::DType dtype, const char* name, Violations& found) {
  if (static_cast<int>(dtype) != 0) found.push_back({StatusCode::bad_option, name});
}

// False if the view has no meaning that further rules could judge.
struct Dimension {
  std::int64_t extent;
  const char* extent_name;
  std::int64_t stride;
  const char* stride_name;  // null for columns
};
inline bool check_dimensions(std::initializer_list<Dimension> dimensions, Violations& found) {
  const std::size_t before = found.size();
  for (const Dimension& d : dimensions) {
    if (d.extent < 1) found.push_back({StatusCode::bad_extent, d.extent_name});
    if (d.stride_name != nullptr && d.extent != 1 && d.stride < 0)
      found.push_back({StatusCode::bad_stride, d.stride_name});
  }
  return found.size() == before;
}

inline bool check_image(const corrbank::ImageView& i, const corrbank::KernelsView& bank, Violations& found) {
  check_dtype(i.dtype, "image.dtype", found);
  if (i.channels != bank.channels) found.push_back({StatusCode::bad_extent, "image.channels"});
  const bool contains_kernel = i.height >= bank.height && i.width >= bank.width;
  if (!contains_kernel) found.push_back({StatusCode::bad_extent, "image"});
  if (!check_dimensions({{i.channels, "image.channels", i.channel_stride, "image.channel_stride"},
                         {i.height, "image.height", i.row_stride, "image.row_stride"},
                         {i.width, "image.width", 0, nullptr}},
                        found)) {
    return false;
  }
  if (span_of(i) > largest_span) found.push_back({StatusCode::too_large, "image"});
  if (contains_kernel && times(Wide{i.height} - bank.height + 1, Wide{i.width} - bank.width + 1) > largest_span) {
    found.push_back({StatusCode::too_large, "responses"});
  }
  return true;
}

// One of the two outer dimensions steps over a whole row, and the other over all that the first one reaches.
inline bool apart(const corrbank::ResponsesView& r) {
  const Wide width = r.width, plane = span_of(width, {{r.height, r.row_stride}});
  const Wide layer = span_of(width, {{r.count, r.kernel_stride}});
  const bool rows_inside = (r.height == 1 || r.row_stride >= width) && (r.count == 1 || r.kernel_stride >= plane);
  const bool kernels_inside = (r.count == 1 || r.kernel_stride >= width) && (r.height == 1 || r.row_stride >= layer);
  return rows_inside || kernels_inside;
}

inline bool check_responses(const corrbank::ImageView& i, const corrbank::KernelsView& bank,
                            const corrbank::ResponsesView& r, Violations& found) {
  check_dtype(r.dtype, "responses.dtype", found);
  if (r.count != bank.count) found.push_back({StatusCode::bad_extent, "responses.count"});
  if (r.height != Wide{i.height} - bank.height + 1) found.push_back({StatusCode::bad_extent, "responses.height"});
  if (r.width != Wide{i.width} - bank.width + 1) found.push_back({StatusCode::bad_extent, "responses.width"});
  if (!check_dimensions({{r.count, "responses.count", r.kernel_stride, "responses.kernel_stride"},
                         {r.height, "responses.height", r.row_stride, "responses.row_stride"},
                         {r.width, "responses.width", 0, nullptr}},
                        found)) {
    return false;
  }
  if (span_of(r.width, {{r.height, r.row_stride}}) > largest_span || span_of(r) > largest_whole ||
      (r.count > 1 && r.kernel_stride > largest_span)) {
    found.push_back({StatusCode::too_large, "responses"});
  }
  if (!apart(r)) found.push_back({StatusCode::bad_stride, "responses."});
  return true;
}

}  // namespace rules

inline Violations kernels_violations(const corrbank::KernelsView& k) {
  using corrbank::StatusCode;
  Violations found;
  rules::check_dtype(k.dtype, "kernels.dtype", found);
  rules::check_data(k.data, "kernels.data", found);
  if (!rules::check_dimensions({{k.count, "kernels.count", k.kernel_stride, "kernels.kernel_stride"},
                                {k.channels, "kernels.channels", k.channel_stride, "kernels.channel_stride"},
                                {k.height, "kernels.height", k.row_stride, "kernels.row_stride"},
                                {k.width, "kernels.width", 0, nullptr}},
                               found)) {
    return found;
  }
  const Wide taps = times(times(k.channels, k.height), k.width);
  if (times(taps, kernels_of_a_block) > largest_span || times(taps, k.count) > largest_whole ||
      span_of(k) > largest_whole || memory(k).wraps()) {
    found.push_back({StatusCode::too_large, "kernels"});
  }
  return found;
}

// What plan() and workspace_bytes() look at. Of `bank`, only the extents count here and below.
inline Violations image_violations(const corrbank::ImageView& image, const corrbank::KernelsView& bank) {
  Violations found;
  rules::check_image(image, bank, found);
  return found;
}

inline Violations call_violations(const corrbank::ImageView& image, const corrbank::KernelsView& bank,
                                  const corrbank::ResponsesView& responses) {
  using corrbank::StatusCode;
  Violations found;
  rules::check_data(image.data, "image.data", found);
  rules::check_data(responses.data, "responses.data", found);
  const bool image_lies = rules::check_image(image, bank, found);
  const bool responses_lie = rules::check_responses(image, bank, responses, found);
  if (image_lies && memory(image).wraps()) found.push_back({StatusCode::too_large, "image"});
  if (responses_lie && memory(responses).wraps()) found.push_back({StatusCode::too_large, "responses"});
  if (image_lies && responses_lie && memory(image).meets(memory(responses))) {
    found.push_back({StatusCode::overlap, "responses"});
  }
  return found;
}

inline Violations options_violations(const corrbank::Options& options) {
  using corrbank::StatusCode;
  Violations found;
  const int algorithm = static_cast<int>(options.algorithm);
  const int exactness = static_cast<int>(options.exactness);
  if (algorithm < 0 || algorithm > 3) found.push_back({StatusCode::bad_option, "options.algorithm"});
  if (exactness != 0 && exactness != 1) found.push_back({StatusCode::bad_option, "options.exactness"});
  if (exactness == 1 && (algorithm == 2 || algorithm == 3)) {
    found.push_back({StatusCode::algorithm_unavailable, "options.algorithm"});
  }
  if (options.expected_calls < 0) found.push_back({StatusCode::bad_option, "options.expected_calls"});
  if (options.threads < 1 || options.threads > 256) found.push_back({StatusCode::bad_option, "options.threads"});
  if (options.executor != nullptr && options.executor->run == nullptr) {
    found.push_back({StatusCode::null_pointer, "options.executor"});
  }
  if (options.workspace == nullptr && options.workspace_size > 0) {
    found.push_back({StatusCode::null_pointer, "options.workspace"});
  }
  if (reinterpret_cast<std::uintptr_t>(options.workspace) % 4 != 0) {
    found.push_back({StatusCode::misaligned, "options.workspace"});
  }
  return found;
}

// For views without violations.
inline Violations workspace_violations(const corrbank::ImageView& image, const corrbank::ResponsesView& responses,
                                       const corrbank::Options& options) {
  using corrbank::StatusCode;
  Violations found;
  if (options.workspace == nullptr) return found;
  const Memory workspace = memory(options.workspace, options.workspace_size);
  if (workspace.wraps()) found.push_back({StatusCode::too_large, "options.workspace"});
  if (workspace.meets(memory(image)) || workspace.meets(memory(responses))) {
    found.push_back({StatusCode::overlap, "options.workspace"});
  }
  return found;
}

// A status that is ok if nothing is violated, and otherwise names one of the violations.
inline testing::AssertionResult follows(const corrbank::Status& status, const Violations& violations) {
  if (status.ok() != violations.empty()) {
    auto failure = testing::AssertionFailure();
    if (status.ok()) {
      failure << "accepted despite";
      for (const Violation& v : violations)
        failure << " code " << static_cast<int>(v.code) << " of " << v.argument << ";";
    } else {
      failure << "legal but refused with code " << static_cast<int>(status.code()) << ": " << status.message();
    }
    return failure;
  }
  if (status.ok()) {
    if (*status.message() == '\0') return testing::AssertionSuccess();
    return testing::AssertionFailure() << "ok, but says: " << status.message();
  }
  for (const Violation& v : violations) {
    if (status.code() == v.code && std::strstr(status.message(), v.argument) != nullptr)
      return testing::AssertionSuccess();
  }
  auto failure = testing::AssertionFailure() << "refused with code " << static_cast<int>(status.code()) << ": \""
                                             << status.message() << "\", which is none of";
  for (const Violation& v : violations) failure << " code " << static_cast<int>(v.code) << " of " << v.argument << ";";
  return failure;
}

}  // namespace corrbank_test
