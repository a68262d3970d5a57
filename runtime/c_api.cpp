// The C ABI: copies structs, forwards to the C++ verbs.
#include <cstring>
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

// A struct that is null, or of a size this version does not know, is refused by name.
template <typename T>
Status check(const T* argument, const char* name) noexcept {
  char text[96] = {};
  if (argument == nullptr) {
    std::strcat(std::strcpy(text, name), " is null");
    return {StatusCode::null_pointer, text};
  }
  if (argument->size != sizeof(T)) {
    std::strcat(std::strcpy(text, name), ".size is not the sizeof of its struct");
    return {StatusCode::bad_option, text};
  }
  return {};
}

corrbank::ImageView convert(const corrbank_image& from) noexcept {
  corrbank::ImageView to;
  to.data = from.data;
  to.dtype = static_cast<corrbank::DType>(from.dtype);
  to.channels = from.channels, to.height = from.height, to.width = from.width;
  to.channel_stride = from.channel_stride, to.row_stride = from.row_stride;
  return to;
}

corrbank::KernelsView convert(const corrbank_kernels& from) noexcept {
  corrbank::KernelsView to;
  to.data = from.data;
  to.dtype = static_cast<corrbank::DType>(from.dtype);
  to.count = from.count, to.channels = from.channels, to.height = from.height, to.width = from.width;
  to.kernel_stride = from.kernel_stride, to.channel_stride = from.channel_stride, to.row_stride = from.row_stride;
  return to;
}

corrbank::ResponsesView convert(const corrbank_responses& from) noexcept {
  corrbank::ResponsesView to;
  to.data = from.data;
  to.dtype = static_cast<corrbank::DType>(from.dtype);
  to.count = from.count, to.height = from.height, to.width = from.width;
  to.kernel_stride = from.kernel_stride, to.row_stride = from.row_stride;
  return to;
}

// Options of a call, and the executor they point to.
class CallOptions {
 public:
  explicit CallOptions(const corrbank_options* from) noexcept {
    if (from == nullptr) return;
    status_ = check(from, "options");
    if (status_) return;
    options_.algorithm = static_cast<corrbank::Algorithm>(from->algorithm);
    options_.threads = from->threads == 0 ? 1 : from->threads;
    options_.target = from->target;
    executor_ = {from->executor.run, from->executor.context};
    if (executor_.run != nullptr) options_.executor = &executor_;
    options_.workspace = from->workspace;
    options_.workspace_size = from->workspace_size;
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
  if (Status status = check(kernels, "kernels")) return answer(status, message);
  if (bank == nullptr) return answer({StatusCode::null_pointer, "bank is null"}, message);
  corrbank::Bank packed;
  if (Status status = corrbank::Bank::create(convert(*kernels), call, packed)) return answer(status, message);
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
  if (Status status = check(image, "image")) return answer(status, message);
  if (Status status = check_bank(bank)) return answer(status, message);
  if (Status status = check(responses, "responses")) return answer(status, message);
  return answer(corrbank::correlate(convert(*image), bank->bank, convert(*responses), call), message);
}

corrbank_status corrbank_workspace_bytes(const corrbank_image* image, const corrbank_bank* bank,
                                         const corrbank_options* options, size_t* bytes, char* message) {
  const CallOptions call(options);
  if (call.status()) return answer(call.status(), message);
  if (Status status = check(image, "image")) return answer(status, message);
  if (Status status = check_bank(bank)) return answer(status, message);
  if (bytes == nullptr) return answer({StatusCode::null_pointer, "bytes is null"}, message);
  return answer(corrbank::workspace_bytes(convert(*image), bank->bank, call, *bytes), message);
}

corrbank_status corrbank_plan(const corrbank_image* image, const corrbank_bank* bank, const corrbank_options* options,
                              corrbank_plan_info* plan, char* message) {
  const CallOptions call(options);
  if (call.status()) return answer(call.status(), message);
  if (Status status = check(image, "image")) return answer(status, message);
  if (Status status = check_bank(bank)) return answer(status, message);
  if (Status status = check(plan, "plan")) return answer(status, message);
  corrbank::Plan made;
  if (Status status = corrbank::plan(convert(*image), bank->bank, call, made)) return answer(status, message);
  plan->algorithm = made.algorithm;
  plan->target = made.target;
  plan->threads = made.threads;
  plan->tasks = made.tasks;
  plan->workspace_bytes = made.workspace_bytes;
  plan->flops = made.flops;
  plan->predicted_efficiency = made.predicted_efficiency;
  std::memcpy(plan->text, made.text, sizeof plan->text);
  return answer({}, message);
}

const char* const* corrbank_targets(void) { return corrbank::targets(); }

const char* corrbank_version(void) { return corrbank::version(); }

}  // extern "C"
