// The verbs: validate -> plan -> prepare -> run -> Status.
#include <cstddef>

#include "bank.h"
#include "corrbank/corrbank.hpp"
#include "cuda/verbs.h"
#include "plan.h"
#include "report.h"
#include "targets.h"
#include "validate.h"
#include "workspace.h"

namespace corrbank {

using namespace detail;

namespace {

BankShape shape_of(const PackedBank& bank) noexcept { return {bank.count, bank.channels, bank.height, bank.width}; }

// Options and bank: what every verb checks first. A target named for the call must be the bank's own.
Status check_bank(const Bank& bank, const Options& options) noexcept {
  if (Status status = validate_options(options)) return status;
  if (bank.empty()) return {StatusCode::bank_mismatch, "bank is empty: Bank::create() makes one"};
  if (cuda::is_cuda(bank.device().type)) {
    if (Status status = validate_gpu_options(options)) return status;
  }
  return check_target(options, bank.target(), "bank was packed");
}

Status prepared(const CallPlan& plan, const PackedBank& bank) noexcept {
  if (prepare(plan, bank)) return {};
  return {StatusCode::out_of_memory, "no memory for the bank's kernels as the algorithm needs them"};
}

Status run(const ImageView& image, const PackedBank& bank, const ResponsesView& responses,
           const Options& options) noexcept {
  if (Status status = validate_correlate(image, shape_of(bank), responses)) return status;
  if (Status status = validate_device(image.device, bank.device, "image")) return status;
  if (Status status = validate_device(responses.device, bank.device, "responses")) return status;
  if (cuda::is_cuda(bank.device.type)) return cuda::correlate(image, bank, responses, options);
  const Geometry g = geometry(image, bank, responses.height > 1 ? responses.row_stride : 0);
  CallPlan plan;
  if (Status status = bank.plans->get(g, bank, options, plan)) return status;
  if (Status status = check_workspace(options, plan.workspace_bytes)) return status;
  if (Status status = validate_workspace(image, responses, options)) return status;
  const CallReport report(g, bank, plan, options);
  if (Status status = prepared(plan, bank)) return status;
  const Workspace workspace(options, plan.workspace_bytes);
  if (workspace.data() == nullptr) return {StatusCode::out_of_memory, "no memory for the workspace"};

  const Operands operands{static_cast<const float*>(image.data), static_cast<float*>(responses.data),
                          bank.count > 1 ? responses.kernel_stride : 0};
  run_planned(g, bank, options, plan, operands, workspace.data());
  return {};
}

}  // namespace

Status correlate(const ImageView& image, const Bank& bank, const ResponsesView& responses,
                 const Options& options) noexcept {
  if (Status status = check_bank(bank, options)) return status;
  return run(image, *PackedBank::of(bank), responses, options);
}

Status correlate(const ImageView& image, const KernelsView& kernels, const ResponsesView& responses,
                 const Options& options) noexcept {
  // The shapes first: a bank may be large, and a refusal should cost nothing.
  if (Status status = validate_options(options)) return status;
  if (Status status = validate_kernels(kernels)) return status;
  const BankShape shape{kernels.count, kernels.channels, kernels.height, kernels.width};
  if (Status status = validate_correlate(image, shape, responses)) return status;
  // Without a target of its own the bank goes where the image is.
  Options own = options;
  own.target = target_name(image.device, options);
  own.expected_calls = 1;
  if (image.device.type == DeviceType::cuda) own.device = image.device.index;
  Bank bank;
  if (Status status = Bank::create(kernels, own, bank)) return status;
  return run(image, *PackedBank::of(bank), responses, own);
}

namespace {

// What the verbs that run nothing have in common: all checks, and the plan of a bank of the CPU.
Status look(const ImageView& image, const Bank& bank, const Options& options, CallPlan& made) noexcept {
  if (Status status = check_bank(bank, options)) return status;
  const PackedBank& packed = *PackedBank::of(bank);
  if (Status status = validate_image(image, shape_of(packed))) return status;
  if (cuda::is_cuda(packed.device.type)) return {};
  return packed.plans->get(geometry(image, packed, 0), packed, options, made);
}

}  // namespace

Status workspace_bytes(const ImageView& image, const Bank& bank, const Options& options, std::size_t& bytes) noexcept {
  CallPlan made;
  if (Status status = look(image, bank, options, made)) return status;
  if (cuda::is_cuda(bank.device().type)) {
    Plan on_gpu;
    if (Status status = cuda::plan(image, *PackedBank::of(bank), on_gpu)) return status;
    made.workspace_bytes = on_gpu.workspace_bytes;
  }
  bytes = made.workspace_bytes;
  return {};
}

Status plan(const ImageView& image, const Bank& bank, const Options& options, Plan& out) noexcept {
  CallPlan made;
  if (Status status = look(image, bank, options, made)) return status;
  const PackedBank& packed = *PackedBank::of(bank);
  if (cuda::is_cuda(packed.device.type)) return cuda::plan(image, packed, out);
  describe(geometry(image, packed, 0), packed, made, options.threads, out);
  return {};
}

Status warmup(const ImageView& image, const Bank& bank, const Options& options) noexcept {
  CallPlan made;
  if (Status status = look(image, bank, options, made)) return status;
  const PackedBank& packed = *PackedBank::of(bank);
  return cuda::is_cuda(packed.device.type) ? cuda::warmup(image, packed) : prepared(made, packed);
}

}  // namespace corrbank
