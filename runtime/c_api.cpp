// The C ABI: copies structs, forwards to the C++ verbs.
#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <new>
#include <utility>

#include "corrbank/corrbank.h"
#include "corrbank/corrbank.hpp"

struct corrbank_bank {
  corrbank::Bank bank;
};

namespace {

using corrbank::Status;
using corrbank::StatusCode;

corrbank_status answer(const Status& status, char* message) noexcept {
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

corrbank::Device device_of(std::int32_t type, std::int32_t index) noexcept {
  return {static_cast<corrbank::DeviceType>(type), index};
}

Status read(const corrbank_image* argument, corrbank::ImageView& to) noexcept {
  corrbank_image from;
  if (Status status = read(argument, {offsetof(corrbank_image, device_type)}, "image", from)) return status;
  to.data = from.data;
  to.dtype = static_cast<corrbank::DType>(from.dtype);
  to.channels = from.channels, to.height = from.height, to.width = from.width;
  to.channel_stride = from.channel_stride, to.row_stride = from.row_stride;
  to.device = device_of(from.device_type, from.device_index);
  return {};
}

Status read(const corrbank_kernels* argument, corrbank::KernelsView& to) noexcept {
  corrbank_kernels from;
  if (Status status = read(argument, {offsetof(corrbank_kernels, device_type)}, "kernels", from)) return status;
  to.data = from.data;
  to.dtype = static_cast<corrbank::DType>(from.dtype);
  to.count = from.count, to.channels = from.channels, to.height = from.height, to.width = from.width;
  to.kernel_stride = from.kernel_stride, to.channel_stride = from.channel_stride, to.row_stride = from.row_stride;
  to.device = device_of(from.device_type, from.device_index);
  return {};
}

Status read(const corrbank_responses* argument, corrbank::ResponsesView& to) noexcept {
  corrbank_responses from;
  if (Status status = read(argument, {offsetof(corrbank_responses, device_type)}, "responses", from)) return status;
  to.data = from.data;
  to.dtype = static_cast<corrbank::DType>(from.dtype);
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
    options_.algorithm = static_cast<corrbank::Algorithm>(from.algorithm);
    options_.threads = from.threads == 0 ? 1 : from.threads;
    options_.target = from.target;
    executor_ = {from.executor.run, from.executor.context};
    if (executor_.run != nullptr) options_.executor = &executor_;
    options_.workspace = from.workspace;
    options_.workspace_size = from.workspace_size;
    options_.device = from.device;
    options_.stream = from.stream;
    options_.exactness = static_cast<corrbank::Exactness>(from.exactness);
    options_.expected_calls = from.expected_calls;
    options_.workspace_limit = from.workspace_limit;
  }
  CallOptions(const CallOptions&) = delete;
  CallOptions& operator=(const CallOptions&) = delete;
  [[nodiscard]] const Status& status() const noexcept { return status_; }
  operator const corrbank::Options&() const noexcept { return options_; }

 private:
  Status status_;
  corrbank::Options options_;
  corrbank::Executor executor_;
};

Status check_bank(const corrbank_bank* bank) noexcept {
  return bank != nullptr ? Status() : Status(StatusCode::null_pointer, "bank is null");
}

}  // namespace

extern "C" {

corrbank_status corrbank_bank_create(const corrbank_kernels* kernels, const corrbank_options* options,
                                     corrbank_bank** bank, char* message) {
  const CallOptions call(options);
  if (call.status()) return answer(call.status(), message);
  corrbank::KernelsView kernels_view;
  if (Status status = read(kernels, kernels_view)) return answer(status, message);
  if (bank == nullptr) return answer({StatusCode::null_pointer, "bank is null"}, message);
  corrbank::Bank packed;
  if (Status status = corrbank::Bank::create(kernels_view, call, packed)) return answer(status, message);
  auto* made = new (std::nothrow) corrbank_bank{std::move(packed)};
  if (made == nullptr) return answer({StatusCode::out_of_memory, "no memory for the bank"}, message);
  *bank = made;
  return answer({}, message);
}

void corrbank_bank_destroy(corrbank_bank* bank) { delete bank; }

size_t corrbank_bank_bytes(const corrbank_bank* bank) { return bank != nullptr ? bank->bank.bytes() : 0; }

const char* corrbank_bank_target(const corrbank_bank* bank) { return bank != nullptr ? bank->bank.target() : ""; }

corrbank_status corrbank_correlate(const corrbank_image* image, const corrbank_bank* bank,
                                   const corrbank_responses* responses, const corrbank_options* options,
                                   char* message) {
  const CallOptions call(options);
  if (call.status()) return answer(call.status(), message);
  corrbank::ImageView image_view;
  if (Status status = read(image, image_view)) return answer(status, message);
  if (Status status = check_bank(bank)) return answer(status, message);
  corrbank::ResponsesView responses_view;
  if (Status status = read(responses, responses_view)) return answer(status, message);
  return answer(corrbank::correlate(image_view, bank->bank, responses_view, call), message);
}

corrbank_status corrbank_workspace_bytes(const corrbank_image* image, const corrbank_bank* bank,
                                         const corrbank_options* options, size_t* bytes, char* message) {
  const CallOptions call(options);
  if (call.status()) return answer(call.status(), message);
  corrbank::ImageView image_view;
  if (Status status = read(image, image_view)) return answer(status, message);
  if (Status status = check_bank(bank)) return answer(status, message);
  if (bytes == nullptr) return answer({StatusCode::null_pointer, "bytes is null"}, message);
  return answer(corrbank::workspace_bytes(image_view, bank->bank, call, *bytes), message);
}

corrbank_status corrbank_warmup(const corrbank_image* image, const corrbank_bank* bank, const corrbank_options* options,
                                char* message) {
  const CallOptions call(options);
  if (call.status()) return answer(call.status(), message);
  corrbank::ImageView image_view;
  if (Status status = read(image, image_view)) return answer(status, message);
  if (Status status = check_bank(bank)) return answer(status, message);
  return answer(corrbank::warmup(image_view, bank->bank, call), message);
}

corrbank_status corrbank_plan(const corrbank_image* image, const corrbank_bank* bank, const corrbank_options* options,
                              corrbank_plan_info* plan, char* message) {
  const CallOptions call(options);
  if (call.status()) return answer(call.status(), message);
  corrbank::ImageView image_view;
  if (Status status = read(image, image_view)) return answer(status, message);
  if (Status status = check_bank(bank)) return answer(status, message);
  constexpr std::size_t earlier = offsetof(corrbank_plan_info, predicted_seconds);
  if (Status status = check(plan, {earlier}, "plan")) return answer(status, message);
  corrbank::Plan made;
  if (Status status = corrbank::plan(image_view, bank->bank, call, made)) return answer(status, message);
  plan->algorithm = made.algorithm;
  plan->target = made.target;
  plan->threads = made.threads;
  plan->tasks = made.tasks;
  plan->workspace_bytes = made.workspace_bytes;
  plan->flops = made.flops;
  plan->predicted_efficiency = made.predicted_efficiency;
  std::memcpy(plan->text, made.text, sizeof plan->text);
  if (plan->size != earlier) {
    plan->predicted_seconds = made.predicted_seconds;
    plan->bank_bytes = made.bank_bytes;
    std::memcpy(plan->others, made.others, sizeof plan->others);
  }
  return answer({}, message);
}

const char* const* corrbank_targets(void) { return corrbank::targets(); }

const char* corrbank_version(void) { return corrbank::version(); }

}  // extern "C"
