// corrbank: correlate one image with a bank of many kernels.
//
//   responses[k, y, x] = sum over c, i, j of image[c, y + i, x + j] * kernels[k, c, i, j]
//
// with k < K, y < H - kh + 1, x < W - kw + 1: the valid region, stride 1. This is cross-correlation, the "convolution"
// of neural networks: kernels are not flipped. The sum runs over all C channels. The image is never copied whole (fft copies
// one that is smaller than its tile).
//
//   corrbank::Bank bank;
//   if (auto status = corrbank::Bank::create({weights, K, C, kh, kw}, {}, bank)) return fail(status.message());
//   if (auto status = corrbank::correlate({pixels, C, H, W}, bank, {out, K, H - kh + 1, W - kw + 1}))
//     return fail(status.message());
//
// Numerics of the direct algorithm: products are summed in f32 in an order that depends on target and shape alone (on the CPU channel by channel,
// on a GPU also on the number of its multiprocessors), with one rounding a tap where the target has fused multiply-add.
// |computed - exact| <= gamma_n * sum |image * kernel|, gamma_n = n u / (1 - n u), n = C kh kw, u = 2^-24 (Higham, Accuracy
// and Stability of Numerical Algorithms, 2nd ed., section 3.1). The same target (and model of GPU), shape and data give the
// same bits for any number of threads. Of winograd and fft (Exactness::fast):
//   |computed - exact| <= beta * |kernel| * max |window| + 2 u |exact|,  beta = 4e-6 (winograd), 1e-6 (fft),
// with norms sqrt(sum of squares) over C kh kw, windows of the image less its channels' means: as measured, and tested, on
// random, image-like and large-offset data (docs/accuracy.md); |kernel| |window| is what a perfect match responds. Where
// elements come near the largest f32, transforms overflow; such tiles are computed by the direct algorithm. NaN and Inf reach only the responses whose window holds them. Denormals are
// numbers, but for arm32_neon, whose instructions take them for zeros.
//
// Errors: every call returns a Status and is noexcept; a refused call has written nothing. Nothing prints or aborts.
// Two variables of the environment are excepted: CORRBANK_VERBOSE=1 prints a line per call to stderr, for diagnosis;
// CORRBANK_RECORD=FILE appends the shape of each call that is planned anew to FILE, for tuning (docs/tuning.md).
// Threads: all functions may be called from any number of threads at once, as long as no two calls write the same
// responses or use the same workspace. A Bank is immutable and may be shared.
//
// CUDA: a Bank for target "cuda" correlates images in the memory of its GPU, in the GPU's primary context (the one the
// CUDA runtime, PyTorch and CuPy use). Nothing is copied between host and device but the kernels, once. correlate() puts
// its work on options.stream and returns: image and responses must live until that work is done (a Bank that ends waits
// for it), and what fails there later is a device_error of a later call. `threads`, `executor` and `workspace` have no
// meaning for it. The driver is loaded when a call first asks for target "cuda"; without a driver or a GPU those calls
// are refused (target_unavailable), and everything else goes on.
#pragma once

#include <cstddef>

#include "corrbank/options.hpp"
#include "corrbank/status.hpp"
#include "corrbank/version.hpp"
#include "corrbank/view.hpp"

#if defined(CORRBANK_SHARED) && defined(__GNUC__)
#define CORRBANK_API __attribute__((visibility("default")))
#else
#define CORRBANK_API
#endif

namespace corrbank {

namespace detail {
struct PackedBank;
}

// Kernels prepared once for one target and reused over any number of images. Owns a packed copy (the caller's
// kernels are not needed afterwards); movable, immutable after create().
class CORRBANK_API Bank {
 public:
  Bank() noexcept = default;
  Bank(Bank&& other) noexcept;
  Bank& operator=(Bank&& other) noexcept;
  Bank(const Bank&) = delete;
  Bank& operator=(const Bank&) = delete;
  ~Bank();

  // Packs `kernels` for options.target (of the other fields `algorithm`, `device` and `stream` are looked at). Allocates
  // bytes() once. Target "cuda": `kernels` may lie in the host's memory or in the same GPU's, are read after what is on
  // options.stream, and have been read when the call returns. On refusal `bank` keeps what it held.
  static Status create(const KernelsView& kernels, const Options& options, Bank& bank) noexcept;

