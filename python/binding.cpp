// corrbank._core: the C++ interface for the Python package beside it (__init__.py), which documents and types it.
//
// Arrays come in through DLPack or the buffer protocol and are viewed in place; nothing here copies array data.
#include "arrays.h"
#include "fma_peak.h"
#include "match_binding.h"

#include <cmath>
#include <memory>
#include <mutex>
#include <vector>

using namespace corrbank_python;

namespace {

// Memory that a bank's calls take turns with: a workspace of megabytes made anew for each call costs as much as the call. A call
// that finds it in use goes without.
struct Workspace {
  std::mutex mutex;
  std::vector<char> memory;
};

// A C++ Bank does not keep the algorithm it was asked for; its calls need it again.
struct PackedKernels {
  corrbank::Bank bank;
  corrbank::Options options;  // of every call: algorithm, exactness, expected_calls
  std::unique_ptr<Workspace> workspace = std::make_unique<Workspace>();
};

// A CUstream by its address; 0 is the default stream.
void* stream_of(nb::handle object) { return reinterpret_cast<void*>(nb::cast<std::uintptr_t>(object)); }

corrbank::Options call_options(const PackedKernels& kernels, nb::handle threads, nb::handle workspace_limit) {
  corrbank::Options options = kernels.options;
  options.threads = threads_of(threads);
  options.workspace_limit = workspace_limit_of(workspace_limit);
  options.target = kernels.bank.target();  // not left to the environment, which may have changed since the packing
  return options;
}

PackedKernels pack(nb::handle kernels, nb::handle algorithm, nb::handle exactness, int expected_calls,
                   nb::handle target, int device, nb::handle stream) {
  const InputArray array = import_array<InputArray>(kernels, "kernels");
  const corrbank::KernelsView view = kernels_view(array);
  corrbank::Options options;
  options.algorithm = algorithm_of(algorithm);
  options.exactness = exactness_of(exactness);
  options.expected_calls = expected_calls;
  PackedKernels packed;
  packed.options = options;
  if (!target.is_none()) options.target = text(target, "target");
  options.device = device;
  options.stream = stream_of(stream);
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    status = corrbank::Bank::create(view, options, packed.bank);
  }
  raise_if_refused(status);
  return packed;
}

// Extents of the responses to an image, after everything was checked that can be without them.
nb::tuple response_shape(const PackedKernels& kernels, nb::handle image, nb::handle threads,
                         nb::handle workspace_limit) {
  const InputArray array = import_array<InputArray>(image, "image");
  const corrbank::ImageView view = image_view(array);
  std::size_t bytes = 0;
  raise_if_refused(
      corrbank::workspace_bytes(view, kernels.bank, call_options(kernels, threads, workspace_limit), bytes));
  return nb::make_tuple(kernels.bank.count(), view.height - kernels.bank.height() + 1,
                        view.width - kernels.bank.width() + 1);
}

void correlate(const PackedKernels& kernels, nb::handle image, nb::handle threads, nb::handle workspace_limit,
               nb::handle out, nb::handle stream) {
  const InputArray image_array = import_array<InputArray>(image, "image");
  const corrbank::ImageView view = image_view(image_array);
  corrbank::Options options = call_options(kernels, threads, workspace_limit);
  options.stream = stream_of(stream);
  const OutputArray out_array = import_array<OutputArray>(out, "out");
  const corrbank::ResponsesView responses = responses_view(out_array);
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    const std::unique_lock<std::mutex> turn(kernels.workspace->mutex, std::try_to_lock);
    std::size_t bytes = 0;
    if (turn.owns_lock() && kernels.bank.device().type == corrbank::DeviceType::cpu &&
        corrbank::workspace_bytes(view, kernels.bank, options, bytes).ok()) {
      std::vector<char>& memory = kernels.workspace->memory;
      try {
        if (memory.size() < bytes) memory = std::vector<char>(bytes);
        options.workspace = memory.data();
        options.workspace_size = memory.size();
      } catch (const std::bad_alloc&) {  // the call will say so
      }
    }
    status = corrbank::correlate(view, kernels.bank, responses, options);
  }
  raise_if_refused(status);
}

