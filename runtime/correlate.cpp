// The verbs: validate -> plan -> run -> Status.
#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <new>

#include "bank.h"
#include "corrbank/corrbank.hpp"
#include "cuda/verbs.h"
#include "plan.h"
#include "report.h"
#include "targets.h"
#include "threads.h"
#include "validate.h"

namespace corrbank {

using namespace detail;

namespace {

// What all tasks of a call share.
struct Call {
  const Geometry& geometry;
  const DirectPlan& plan;
  const PackedBank& bank;
  const float* image;
  float* responses;
  std::int64_t response_kernel_stride;
  const std::int32_t* inner_taps;
  const std::int32_t* outer_taps;
};

std::int64_t part(std::int64_t whole, std::int64_t index, std::int64_t parts) noexcept { return whole * index / parts; }

// Sums a panel of the pixels walk, a block of taps after the other: the block's part of the bank stays in L2 while all
// tiles of the panel use it.
void sum_panel(const Kernel& kernel, KernelCall call) noexcept {
  const int taps = call.outer_tap_count;
  const int block = std::max(1, tap_block / call.inner_tap_count);
  for (int tap = 0; tap < taps; tap += block) {
    call.outer_tap_count = std::min(block, taps - tap);
    run_kernel(kernel, call);
    call.outer_taps += block;
    call.bank += std::ptrdiff_t{block} * call.inner_tap_count * call.tap_stride;
  }
}

// Runs tiles of the pixels walk through a panel, and moves each panel out row by row, or whole where the rows of the
// responses follow each other without gaps.
void run_pixels(const Kernel& kernel, KernelCall call, int kernels) noexcept {
  alignas(64) float panel[panel_kernels * panel_pixels];
  float* const responses = call.responses;
  const int last_tile = call.end_tile;
  const int tiles = panel_pixels / kernel.positions;
  const bool gaps = call.response_row_stride != call.width;
  call.responses = panel;
  for (; call.first_tile < last_tile; call.first_tile += tiles) {
    call.end_tile = std::min(call.first_tile + tiles, last_tile);
    std::fill_n(panel, kernel.tile_kernels() * panel_pixels, 0.0f);
    sum_panel(kernel, call);
    const std::int64_t first = std::int64_t{call.first_tile} * kernel.positions;
    const std::int64_t end =
        std::min<std::int64_t>(std::int64_t{call.end_tile} * kernel.positions, std::int64_t{call.rows} * call.width);
    for (std::int64_t pixel = first; pixel < end;) {
      const std::int64_t y = pixel / call.width, x = pixel % call.width;
      const int count = static_cast<int>(gaps ? std::min(end - pixel, call.width - x) : end - pixel);
      unpack(*kernel.target, panel + (pixel - first) * block_kernels, count, kernels,
             responses + y * call.response_row_stride + x, call.response_kernel_stride);
      pixel += count;
    }
  }
}

// The responses of a task: some of the rows, or, where there is but one, some of its columns.
struct Band {
  std::int64_t first_row, rows, first_column, columns;
};

Band band_of(const Geometry& g, const DirectPlan& plan, int index) noexcept {
  const bool along_row = g.height == 1;
  const std::int64_t whole = along_row ? g.width : g.height;
  const std::int64_t first = part(whole, index, plan.bands), count = part(whole, index + 1, plan.bands) - first;
  return along_row ? Band{0, 1, first, count} : Band{first, count, 0, g.width};
}

// One task: a band, for one group of the bank's kernel tiles.
void run_task(void* argument, int index) noexcept {
  const Call& call = *static_cast<const Call*>(argument);
  const Geometry& g = call.geometry;
  const DirectPlan& plan = call.plan;
  const int group = index / plan.bands;
  const Band band = band_of(g, plan, index % plan.bands);
  const std::int64_t first_tile = part(plan.kernel_tiles(), group, plan.kernel_groups);
  const std::int64_t end_tile = part(plan.kernel_tiles(), group + 1, plan.kernel_groups);
  const std::int64_t chunks = std::max<std::int64_t>(1, band.rows * band.columns / plan.chunk_pixels);

  KernelCall k{};
  k.image = call.image + band.first_row * g.row_stride + band.first_column;
  k.inner_taps = call.inner_taps;
  k.outer_taps = call.outer_taps;
  k.inner_tap_count = static_cast<int>(plan.taps.inner);
  k.outer_tap_count = static_cast<int>(plan.taps.outer);
  k.channels = static_cast<int>(g.channels);
  k.plane_taps = static_cast<int>(g.kernel_height * g.kernel_width);
  k.width = static_cast<int>(band.columns);
  k.rows = static_cast<int>(band.rows);
  k.image_channel_stride = static_cast<int>(g.channel_stride);
  k.image_row_stride = static_cast<int>(g.row_stride);
  k.response_row_stride = static_cast<int>(g.response_row_stride);
  k.response_kernel_stride = static_cast<int>(call.response_kernel_stride);

  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    std::int64_t tile = 0;  // counts the kernel tiles of all segments
    for (int s = 0; s < plan.segment_count; ++s) {
      const Segment& segment = plan.segments[s];
      const Kernel& kernel = *segment.kernel;
      const int lanes = kernel.target->lanes;
      const std::int64_t image_tiles = kernel.image_tiles(band.rows, band.columns);
      k.first_tile = static_cast<int>(part(image_tiles, chunk, chunks));
      k.end_tile = static_cast<int>(part(image_tiles, chunk + 1, chunks));
      for (std::int64_t t = 0; t < segment.tiles(); ++t, ++tile) {
        if (tile < first_tile || tile >= end_tile || k.first_tile == k.end_tile) continue;
        const std::int64_t first = segment.first + t * kernel.tile_kernels();
        k.bank = call.bank.kernel(first);
        k.tap_stride = call.bank.block_width(first);
        // Vectors of 16 lanes are whole blocks; narrower ones lie side by side in one.
        k.vector_stride = lanes == block_kernels ? static_cast<int>(block_kernels * call.bank.taps()) : lanes;
        k.responses = call.responses + first * call.response_kernel_stride + band.first_row * g.response_row_stride +
                      band.first_column;
        if (kernel.walk == Walk::pixels) {
          const std::int64_t exist =
              std::min<std::int64_t>(kernel.tile_kernels(), segment.first + segment.count - first);
          run_pixels(kernel, k, static_cast<int>(exist));
        } else {
          run_kernel(kernel, k);
        }
      }
    }
  }
}

void fill_tap_tables(const Geometry& g, const TapTables& taps, std::int32_t* inner, std::int32_t* outer) noexcept {
  const std::int64_t all = taps.inner * taps.outer;
  const auto offset = [&g](std::int64_t tap) {
    const std::int64_t j = tap % g.kernel_width, i = tap / g.kernel_width % g.kernel_height;
    const std::int64_t c = tap / (g.kernel_width * g.kernel_height);
    return static_cast<std::int32_t>(c * g.channel_stride + i * g.row_stride + j);
  };
  for (std::int64_t t = 0; t < taps.inner; ++t) inner[t] = offset(t);
  for (std::int64_t t = 0; t < all; t += taps.inner) outer[t / taps.inner] = offset(t);
}

// A workspace of the caller's, or one of this call's own.
class Workspace {
 public:
  Workspace(const Options& options, std::size_t bytes) noexcept : data_(options.workspace) {
    if (data_ == nullptr) data_ = own_ = ::operator new(bytes, std::nothrow);
  }
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  ~Workspace() { ::operator delete(own_); }
  [[nodiscard]] std::int32_t* data() const noexcept { return static_cast<std::int32_t*>(data_); }

