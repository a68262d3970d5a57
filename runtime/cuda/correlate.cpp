// The verbs on a GPU: check addresses -> plan -> launch -> Status.
#include <algorithm>
#include <cstdio>

#include "cuda/bank_layout.h"
#include "cuda/cuda_plan.h"
#include "cuda/verbs.h"
#include "report.h"

namespace corrbank::detail::cuda {
namespace {

CudaCall call_of(const Geometry& g, const PackedBank& bank) noexcept {
  const auto narrow = [](std::int64_t n) { return static_cast<int>(n); };
  CudaCall call{};
  call.channels = narrow(g.channels);
  call.height = narrow(g.height + g.kernel_height - 1);
  call.width = narrow(g.width + g.kernel_width - 1);
  // A stride without meaning may have any value.
  call.image_channel_stride = g.channels > 1 ? narrow(g.channel_stride) : 0;
  call.image_row_stride = call.height > 1 ? narrow(g.row_stride) : 0;
  call.kernel_height = narrow(g.kernel_height);
  call.kernel_width = narrow(g.kernel_width);
  call.bank_tap_stride = narrow(padded_kernels(bank.count));
  call.response_row_stride = g.height > 1 ? narrow(g.response_row_stride) : 0;
  return call;
}

// Calls visit(call) for each launch: groups of kernels whose responses span no more than kernels can address.
template <typename Visit>
Status for_each_launch(const CudaPlan& plan, const Geometry& g, const PackedBank& bank,
                       std::int64_t response_kernel_stride, CudaCall call, Visit visit) noexcept {
  const std::int64_t plane = (g.height - 1) * call.response_row_stride + g.width;
  std::int64_t group = bank.count;
  if (bank.count > 1 && response_kernel_stride > 0) {
    group = std::min(group, (max_span - plane) / response_kernel_stride + 1);
  }
  const std::int64_t tile = plan.kernel->tile_kernels;
  if (group < bank.count) group = std::max<std::int64_t>(1, group / tile) * tile;
  for (std::int64_t first = 0; first < bank.count; first += group) {
    CudaCall part = call;
    part.kernels = static_cast<int>(std::min(group, bank.count - first));
    part.bank += static_cast<Address>(first) * sizeof(float);
    part.responses += static_cast<Address>(first * response_kernel_stride) * sizeof(float);
    part.response_kernel_stride = part.kernels > 1 ? static_cast<int>(response_kernel_stride) : 0;
    if (Status status = visit(part)) return status;
  }
  return {};
}

Plan describe(const Geometry& g, const PackedBank& bank, const CudaPlan& plan) noexcept {
  Plan out;
  out.algorithm = "direct";
  out.target = bank.target->name;
  out.tasks = static_cast<int>(std::min<std::int64_t>(plan.blocks, 0x7fffffff));
  out.flops = flops(g, bank);
  out.predicted_efficiency = plan.ideal_cycles / plan.predicted_cycles;
  std::snprintf(
      out.text, sizeof out.text,
      "direct on cuda, GPU %d: kernels 0-%lld by %s; %.3g GFLOP, %d block%s, predicted %.0f %% of the FMA peak",
      bank.device.index, static_cast<long long>(bank.count - 1), plan.kernel->name, out.flops * 1e-9, out.tasks,
      out.tasks == 1 ? "" : "s", 100 * out.predicted_efficiency);
  return out;
}

}  // namespace

Status available() noexcept {
  const Driver* driver = nullptr;
  return find_driver(driver);
}

Status correlate(const ImageView& image, const PackedBank& bank, const ResponsesView& responses,
                 const Options& options) noexcept {
  Gpu* gpu = nullptr;
  if (Status status = Gpu::find(bank.device.index, gpu)) return status;
  const CurrentContext current(*gpu);
  if (Status status = current.status()) return status;
  if (Status status = gpu->check_address(image.data, "image")) return status;
  if (Status status = gpu->check_address(responses.data, "responses")) return status;

  const Geometry g = geometry(image, bank, responses.height > 1 ? responses.row_stride : 0);
  const CudaPlan plan = plan_direct(g, bank, *gpu);
  CudaCall call = call_of(g, bank);
  call.image = address_of(image.data);
  call.bank = address_of(bank.data);
  call.responses = address_of(responses.data);
  if (verbose()) std::fprintf(stderr, "corrbank: %s; put on its stream\n", describe(g, bank, plan).text);
  return for_each_launch(plan, g, bank, responses.kernel_stride, call, [&](const CudaCall& part) noexcept {
    return launch(*gpu, *plan.kernel, part, options.stream);
  });
}

Status warmup(const ImageView& image, const PackedBank& bank) noexcept {
  Gpu* gpu = nullptr;
  if (Status status = Gpu::find(bank.device.index, gpu)) return status;
  const CurrentContext current(*gpu);
  if (Status status = current.status()) return status;
  const Geometry g = geometry(image, bank, 0);
  const CudaPlan plan = plan_direct(g, bank, *gpu);
  CudaCall call = call_of(g, bank);
  call.kernels = 1;
  return load(*gpu, *plan.kernel, call);
}

Status plan(const ImageView& image, const PackedBank& bank, Plan& out) noexcept {
  Gpu* gpu = nullptr;
  if (Status status = Gpu::find(bank.device.index, gpu)) return status;
  const Geometry g = geometry(image, bank, 0);
  out = describe(g, bank, plan_direct(g, bank, *gpu));
  return {};
}

}  // namespace corrbank::detail::cuda
