#include "bank.h"

#include <algorithm>
#include <new>

#include "cuda/verbs.h"
#include "plan.h"
#include "targets.h"
#include "validate.h"

namespace corrbank {

using detail::PackedBank;

namespace {

constexpr std::align_val_t alignment{64};

void release(PackedBank* packed) noexcept {
  if (packed == nullptr) return;
  if (detail::cuda::is_cuda(packed->device.type)) detail::cuda::release(*packed);
  if (packed->plans != nullptr) packed->plans->~PlanCache();
  packed->~PackedBank();
  ::operator delete(packed, alignment);
}

// The bank's header, its last plan and its data are one allocation; each starts at a cache line.
constexpr std::size_t plans_at = (sizeof(PackedBank) + 63) / 64 * 64;
constexpr std::size_t header_bytes = plans_at + (sizeof(detail::PlanCache) + 63) / 64 * 64;

void pack(const KernelsView& kernels, const PackedBank& bank) noexcept {
  const auto* source = static_cast<const float*>(kernels.data);
  for (std::int64_t first = 0; first < bank.count; first += detail::block_kernels) {
    const int width = bank.block_width(first);
    float* out = bank.data + first * bank.taps();
    for (std::int64_t c = 0; c < bank.channels; ++c) {
      for (std::int64_t i = 0; i < bank.height; ++i) {
        const float* row = source + first * kernels.kernel_stride + c * kernels.channel_stride + i * kernels.row_stride;
        for (std::int64_t j = 0; j < bank.width; ++j, out += width) {
          for (int k = 0; k < width; ++k) out[k] = row[k * kernels.kernel_stride + j];
        }
      }
    }
  }
  std::fill_n(bank.data + bank.count * bank.taps(), detail::block_kernels, 0.0f);
}

Status create_on_gpu(const KernelsView& kernels, const Options& options, const detail::Target& target,
                     Bank& bank) noexcept {
  const int ordinal = kernels.device.type == DeviceType::cuda ? kernels.device.index : options.device;
  void* memory = ::operator new(header_bytes, alignment, std::nothrow);
  if (memory == nullptr) return {StatusCode::out_of_memory, "no memory for the bank"};
  auto* packed =
      new (memory) PackedBank{kernels.count, kernels.channels, kernels.height, kernels.width, &target, nullptr, 0, {}};
  const Status status = detail::cuda::pack(kernels, ordinal, options, *packed);
  if (status) {
    release(packed);
  } else {
    PackedBank::give(packed, bank);
  }
  return status;
}

}  // namespace

Bank::Bank(Bank&& other) noexcept : packed_(other.packed_) { other.packed_ = nullptr; }

Bank& Bank::operator=(Bank&& other) noexcept {
  std::swap(packed_, other.packed_);
  return *this;
}

Bank::~Bank() { release(packed_); }

Status Bank::create(const KernelsView& kernels, const Options& options, Bank& bank) noexcept {
  if (Status status = detail::validate_options(options)) return status;
  if (Status status = detail::validate_kernels(kernels)) return status;
  const detail::Target* target = nullptr;
  if (Status status = detail::find_target(detail::target_name(kernels.device, options), target)) return status;
  if (detail::cuda::is_cuda(target->device)) {
    if (Status status = detail::validate_gpu_options(options)) return status;
    return create_on_gpu(kernels, options, *target, bank);
  }
  if (Status status = detail::validate_device(kernels.device, {}, "kernels")) return status;

  // validate_kernels() has bounded the product. In 32 bits a view that repeats kernels (stride 0) can hold more than the
  // address space, and so can a bank of it.
  const std::int64_t taps = kernels.channels * kernels.height * kernels.width;
  const std::uint64_t elements = static_cast<std::uint64_t>(kernels.count * taps) + detail::block_kernels;
  const std::uint64_t needed = header_bytes + elements * sizeof(float);
  const auto bytes = static_cast<std::size_t>(needed);
  void* memory = needed <= PTRDIFF_MAX ? ::operator new(bytes, alignment, std::nothrow) : nullptr;
  if (memory == nullptr) return {StatusCode::out_of_memory, "no memory for the packed bank"};
  auto* data = reinterpret_cast<float*>(static_cast<char*>(memory) + header_bytes);
  auto* packed =
      new (memory) PackedBank{kernels.count, kernels.channels, kernels.height, kernels.width, target, data, bytes, {}};
  packed->plans = new (static_cast<char*>(memory) + plans_at) detail::PlanCache;
  pack(kernels, *packed);
  PackedBank::give(packed, bank);
  return {};
}

std::int64_t Bank::count() const noexcept { return packed_ != nullptr ? packed_->count : 0; }
std::int64_t Bank::channels() const noexcept { return packed_ != nullptr ? packed_->channels : 0; }
std::int64_t Bank::height() const noexcept { return packed_ != nullptr ? packed_->height : 0; }
std::int64_t Bank::width() const noexcept { return packed_ != nullptr ? packed_->width : 0; }
std::size_t Bank::bytes() const noexcept { return packed_ != nullptr ? packed_->bytes + packed_->forms.bytes() : 0; }
const char* Bank::target() const noexcept { return packed_ != nullptr ? packed_->target->name : ""; }
Device Bank::device() const noexcept { return packed_ != nullptr ? packed_->device : Device{}; }

}  // namespace corrbank