void warmup(const PackedKernels& kernels, nb::handle image) {
  const InputArray array = import_array<InputArray>(image, "image");
  const corrbank::ImageView view = image_view(array);
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    status = corrbank::warmup(view, kernels.bank, kernels.options);
  }
  raise_if_refused(status);
}

nb::dict plan(const PackedKernels& kernels, nb::handle image, nb::handle threads, nb::handle workspace_limit) {
  const InputArray array = import_array<InputArray>(image, "image");
  corrbank::Plan plan;
  raise_if_refused(
      corrbank::plan(image_view(array), kernels.bank, call_options(kernels, threads, workspace_limit), plan));
  nb::dict fields;
  fields["algorithm"] = plan.algorithm;
  fields["target"] = plan.target;
  fields["threads"] = plan.threads;
  fields["tasks"] = plan.tasks;
  fields["workspace_bytes"] = plan.workspace_bytes;
  fields["flops"] = plan.flops;
  fields["predicted_efficiency"] = plan.predicted_efficiency;
  fields["predicted_seconds"] = plan.predicted_seconds;
  fields["bank_bytes"] = plan.bank_bytes;
  fields["text"] = plan.text;
  fields["others"] = plan.others;
  return fields;
}

bool has_target(const char* name) {
  const char* const* known = corrbank::targets();
  while (*known != nullptr && std::strcmp(*known, name) != 0) ++known;
  return *known != nullptr;
}

nb::list targets() {
  nb::list names;
  for (const char* const* name = corrbank::targets(); *name != nullptr; ++name) names.append(*name);
  return names;
}

double fma_peak(nb::handle target, double seconds) {
  const char* name = text(target, "target");
  if (!has_target(name) || std::strcmp(name, "cuda") == 0)
    raise_value(std::string("target is \"") + name + "\", which is none of targets() that runs on the CPU");
  if (!std::isfinite(seconds) || seconds <= 0) raise_value("seconds must be a positive number");
  nb::gil_scoped_release unlocked;
  return corrbank_bench::fma_peak_gflops(name, seconds);
}

}  // namespace

NB_MODULE(_core, module) {
#ifdef NDEBUG
  nb::set_leak_warnings(false);  // objects that outlive the interpreter are no news to a user
#endif
  nb::class_<PackedKernels>(module, "Bank")
      .def("correlate", &correlate, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none(), "out"_a.none(),
           "stream"_a)
      .def("response_shape", &response_shape, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none())
      .def("warmup", &warmup, "image"_a.none())
      .def("plan", &plan, "image"_a.none(), "threads"_a.none(), "workspace_limit"_a.none())
      .def_prop_ro("nbytes", [](const PackedKernels& self) { return self.bank.bytes(); })
      .def_prop_ro("target", [](const PackedKernels& self) { return self.bank.target(); })
      .def_prop_ro("gpu",
                   [](const PackedKernels& self) {
                     const corrbank::Device device = self.bank.device();
                     return device.type == corrbank::DeviceType::cuda ? nb::object(nb::int_(device.index)) : nb::none();
                   })
      .def_prop_ro("shape", [](const PackedKernels& self) {
        return nb::make_tuple(self.bank.count(), self.bank.channels(), self.bank.height(), self.bank.width());
      });
  module.def("pack", &pack, "kernels"_a.none(), "algorithm"_a.none(), "exactness"_a.none(), "expected_calls"_a,
             "target"_a.none(), "device"_a, "stream"_a);
  bind_matching(module);
  module.def("targets", &targets);
  module.def("version", &corrbank::version);
  module.def("fma_peak", &fma_peak, "target"_a.none(), "seconds"_a);
}
