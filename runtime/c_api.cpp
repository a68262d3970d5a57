// The C ABI: copies structs, forwards to the C++ verbs.
#include "c_api.h"

#include <new>
#include <utility>

struct corrbank_bank {
  corrbank::Bank bank;
};

namespace {

using corrbank::Status;
using corrbank::StatusCode;
using namespace corrbank::c_api;

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
  if (Status status = check(plan, {earlier_plan}, "plan")) return answer(status, message);
  corrbank::Plan made;
  if (Status status = corrbank::plan(image_view, bank->bank, call, made)) return answer(status, message);
  write(made, *plan);
  return answer({}, message);
}

const char* const* corrbank_targets(void) { return corrbank::targets(); }

const char* corrbank_version(void) { return corrbank::version(); }

}  // extern "C"