 private:
  void* own_ = nullptr;
  void* data_;
};

BankShape shape_of(const PackedBank& bank) noexcept { return {bank.count, bank.channels, bank.height, bank.width}; }

// Options and bank: what every verb checks first. A target named for the call must be the bank's own.
Status check_bank(const Bank& bank, const Options& options) noexcept {
  if (Status status = validate_options(options)) return status;
  if (bank.empty()) return {StatusCode::bank_mismatch, "bank is empty: Bank::create() makes one"};
  if (options.target != nullptr && std::strcmp(options.target, bank.target()) != 0) {
    const Target* target = nullptr;
    if (Status status = find_target(options.target, target)) return status;
    char text[160];
    std::snprintf(text, sizeof text, "options.target is %s but bank was packed for %s", target->name, bank.target());
    return {StatusCode::bank_mismatch, text};
  }
  return {};
}

Status check_workspace(const Options& options, std::size_t needed) noexcept {
  if (options.workspace == nullptr || options.workspace_size >= needed) return {};
  char text[128];
  std::snprintf(text, sizeof text, "options.workspace_size is %zu but this call needs %zu bytes",
                options.workspace_size, needed);
  return {StatusCode::workspace_too_small, text};
}

Status run(const ImageView& image, const PackedBank& bank, const ResponsesView& responses,
           const Options& options) noexcept {
  if (Status status = validate_correlate(image, shape_of(bank), responses)) return status;
  if (Status status = validate_device(image.device, bank.device, "image")) return status;
  if (Status status = validate_device(responses.device, bank.device, "responses")) return status;
  if (bank.device.type == DeviceType::cuda) return cuda::correlate(image, bank, responses, options);
  const Geometry g = geometry(image, bank, responses.height > 1 ? responses.row_stride : 0);
  const DirectPlan plan = plan_direct(g, bank, options.threads);
  const std::size_t bytes = plan.taps.bytes();
  if (Status status = check_workspace(options, bytes)) return status;
  if (Status status = validate_workspace(image, responses, options)) return status;
  const Workspace workspace(options, bytes);
  if (workspace.data() == nullptr) return {StatusCode::out_of_memory, "no memory for the workspace"};

  std::int32_t* inner = workspace.data();
  std::int32_t* outer = inner + plan.taps.inner;
  fill_tap_tables(g, plan.taps, inner, outer);
  Call call{g,
            plan,
            bank,
            static_cast<const float*>(image.data),
            static_cast<float*>(responses.data),
            bank.count > 1 ? responses.kernel_stride : 0,
            inner,
            outer};
  const CallReport report(g, bank, plan, options);
  run_tasks(options, plan.tasks(), run_task, &call);
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
  if (image.device.type == DeviceType::cuda) own.device = image.device.index;
  Bank bank;
  if (Status status = Bank::create(kernels, own, bank)) return status;
  return run(image, *PackedBank::of(bank), responses, own);
}

Status workspace_bytes(const ImageView& image, const Bank& bank, const Options& options, std::size_t& bytes) noexcept {
  Plan made;
  if (Status status = plan(image, bank, options, made)) return status;
  bytes = made.workspace_bytes;
  return {};
}

Status plan(const ImageView& image, const Bank& bank, const Options& options, Plan& out) noexcept {
  if (Status status = check_bank(bank, options)) return status;
  const PackedBank& packed = *PackedBank::of(bank);
  if (Status status = validate_image(image, shape_of(packed))) return status;
  if (packed.device.type == DeviceType::cuda) return cuda::plan(image, packed, out);
  const Geometry g = geometry(image, packed, 0);
  out = describe(g, packed, plan_direct(g, packed, options.threads), options.threads);
  return {};
}

Status warmup(const ImageView& image, const Bank& bank, const Options& options) noexcept {
  if (Status status = check_bank(bank, options)) return status;
  const PackedBank& packed = *PackedBank::of(bank);
  if (Status status = validate_image(image, shape_of(packed))) return status;
  return packed.device.type == DeviceType::cuda ? cuda::warmup(image, packed) : Status();
}

}  // namespace corrbank
