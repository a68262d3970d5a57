// Modules, functions and launches.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "driver.h"
#include "image.h"
#include "launch.h"
#include "lexer.h"
#include "parser.h"
#include "settings.h"

using namespace standin;

namespace {

constexpr std::uint32_t default_shared_bytes = 49152;  // more has to be asked for
constexpr std::uint32_t largest_grid_y_and_z = 65535;

enum JitOption : int { jit_error_log = 5, jit_error_log_bytes = 6 };

enum FunctionAttribute : int {
  function_max_threads = 0,
  function_shared_bytes = 1,
  function_constant_bytes = 2,
  function_local_bytes = 3,
  function_registers = 4,
  function_ptx_version = 5,
  function_binary_version = 6,
  function_max_dynamic_shared = 8,
  function_preferred_carveout = 9,
};

// Ends of the list of extra launch parameters, and what stands before its values.
void* const extra_end = nullptr;
void* const extra_buffer = reinterpret_cast<void*>(1);
void* const extra_buffer_bytes = reinterpret_cast<void*>(2);

void explain(const std::string& why, unsigned options, const int* names, void** values) {
  std::fprintf(stderr, "stand-in driver: module refused: %s\n", why.c_str());
  char* log = nullptr;
  std::size_t bytes = 0;
  for (unsigned at = 0; at < options; ++at) {
    if (names[at] == jit_error_log) log = static_cast<char*>(values[at]);
    if (names[at] == jit_error_log_bytes) bytes = reinterpret_cast<std::uintptr_t>(values[at]);
  }
  if (log != nullptr && bytes > 0) std::snprintf(log, bytes, "%s", why.c_str());
}

CUresult load(const char* name, Module** module, const void* image, unsigned options, const int* names, void** values) {
  return call_in_context(name, [=](Driver& driver, Context& context) -> CUresult {
    if (module == nullptr || image == nullptr) return CUDA_ERROR_INVALID_VALUE;
    const int architecture = 10 * capability().major + capability().minor;
    std::string ptx, why;
    const CUresult found = ptx_of_image(image, architecture, ptx, why);
    if (found != CUDA_SUCCESS) {
      explain(why, options, names, values);
      return found;
    }
    try {
      auto program = std::make_shared<Program>(parse_ptx(ptx));
      if (program->target > architecture) {
        explain("PTX for sm_" + std::to_string(program->target) + ", the device is sm_" + std::to_string(architecture),
                options, names, values);
        return CUDA_ERROR_NO_BINARY_FOR_GPU;
      }
      for (unsigned at = 0; at < options; ++at) {
        program->jit_options +=
            " " + std::to_string(names[at]) + "=" + std::to_string(reinterpret_cast<std::uintptr_t>(values[at]));
      }
      *module = driver.modules.add({std::move(program), &context});
      return CUDA_SUCCESS;
    } catch (const PtxError& error) {
      explain(error.what(), options, names, values);
      return CUDA_ERROR_INVALID_PTX;
    }
  });
}

int opt_in_shared_bytes() {
  constexpr int max_shared_opt_in = 97;
  int bytes = 0;
  return device_attribute(max_shared_opt_in, bytes) ? bytes : 0;
}

// The arguments in the layout of the kernel's parameters, out of either form in which they are passed.
bool gather_parameters(const Kernel& kernel, void** arguments, void** extra, std::vector<std::byte>& parameters) {
  parameters.resize(kernel.parameter_bytes);
  if (extra != nullptr) {
    const std::byte* buffer = nullptr;
    std::size_t bytes = 0;
    for (; *extra != extra_end; extra += 2) {
      if (*extra == extra_buffer) buffer = static_cast<const std::byte*>(extra[1]);
      if (*extra == extra_buffer_bytes) bytes = *static_cast<const std::size_t*>(extra[1]);
    }
    if (buffer == nullptr || bytes < parameters.size()) return false;
    std::copy_n(buffer, parameters.size(), parameters.begin());
    return true;
  }
  if (arguments == nullptr) return kernel.parameters.empty();
  for (std::size_t at = 0; at < kernel.parameters.size(); ++at) {
    const auto& parameter = kernel.parameters[at];
    std::memcpy(parameters.data() + parameter.offset, arguments[at], parameter.bytes);
  }
  return true;
}

bool fits(const Function& function, const Launch& launch) {
  const auto& block = launch.block;
  const std::uint64_t threads = std::uint64_t{block[0]} * block[1] * block[2];
  if (threads == 0 || launch.blocks() == 0 || block[2] > 64 || block[0] > 1024 || block[1] > 1024) return false;
  if (threads > function.kernel->max_threads || launch.grid[0] > 0x7fffffffU) return false;
  if (launch.grid[1] > largest_grid_y_and_z || launch.grid[2] > largest_grid_y_and_z) return false;
  const std::uint64_t shared = std::uint64_t{function.kernel->shared_bytes} + launch.dynamic_shared;
  return shared <= default_shared_bytes || launch.dynamic_shared <= static_cast<unsigned>(function.max_dynamic_shared);
}

}  // namespace

