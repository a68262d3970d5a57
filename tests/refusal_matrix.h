// The refusal matrix: a call of which any field may be anything, put to every verb. What is legal must run and be
// right; what is not must be refused by name, with nothing written.
#pragma once

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>
#include <vector>

#include "rules.h"
#include "testing.h"

namespace corrbank_test::matrix {

struct Call {
  corrbank::ImageView image;
  corrbank::KernelsView kernels;
  corrbank::ResponsesView responses;
};

struct Field {
  const char* name;
  void (*set)(Call&, std::int64_t);
};

inline corrbank::DType dtype(std::int64_t value) {
  return static_cast<corrbank::DType>(static_cast<std::int32_t>(value));
}

constexpr Field fields[] = {
    {"image.dtype", [](Call& c, std::int64_t v) { c.image.dtype = dtype(v); }},
    {"image.channels", [](Call& c, std::int64_t v) { c.image.channels = v; }},
    {"image.height", [](Call& c, std::int64_t v) { c.image.height = v; }},
    {"image.width", [](Call& c, std::int64_t v) { c.image.width = v; }},
    {"image.channel_stride", [](Call& c, std::int64_t v) { c.image.channel_stride = v; }},
    {"image.row_stride", [](Call& c, std::int64_t v) { c.image.row_stride = v; }},
    {"kernels.dtype", [](Call& c, std::int64_t v) { c.kernels.dtype = dtype(v); }},
    {"kernels.count", [](Call& c, std::int64_t v) { c.kernels.count = v; }},
    {"kernels.channels", [](Call& c, std::int64_t v) { c.kernels.channels = v; }},
    {"kernels.height", [](Call& c, std::int64_t v) { c.kernels.height = v; }},
    {"kernels.width", [](Call& c, std::int64_t v) { c.kernels.width = v; }},
    {"kernels.kernel_stride", [](Call& c, std::int64_t v) { c.kernels.kernel_stride = v; }},
    {"kernels.channel_stride", [](Call& c, std::int64_t v) { c.kernels.channel_stride = v; }},
    {"kernels.row_stride", [](Call& c, std::int64_t v) { c.kernels.row_stride = v; }},
    {"responses.dtype", [](Call& c, std::int64_t v) { c.responses.dtype = dtype(v); }},
    {"responses.count", [](Call& c, std::int64_t v) { c.responses.count = v; }},
    {"responses.height", [](Call& c, std::int64_t v) { c.responses.height = v; }},
    {"responses.width", [](Call& c, std::int64_t v) { c.responses.width = v; }},
    {"responses.kernel_stride", [](Call& c, std::int64_t v) { c.responses.kernel_stride = v; }},
    {"responses.row_stride", [](Call& c, std::int64_t v) { c.responses.row_stride = v; }},
};

constexpr std::int64_t int32_max = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t int64_min = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t int64_max = std::numeric_limits<std::int64_t>::max();

// Pairs of these wrap in 64 bits: 2^32 * 2^32 is 0, 2 * 2^63 / 3 is negative, 3037000500^2 just passes 2^63.
constexpr std::int64_t values[] = {0,
                                   -1,
                                   1,
                                   2,
                                   std::int64_t{1} << 28,
                                   int32_max,
                                   int32_max + 1,
                                   std::int64_t{1} << 32,
                                   3037000500,
                                   std::int64_t{1} << 62,
                                   int64_max / 3 + 1,
                                   int64_min,
                                   int64_max};

// Address space of which pages exist once touched: legal strides reach over gigabytes. In 32 bits there is less of it.
class AddressSpace {
 public:
  explicit AddressSpace(std::uint64_t bytes)
      : bytes_(sizeof(void*) == 4 ? std::size_t{640} << 20 : static_cast<std::size_t>(bytes)) {
    void* mapped = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped != MAP_FAILED) data_ = static_cast<float*>(mapped);
  }
  AddressSpace(const AddressSpace&) = delete;
  AddressSpace& operator=(const AddressSpace&) = delete;
  ~AddressSpace() {
    if (data_ != nullptr) munmap(data_, bytes_);
  }
  [[nodiscard]] float* data() const { return data_; }
  template <typename View>
  [[nodiscard]] bool holds(const View& view) const {
    const Memory inside = memory(view);
    const Memory all = memory(data_, static_cast<Wide>(bytes_));
    return inside.first >= all.first && inside.end <= all.end;
  }

 private:
  std::size_t bytes_;
  float* data_ = nullptr;
};

