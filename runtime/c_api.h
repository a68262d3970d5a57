// What the files of the C ABI share: structs copied, sizes checked, answers given.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>

#include "corrbank/corrbank.h"
#include "corrbank/corrbank.hpp"

namespace corrbank::c_api {

inline corrbank_status answer(const Status& status, char* message) noexcept {
  if (message != nullptr) std::strcpy(message, status.message());
  return static_cast<corrbank_status>(status.code());
}

// The sizes that a struct had in earlier versions.
using Sizes = std::initializer_list<std::size_t>;

// Refuses a struct that is null, or whose size is neither this version's nor an earlier one's.
template <typename T>
Status check(const T* argument, Sizes earlier, const char* name) noexcept {
  char text[96] = {};
  if (argument == nullptr) {
    std::strcat(std::strcpy(text, name), " is null");
    return {StatusCode::null_pointer, text};
  }
  if (argument->size != sizeof(T) && std::find(earlier.begin(), earlier.end(), argument->size) == earlier.end()) {
    std::strcat(std::strcpy(text, name), ".size is not the sizeof of its struct");
    return {StatusCode::bad_option, text};
  }
  return {};
}

// The struct as this version has it: fields that the caller's lacks are zero.
template <typename T>
Status read(const T* argument, Sizes earlier, const char* name, T& copy) noexcept {
  if (Status status = check(argument, earlier, name)) return status;
  copy = T{};
  std::memcpy(&copy, argument, argument->size);
  return {};
}

inline Device device_of(std::int32_t type, std::int32_t index) noexcept {
  return {static_cast<DeviceType>(type), index};
}

inline Status read(const corrbank_image* argument, ImageView& to) noexcept {
  corrbank_image from;
  if (Status status = read(argument, {offsetof(corrbank_image, device_type)}, "image", from)) return status;
  to.data = from.data;
  to.dtype = static_cast<DType>(from.dtype);
  to.channels = from.channels, to.height = from.height, to.width = from.width;
  to.channel_stride = from.channel_stride, to.row_stride = from.row_stride;
  to.device = device_of(from.device_type, from.device_index);
  return {};
}

inline Status read(const corrbank_kernels* argument, KernelsView& to, const char* name = "kernels") noexcept {
  corrbank_kernels from;
  if (Status status = read(argument, {offsetof(corrbank_kernels, device_type)}, name, from)) return status;
  to.data = from.data;
  to.dtype = static_cast<DType>(from.dtype);
  to.count = from.count, to.channels = from.channels, to.height = from.height, to.width = from.width;
  to.kernel_stride = from.kernel_stride, to.channel_stride = from.channel_stride, to.row_stride = from.row_stride;
  to.device = device_of(from.device_type, from.device_index);
  return {};
}

inline Status read(const corrbank_responses* argument, ResponsesView& to) noexcept {
  corrbank_responses from;
  if (Status status = read(argument, {offsetof(corrbank_responses, device_type)}, "responses", from)) return status;
  to.data = from.data;
  to.dtype = static_cast<DType>(from.dtype);
  to.count = from.count, to.height = from.height, to.width = from.width;
  to.kernel_stride = from.kernel_stride, to.row_stride = from.row_stride;
  to.device = device_of(from.device_type, from.device_index);
  return {};
}

// Options of a call, and the executor they point to.
class CallOptions {
 public:
  explicit CallOptions(const corrbank_options* argument) noexcept {
    if (argument == nullptr) return;
    corrbank_options from;
    status_ =
        read(argument, {offsetof(corrbank_options, device), offsetof(corrbank_options, exactness)}, "options", from);
    if (status_) return;
    options_.algorithm = static_cast<Algorithm>(from.algorithm);
    options_.threads = from.threads == 0 ? 1 : from.threads;
    options_.target = from.target;
    executor_ = {from.executor.run, from.executor.context};
    if (executor_.run != nullptr) options_.executor = &executor_;
    options_.workspace = from.workspace;
    options_.workspace_size = from.workspace_size;
    options_.device = from.device;
    options_.stream = from.stream;
    options_.exactness = static_cast<Exactness>(from.exactness);
    options_.expected_calls = from.expected_calls;
    options_.workspace_limit = from.workspace_limit;
  }
  CallOptions(const CallOptions&) = delete;
  CallOptions& operator=(const CallOptions&) = delete;
  [[nodiscard]] const Status& status() const noexcept { return status_; }
  operator const Options&() const noexcept { return options_; }

 private:
  Status status_;
  Options options_;
  Executor executor_;
};

// A plan in the caller's struct, whose size has been checked.
inline constexpr std::size_t earlier_plan = offsetof(corrbank_plan_info, predicted_seconds);
inline void write(const Plan& made, corrbank_plan_info& plan) noexcept {
  plan.algorithm = made.algorithm;
  plan.target = made.target;
  plan.threads = made.threads;
  plan.tasks = made.tasks;
  plan.workspace_bytes = made.workspace_bytes;
  plan.flops = made.flops;
  plan.predicted_efficiency = made.predicted_efficiency;
  std::memcpy(plan.text, made.text, sizeof plan.text);
  if (plan.size == earlier_plan) return;
  plan.predicted_seconds = made.predicted_seconds;
  plan.bank_bytes = made.bank_bytes;
  std::memcpy(plan.others, made.others, sizeof plan.others);
}

}  // namespace corrbank::c_api
