// What the files of the C ABI share: structs copied, sizes checked, answers given.
#pragma once

#include <cstddef>
#include <cstring>
#include <initializer_list>

#include "corrbank/corrbank.h"
#include "corrbank/corrbank.hpp"

namespace corrbank::c_api {

corrbank_status answer(const Status& status, char* message) noexcept;

// The sizes that a struct had in earlier versions.
using Sizes = std::initializer_list<std::size_t>;

// Refuses a struct that is null, or whose size, its first member, is neither this version's nor an earlier one's.
Status check(const std::size_t* argument, std::size_t size, Sizes earlier, const char* name) noexcept;
template <typename T>
Status check(const T* argument, Sizes earlier, const char* name) noexcept {
  return check(argument != nullptr ? &argument->size : nullptr, sizeof(T), earlier, name);
}

// The struct as this version has it: fields that the caller's lacks are zero.
template <typename T>
Status read(const T* argument, Sizes earlier, const char* name, T& copy) noexcept {
  if (Status status = check(argument, earlier, name)) return status;
  copy = T{};
  std::memcpy(&copy, argument, argument->size);
  return {};
}

Status read(const corrbank_image* argument, ImageView& to) noexcept;
Status read(const corrbank_kernels* argument, KernelsView& to, const char* name = "kernels") noexcept;
Status read(const corrbank_responses* argument, ResponsesView& to) noexcept;

// Options of a call, and the executor they point to.
class CallOptions {
 public:
  explicit CallOptions(const corrbank_options* argument) noexcept;
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