// Small integers, so that every sum is exact.
inline float value_at(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
  return static_cast<float>((a * 7 + b * 5 + c * 3 + d * 2 + a * d + b * c) % 11 - 5);
}

inline const float* element(const corrbank::KernelsView& v, std::int64_t k, std::int64_t c, std::int64_t i,
                            std::int64_t j) {
  return static_cast<const float*>(v.data) + (v.count > 1 ? k * v.kernel_stride : 0) +
         (v.channels > 1 ? c * v.channel_stride : 0) + (v.height > 1 ? i * v.row_stride : 0) + j;
}
inline const float* element(const corrbank::ImageView& v, std::int64_t c, std::int64_t y, std::int64_t x) {
  return static_cast<const float*>(v.data) + (v.channels > 1 ? c * v.channel_stride : 0) +
         (v.height > 1 ? y * v.row_stride : 0) + x;
}
inline float* element(const corrbank::ResponsesView& v, std::int64_t k, std::int64_t y, std::int64_t x) {
  return static_cast<float*>(v.data) + (v.count > 1 ? k * v.kernel_stride : 0) + (v.height > 1 ? y * v.row_stride : 0) +
         x;
}

template <typename Visit>
void for_each(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d, Visit visit) {
  for (std::int64_t i = 0; i < a; ++i)
    for (std::int64_t j = 0; j < b; ++j)
      for (std::int64_t k = 0; k < c; ++k)
        for (std::int64_t l = 0; l < d; ++l) visit(i, j, k, l);
}

inline void fill(const corrbank::KernelsView& v) {
  for_each(v.count, v.channels, v.height, v.width,
           [&](auto k, auto c, auto i, auto j) { *const_cast<float*>(element(v, k, c, i, j)) = value_at(k, c, i, j); });
}
inline void fill(const corrbank::ImageView& v) {
  for_each(1, v.channels, v.height, v.width,
           [&](auto, auto c, auto y, auto x) { *const_cast<float*>(element(v, c, y, x)) = value_at(c, y, x, 1); });
}

class Matrix {
 public:
  // Kernels may span 2^34 elements at these values, the image 2^31 and the responses 2^33.
  Matrix(const corrbank::Options& options, const Shape& shape)
      : options_(options), image_memory_(std::uint64_t{9} << 30), kernels_memory_(std::uint64_t{65} << 30),
        responses_memory_(std::uint64_t{34} << 30) {
    if (!has_memory()) return;
    near_ = responses_memory_.data();
    const Call views = {{image_memory_.data(), shape.channels, shape.height, shape.width},
                        {kernels_memory_.data(), shape.count, shape.channels, shape.kernel_height, shape.kernel_width},
                        {near_ + near_size / 2, shape.count, shape.response_height(), shape.response_width()}};
    base_ = views;
    reset_near();
    untouched_.assign(near_, near_ + near_size);
    fill(base_.kernels);
    created_ = corrbank::Bank::create(base_.kernels, options_, bank_);
  }
  [[nodiscard]] bool has_memory() const {
    return image_memory_.data() != nullptr && kernels_memory_.data() != nullptr && responses_memory_.data() != nullptr;
  }
  [[nodiscard]] const corrbank::Status& created() const { return created_; }
  [[nodiscard]] const Call& base() const { return base_; }

  testing::AssertionResult check(const Call& call) {
    ++cases;
    for (auto rule : {&Matrix::check_create, &Matrix::check_queries, &Matrix::check_bank, &Matrix::check_one_shot}) {
      testing::AssertionResult result = (this->*rule)(call);
      if (!result) return result;
    }
    return testing::AssertionSuccess();
  }

  int cases = 0, right = 0, refused = 0, legal_but_large = 0;

 private:
  static constexpr std::size_t near_size = 2048;  // responses that a refused call would reach first
  static constexpr Wide most_kernel_elements = 1 << 20;

  void reset_near() { std::fill_n(near_, near_size, sentinel()); }

  [[nodiscard]] bool can_make(const corrbank::KernelsView& k) const {
    return kernels_memory_.holds(k) &&
           times(times(k.count, k.channels), times(k.height, k.width)) <= most_kernel_elements;
  }

  testing::AssertionResult check_create(const Call& call) {
    const Violations violations = kernels_violations(call.kernels);
    if (violations.empty()) {
      if (!can_make(call.kernels)) return large();
      corrbank::Bank made;
      return follows(corrbank::Bank::create(call.kernels, options_, made), violations) << " in create";
    }
    unsigned char before[sizeof(corrbank::Bank)], after[sizeof(corrbank::Bank)];
    std::memcpy(before, static_cast<const void*>(&bank_), sizeof before);
    testing::AssertionResult result = follows(corrbank::Bank::create(call.kernels, options_, bank_), violations);
    std::memcpy(after, static_cast<const void*>(&bank_), sizeof after);
    if (std::memcmp(before, after, sizeof before) != 0) {
      return testing::AssertionFailure() << "a refused create changed the bank";
    }
    ++refused;
    return result;
  }

