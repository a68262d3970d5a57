// The answer of every corrbank call.
#pragma once

namespace corrbank {

enum class StatusCode : int {
  ok = 0,
  null_pointer = 1,        // a pointer that is needed is null
  bad_extent = 2,          // an extent is zero or negative, or the extents of two arguments do not fit together
  bad_stride = 3,          // a stride is negative, or lets two responses share an element
  misaligned = 4,          // a data pointer is no multiple of its element's size
  overlap = 5,             // the responses share memory with the image or the workspace
  too_large = 6,           // a product of extents and strides leaves the range stated in view.hpp
  bad_option = 7,          // a dtype, or a field of Options, has no meaning
  unknown_target = 8,      // no target of that name was built into this library
  target_unavailable = 9,  // the target exists, and this machine cannot run it
  bank_mismatch = 10,      // the Bank is empty or was packed for another target than the one asked for
  workspace_too_small = 11,
  out_of_memory = 12,          // of the host or of the device
  bad_device = 13,             // memory does not lie where its view says, or not on the Bank's device
  device_error = 14,           // the device's driver refused a call, or work put on the device earlier has failed
  algorithm_unavailable = 15,  // options.algorithm cannot do this shape, on this target, with this exactness
};

// A code and one sentence naming the argument that was refused and why. Plain data: no allocation, copies freely.
// Converts to true when the call was refused, so that `if (auto status = correlate(...)) report(status.message());`
// reads as intended.
class [[nodiscard]] Status {
 public:
  Status() noexcept {}
  // `message` is copied, at most 223 characters of it.
  Status(StatusCode code, const char* message) noexcept : code_(code) {
    int i = 0;
    for (; message != nullptr && message[i] != '\0' && i < capacity - 1; ++i) text_[i] = message[i];
    text_[i] = '\0';
  }
  [[nodiscard]] StatusCode code() const noexcept { return code_; }
  [[nodiscard]] bool ok() const noexcept { return code_ == StatusCode::ok; }
  explicit operator bool() const noexcept { return !ok(); }
  // "" when ok(). Valid as long as this object.
  [[nodiscard]] const char* message() const noexcept { return text_; }

 private:
  static constexpr int capacity = 224;
  StatusCode code_ = StatusCode::ok;
  char text_[capacity] = {};
};

}  // namespace corrbank
