// The C ABI: copies structs, forwards to the C++ verbs.
#include "c_api.h"

#include <algorithm>
#include <new>
#include <utility>

#include "validate.h"

namespace corrbank::c_api {

corrbank_status answer(const Status& status, char* message) noexcept {
  if (message != nullptr) std::strcpy(message, status.message());
  return static_cast<corrbank_status>(status.code());
}

Status check(const std::size_t* argument, std::size_t size, Sizes earlier, const char* name) noexcept {
  if (argument == nullptr) return detail::refuse(StatusCode::null_pointer, "%s is null", name);
  if (*argument != size && std::find(earlier.begin(), earlier.end(), *argument) == earlier.end()) {
    return detail::refuse(StatusCode::bad_option, "%s.size is not the sizeof of its struct", name);
  }
  return {};
}

namespace {

Device device_of(std::int32_t type, std::int32_t index) noexcept { return {static_cast<DeviceType>(type), index}; }

}  // namespace

Status read(const corrbank_image* argument, ImageView& to) noexcept {
  corrbank_image from;
  if (Status status = read(argument, {offsetof(corrbank_image, device_type)}, "image", from)) return status;
  to.data = from.data;
  to.dtype = static_cast<DType>(from.dtype);
  to.channels = from.channels, to.height = from.height, to.width = from.width;
  to.channel_stride = from.channel_stride, to.row_stride = from.row_stride;
  to.device = device_of(from.device_type, from.device_index);
  return {};
}

Status read(const corrbank_kernels* argument, KernelsView& to, const char* name) noexcept {
  corrbank_kernels from;
  if (Status status = read(argument, {offsetof(corrbank_kernels, device_type)}, name, from)) return status;
  to.data = from.data;
  to.dtype = static_cast<DType>(from.dtype);
  to.count = from.count, to.channels = from.channels, to.height = from.height, to.width = from.width;
  to.kernel_stride = from.kernel_stride, to.channel_stride = from.channel_stride, to.row_stride = from.row_stride;
  to.device = device_of(from.device_type, from.device_index);
  return {};
}

Status read(const corrbank_responses* argument, ResponsesView& to) noexcept {
  corrbank_responses from;
  if (Status status = read(argument, {offsetof(corrbank_responses, device_type)}, "responses", from)) return status;
  to.data = from.data;
  to.dtype = static_cast<DType>(from.dtype);
  to.count = from.count, to.height = from.height, to.width = from.width;
  to.kernel_stride = from.kernel_stride, to.row_stride = from.row_stride;
  to.device = device_of(from.device_type, from.device_index);
  return {};
}

CallOptions::CallOptions(const corrbank_options* argument) noexcept {
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
}  // namespace corrbank::c_api

struct corrbank_bank {
  corrbank::Bank bank;
};

namespace {

using corrbank::Status;
using corrbank::StatusCode;
using namespace corrbank::c_api;

// What every verb is given, and the first thing that is wrong with it.
struct Arguments {
  const CallOptions options;
  corrbank::ImageView image;
  Status status;

  Arguments(const corrbank_image* from, const corrbank_bank* bank, const corrbank_options* call) noexcept
      : options(call), status(options.status()) {
    if (!status) status = read(from, image);
    if (!status && bank == nullptr) status = {StatusCode::null_pointer, "bank is null"};
  }
};

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
  const Arguments given(image, bank, options);
  if (given.status) return answer(given.status, message);
  corrbank::ResponsesView responses_view;
  if (Status status = read(responses, responses_view)) return answer(status, message);
  return answer(corrbank::correlate(given.image, bank->bank, responses_view, given.options), message);
}

corrbank_status corrbank_workspace_bytes(const corrbank_image* image, const corrbank_bank* bank,
                                         const corrbank_options* options, size_t* bytes, char* message) {
  const Arguments given(image, bank, options);
  if (given.status) return answer(given.status, message);
  if (bytes == nullptr) return answer({StatusCode::null_pointer, "bytes is null"}, message);
  return answer(corrbank::workspace_bytes(given.image, bank->bank, given.options, *bytes), message);
}

corrbank_status corrbank_warmup(const corrbank_image* image, const corrbank_bank* bank, const corrbank_options* options,
                                char* message) {
  const Arguments given(image, bank, options);
  if (given.status) return answer(given.status, message);
  return answer(corrbank::warmup(given.image, bank->bank, given.options), message);
}

corrbank_status corrbank_plan(const corrbank_image* image, const corrbank_bank* bank, const corrbank_options* options,
                              corrbank_plan_info* plan, char* message) {
  const Arguments given(image, bank, options);
  if (given.status) return answer(given.status, message);
  if (Status status = check(plan, {earlier_plan}, "plan")) return answer(status, message);
  // Not initialised, as plan() fills it: its initial values, 1 KB, would be a constant of the library.
  union Made {
    corrbank::Plan plan;
    Made() noexcept {}
  } made;
  if (Status status = corrbank::plan(given.image, bank->bank, given.options, made.plan)) return answer(status, message);
  write(made.plan, *plan);
  return answer({}, message);
}

const char* const* corrbank_targets(void) { return corrbank::targets(); }

const char* corrbank_version(void) { return corrbank::version(); }

}  // extern "C"