  // Without data: plan() and workspace_bytes() touch none.
  testing::AssertionResult check_queries(const Call& call) {
    corrbank::ImageView image = call.image;
    image.data = nullptr;
    const Violations violations = image_violations(image, base_.kernels);
    std::size_t bytes = 12345;
    corrbank::Plan plan;
    plan.tasks = 12345;
    testing::AssertionResult result = follows(corrbank::plan(image, bank_, options_, plan), violations);
    if (!result) return result << " in plan";
    result = follows(corrbank::workspace_bytes(image, bank_, options_, bytes), violations);
    if (!result) return result << " in workspace_bytes";
    if (violations.empty()) return result;
    ++refused;
    if (plan.tasks != 12345 || bytes != 12345) return testing::AssertionFailure() << "a refused query wrote its answer";
    return result;
  }

  testing::AssertionResult check_bank(const Call& call) {
    const Violations violations = call_violations(call.image, base_.kernels, call.responses);
    if (!violations.empty())
      return unwritten(corrbank::correlate(call.image, bank_, call.responses, options_), violations);
    if (!image_memory_.holds(call.image) || !responses_memory_.holds(call.responses)) return large();
    fill(call.image);
    const corrbank::Status status = corrbank::correlate(call.image, bank_, call.responses, options_);
    return correct(status, call.image, base_.kernels, call.responses);
  }

  testing::AssertionResult check_one_shot(const Call& call) {
    Violations violations = kernels_violations(call.kernels);
    const Violations others = call_violations(call.image, call.kernels, call.responses);
    violations.insert(violations.end(), others.begin(), others.end());
    if (!violations.empty()) {
      return unwritten(corrbank::correlate(call.image, call.kernels, call.responses, options_), violations);
    }
    if (!can_make(call.kernels) || !image_memory_.holds(call.image) || !responses_memory_.holds(call.responses)) {
      return large();
    }
    fill(call.image);
    fill(call.kernels);
    const corrbank::Status status = corrbank::correlate(call.image, call.kernels, call.responses, options_);
    testing::AssertionResult result = correct(status, call.image, call.kernels, call.responses);
    fill(base_.kernels);
    return result;
  }

  testing::AssertionResult large() {
    ++legal_but_large;
    return testing::AssertionSuccess();
  }

  testing::AssertionResult unwritten(const corrbank::Status& status, const Violations& violations) {
    ++refused;
    testing::AssertionResult result = follows(status, violations);
    if (!result) return result;
    if (std::memcmp(near_, untouched_.data(), near_size * sizeof(float)) == 0) return result;
    return testing::AssertionFailure() << "a refused call wrote responses: " << status.message();
  }

  // Every response right, and nothing written between them.
  testing::AssertionResult correct(const corrbank::Status& status, const corrbank::ImageView& image,
                                   const corrbank::KernelsView& kernels, const corrbank::ResponsesView& responses) {
    testing::AssertionResult result = follows(status, {});
    if (!result) return result;
    ++right;
    std::set<const float*> named;
    for_each(1, responses.count, responses.height, responses.width, [&](auto, auto k, auto y, auto x) {
      float sum = 0;
      for_each(1, kernels.channels, kernels.height, kernels.width, [&](auto, auto c, auto i, auto j) {
        sum += *element(kernels, k, c, i, j) * *element(image, c, y + i, x + j);
      });
      const float* response = element(responses, k, y, x);
      named.insert(response);
      if (*response != sum && result) {
        result = testing::AssertionFailure()
                 << "response " << k << ", " << y << ", " << x << " is " << *response << " but must be " << sum;
      }
    });
    for (std::size_t n = 0; n < near_size; ++n) {
      if (result && !is_sentinel(near_[n]) && named.count(near_ + n) == 0) {
        result = testing::AssertionFailure() << "wrote an element that is no response";
      }
    }
    reset_near();
    return result;
  }

  corrbank::Options options_;
  AddressSpace image_memory_, kernels_memory_, responses_memory_;
  float* near_ = nullptr;
  std::vector<float> untouched_;
  Call base_;
  corrbank::Bank bank_;
  corrbank::Status created_;
};

}  // namespace corrbank_test::matrix