STANDIN_EXPORT CUresult cuModuleLoadData(Module** module, const void* image) {
  return load("cuModuleLoadData", module, image, 0, nullptr, nullptr);
}
STANDIN_EXPORT CUresult cuModuleLoadDataEx(Module** module, const void* image, unsigned options, int* names,
                                           void** values) {
  return load("cuModuleLoadDataEx", module, image, options, names, values);
}

STANDIN_EXPORT CUresult cuModuleUnload(Module* module) {
  return call_in_context("cuModuleUnload", [=](Driver& driver, Context&) {
    if (driver.modules.find(module) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    driver.modules.remove(module);
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuModuleGetFunction(Function** function, Module* module, const char* name) {
  return call_in_context("cuModuleGetFunction", [=](Driver& driver, Context& context) {
    if (driver.modules.find(module) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    const auto kernel = module->program->kernels.find(name);
    if (kernel == module->program->kernels.end()) return CUDA_ERROR_NOT_FOUND;
    std::unique_ptr<Function>& found = module->functions[name];
    if (found == nullptr) {
      found = std::make_unique<Function>(Function{module->program, kernel->second.get(), &context, 0});
    }
    *function = found.get();
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuFuncSetAttribute(Function* function, int attribute, int value) {
  return call_in_context("cuFuncSetAttribute", [=](Driver& driver, Context&) {
    if (driver.find_function(function) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (attribute == function_preferred_carveout) return CUDA_SUCCESS;
    const int most = opt_in_shared_bytes() - static_cast<int>(function->kernel->shared_bytes);
    if (attribute != function_max_dynamic_shared || value < 0 || value > most) return CUDA_ERROR_INVALID_VALUE;
    function->max_dynamic_shared = value;
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuFuncGetAttribute(int* value, int attribute, Function* function) {
  return call_in_context("cuFuncGetAttribute", [=](Driver& driver, Context&) {
    if (driver.find_function(function) == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    const Kernel& kernel = *function->kernel;
    switch (attribute) {
      case function_max_threads: *value = static_cast<int>(kernel.max_threads); break;
      case function_shared_bytes: *value = static_cast<int>(kernel.shared_bytes); break;
      case function_constant_bytes: *value = 0; break;
      case function_local_bytes: *value = static_cast<int>(kernel.local_bytes); break;
      case function_registers: *value = 64; break;  // no register is ever allocated here
      case function_ptx_version: *value = function->program->target; break;
      case function_binary_version: *value = 10 * capability().major + capability().minor; break;
      case function_max_dynamic_shared:
        *value = std::max(function->max_dynamic_shared, static_cast<int>(default_shared_bytes - kernel.shared_bytes));
        break;
      default: return CUDA_ERROR_INVALID_VALUE;
    }
    return CUDA_SUCCESS;
  });
}

STANDIN_EXPORT CUresult cuLaunchKernel(Function* function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                       unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared_bytes,
                                       void* stream_handle, void** arguments, void** extra) {
  return call_in_context("cuLaunchKernel", [=](Driver& driver, Context& context) -> CUresult {
    Stream* stream = driver.stream_of(context, stream_handle);
    if (stream == nullptr || driver.find_function(function) == nullptr || function->context != &context) {
      return CUDA_ERROR_INVALID_HANDLE;
    }
    Launch launch;
    launch.program = function->program;
    launch.kernel = function->kernel;
    launch.grid = {grid_x, grid_y, grid_z};
    launch.block = {block_x, block_y, block_z};
    launch.dynamic_shared = shared_bytes;
    launch.device = context.device;
    launch.stream = stream_handle;
    if (!fits(*function, launch) || !gather_parameters(*function->kernel, arguments, extra, launch.parameters)) {
      return CUDA_ERROR_INVALID_VALUE;
    }
    driver.enqueue(*stream, [launch = std::move(launch)] { return execute(launch); });
    return CUDA_SUCCESS;
  });
}
