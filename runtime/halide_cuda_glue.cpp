// Where Halide's CUDA kernels meet corrbank: their table, their arguments, and the few functions of Halide's runtime that
// their host side calls. Halide's own versions of these keep a context, a stream and a memory pool for the whole
// process; here all of that comes with the call.
#include <HalideRuntime.h>

#include "cuda/cuda_kernels.h"
#include "halide_buffer.h"

namespace corrbank::detail::cuda {
namespace {

using TiledFunction = int(const void* launch, halide_buffer_t* image, halide_buffer_t* bank,
                          halide_buffer_t* responses);

// What the functions of the runtime below know of the launch they are called for: the kernels' "user context".
struct Launch {
  Gpu& gpu;
  const CudaKernel& kernel;
  Stream stream;
  bool load_only;
  const char* ptx;
  Status status;
};

constexpr int max_arguments = 64;

Status run(Launch& launch, const char* name, const unsigned (&grid)[3], const unsigned (&block)[3], int shared_bytes,
           void** arguments, const std::int8_t* is_buffer) noexcept {
  const Driver& driver = launch.gpu.driver();
  Function function = nullptr;
  if (Status status = launch.gpu.function(launch.kernel, launch.ptx, name, function)) return status;
  if (shared_bytes > shared_bytes_without_asking) {
    if (Result result = driver.cuFuncSetAttribute(function, function_dynamic_shared_bytes, shared_bytes)) {
      return failed(result, "cuFuncSetAttribute");
    }
  }
  if (launch.load_only) return {};
  // A buffer's argument is its device address.
  void* translated[max_arguments];
  int count = 0;
  for (; arguments[count] != nullptr; ++count) {
    if (count == max_arguments) return {StatusCode::device_error, "a CUDA kernel has too many arguments"};
    auto* buffer = static_cast<halide_buffer_t*>(arguments[count]);
    translated[count] = is_buffer[count] != 0 ? &buffer->device : arguments[count];
  }
  if (Result result = driver.cuLaunchKernel(function, grid[0], grid[1], grid[2], block[0], block[1], block[2],
                                            static_cast<unsigned>(shared_bytes), launch.stream, translated, nullptr)) {
    return failed(result, "cuLaunchKernel");
  }
  return {};
}

}  // namespace
}  // namespace corrbank::detail::cuda

extern "C" {
using corrbank::detail::cuda::Launch;

#define CORRBANK_CUDA_KERNEL(name, walk, columns, rows, kernels, threads, size, channels, symbol, fatbin) \
  corrbank::detail::cuda::TiledFunction symbol;
#define CORRBANK_CUDA_FATBIN(symbol) extern const unsigned char symbol[];
#include "cuda_kernels.inc"
#undef CORRBANK_CUDA_KERNEL
#undef CORRBANK_CUDA_FATBIN

const halide_device_interface_t* halide_cuda_device_interface() { return nullptr; }

// Images, banks and responses are on the device already.
int halide_copy_to_device(void*, halide_buffer_t*, const halide_device_interface_t*) { return 0; }

int halide_cuda_initialize_kernels(void* user_context, void**, const char* ptx, int) {
  static_cast<Launch*>(user_context)->ptx = ptx;
  return 0;
}

void halide_cuda_finalize_kernels(void*, void*) {}

int halide_cuda_run(void* user_context, void*, const char* name, int grid_x, int grid_y, int grid_z, int block_x,
                    int block_y, int block_z, int shared_bytes, size_t*, void** arguments, int8_t* is_buffer) {
  auto& launch = *static_cast<Launch*>(user_context);
  const auto size = [](int n) { return static_cast<unsigned>(n); };
  launch.status = run(launch, name, {size(grid_x), size(grid_y), size(grid_z)},
                      {size(block_x), size(block_y), size(block_z)}, shared_bytes, arguments, is_buffer);
  return launch.status.ok() ? 0 : -1;
}
}

namespace corrbank::detail::cuda {
namespace {

const CudaKernel kernel_table[] = {
#define CORRBANK_CUDA_KERNEL(name, walk, columns, rows, kernels, threads, size, channels, symbol, fatbin)          \
  {name,  TiledWalk::walk, columns, rows, kernels, threads, size, channels, reinterpret_cast<void (*)()>(&symbol), \
   fatbin},
#define CORRBANK_CUDA_FATBIN(symbol)
#include "cuda_kernels.inc"
#undef CORRBANK_CUDA_KERNEL
#undef CORRBANK_CUDA_FATBIN
};

// What stays if a kernel's host side never gets to its launch: no call may end well without one.
Status not_called() noexcept { return {StatusCode::device_error, "a CUDA kernel was not launched"}; }

Status start(const CudaCall& call, Launch launch) noexcept {
  auto image = Buffer<3>::on_device(call.image, halide_type_float);
  image.dim(0, call.width, 1)
      .dim(1, call.height, call.image_row_stride)
      .dim(2, call.channels, call.image_channel_stride);
  auto bank = Buffer<4>::on_device(call.bank, halide_type_float);
  bank.dim(0, call.bank_tap_stride, 1)
      .dim(1, call.kernel_width, call.bank_tap_stride)
      .dim(2, call.kernel_height, call.bank_tap_stride * call.kernel_width)
      .dim(3, call.channels, call.bank_tap_stride * call.kernel_width * call.kernel_height);
  auto responses = Buffer<3>::on_device(call.responses, halide_type_float);
  responses.dim(0, call.width - call.kernel_width + 1, 1)
      .dim(1, call.height - call.kernel_height + 1, call.response_row_stride)
      .dim(2, call.kernels, call.response_kernel_stride);
  const auto function = reinterpret_cast<TiledFunction*>(launch.kernel.function);
  function(&launch, image, bank, responses);
  return launch.status;
}

}  // namespace

Table<CudaKernel> all_cuda_kernels() noexcept {
  return {kernel_table, static_cast<int>(sizeof kernel_table / sizeof kernel_table[0])};
}

Status launch(Gpu& gpu, const CudaKernel& kernel, const CudaCall& call, Stream stream) noexcept {
  return start(call, {gpu, kernel, stream, false, nullptr, not_called()});
}

Status load(Gpu& gpu, const CudaKernel& kernel, const CudaCall& call) noexcept {
  return start(call, {gpu, kernel, nullptr, true, nullptr, not_called()});
}

}  // namespace corrbank::detail::cuda