  [[nodiscard]] bool empty() const noexcept { return packed_ == nullptr; }
  // Extents of the kernels; 0 when empty.
  [[nodiscard]] std::int64_t count() const noexcept;
  [[nodiscard]] std::int64_t channels() const noexcept;
  [[nodiscard]] std::int64_t height() const noexcept;
  [[nodiscard]] std::int64_t width() const noexcept;
  // Memory held, in bytes: 4 * K * C * kh * kw and at most 4 KiB more; on a GPU up to 18 kernels more. And what winograd and fft
  // have made of it for themselves so far: each call that needs a form keeps it (plan() tells bank_bytes).
  [[nodiscard]] std::size_t bytes() const noexcept;
  // Name of the target it was packed for; "" when empty. Lives as long as the library.
  [[nodiscard]] const char* target() const noexcept;
  // Where the images and responses of its calls lie.
  [[nodiscard]] Device device() const noexcept;

 private:
  friend struct detail::PackedBank;
  detail::PackedBank* packed_ = nullptr;
};

// Writes every response. `image` has the bank's number of channels and at least its height and width; `responses` is
// exactly [count, H - kh + 1, W - kw + 1] and shares no memory with the image.
// Allocates workspace_bytes(...) once, or nothing if options.workspace is given.
CORRBANK_API Status correlate(const ImageView& image, const Bank& bank, const ResponsesView& responses,
                              const Options& options = {}) noexcept;

// The same for kernels used once: creates a Bank for this call, on the GPU if the image lies in its memory, where the
// call then returns when the work is done.
CORRBANK_API Status correlate(const ImageView& image, const KernelsView& kernels, const ResponsesView& responses,
                              const Options& options = {}) noexcept;

// Bytes of workspace that correlate() with these arguments uses (see Options::workspace_limit). Reads only
// the image's extents and strides: its data may be null.
CORRBANK_API Status workspace_bytes(const ImageView& image, const Bank& bank, const Options& options,
                                    std::size_t& bytes) noexcept;

// Prepares what correlate() with these arguments will run, so that the first call does not: the form of the kernels that the
// algorithm needs; on a GPU a kernel is loaded, or
// compiled by the driver, when it is first used, which takes milliseconds. The image's data may be null.
CORRBANK_API Status warmup(const ImageView& image, const Bank& bank, const Options& options = {}) noexcept;

// What correlate() would run. Plain data.
struct Plan {
  const char* algorithm = "";  // "direct", "winograd" or "fft"
  const char* target = "";     // such as "x86_avx512"
  int threads = 0;             // of the host that will have work; 0 where the device does it all
  int tasks = 0;               // independent pieces handed to the threads; on a GPU the blocks of the grids
  std::size_t workspace_bytes = 0;
  double flops = 0;  // 2 K C kh kw Ho Wo: of the direct algorithm, whichever runs
  // Expected fraction of the target's FMA peak, by the cost model: flops over predicted_seconds. At most 1 for direct; the
  // others make fewer multiplications and can exceed it.
  double predicted_efficiency = 0;
  char text[512] = {};           // the same for people, with the kernel rows by name
  double predicted_seconds = 0;  // of one thread, on the machine that the target's costs were measured on; 0 on a GPU
  std::size_t bank_bytes = 0;    // that the Bank holds, or will after the first such call
  char others[512] = {};         // for people: what the other algorithms would take, or why they cannot do it
};

// Explains the choice for this image shape; runs nothing, allocates nothing. The image's data may be null.
CORRBANK_API Status plan(const ImageView& image, const Bank& bank, const Options& options, Plan& out) noexcept;

// Names of the targets this library holds and this machine can run: those of the CPU, best first, then "cuda" if there is
// a driver and a GPU. Null behind the last: targets()[n]. The array lives as long as the library.
CORRBANK_API const char* const* targets() noexcept;

// "0.1.0"
CORRBANK_API const char* version() noexcept;

}  // namespace corrbank

#include "corrbank/match.hpp"
