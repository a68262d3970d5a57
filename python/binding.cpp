// corrbank._core: the C++ interface for the Python package beside it (__init__.py), which documents and types it.
//
// Arrays come in through DLPack or the buffer protocol and are viewed in place; nothing here copies array data.
#include "corrbank/corrbank.hpp"
#include "fma_peak.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using InputArray = nb::ndarray<nb::ro>;
using OutputArray = nb::ndarray<>;

// A C++ Bank does not keep the algorithm it was asked for; its calls need it again.
// Memory that a bank's calls take turns with: a workspace of megabytes made anew for each call costs as much as the call. A call
// that finds it in use goes without.
struct Workspace {
  std::mutex mutex;
  std::vector<char> memory;
};

struct PackedKernels {
  corrbank::Bank bank;
  corrbank::Options options;  // of every call: algorithm, exactness, expected_calls
  std::unique_ptr<Workspace> workspace = std::make_unique<Workspace>();
};

[[noreturn]] void raise_value(const std::string& message) { throw nb::value_error(message.c_str()); }
[[noreturn]] void raise_type(const std::string& message) { throw nb::type_error(message.c_str()); }

void raise_if_refused(const corrbank::Status& status) {
  if (status.ok()) return;
  PyObject* type = PyExc_ValueError;
  if (status.code() == corrbank::StatusCode::out_of_memory) type = PyExc_MemoryError;
  if (status.code() == corrbank::StatusCode::device_error) type = PyExc_RuntimeError;
  PyErr_SetString(type, status.message());
  nb::raise_python_error();
}

std::string dtype_name(nb::dlpack::dtype dtype) {
  const char* kind = "opaque";
  switch (static_cast<nb::dlpack::dtype_code>(dtype.code)) {
    case nb::dlpack::dtype_code::Int: kind = "int"; break;
    case nb::dlpack::dtype_code::UInt: kind = "uint"; break;
    case nb::dlpack::dtype_code::Float: kind = "float"; break;
    case nb::dlpack::dtype_code::Bfloat: kind = "bfloat"; break;
    case nb::dlpack::dtype_code::Complex: kind = "complex"; break;
    case nb::dlpack::dtype_code::Bool: return "bool";
    default: break;
  }
  return kind + std::to_string(dtype.bits);
}

bool requires_grad(nb::handle object) { return nb::getattr(object, "requires_grad", nb::none()).ptr() == Py_True; }

[[noreturn]] void raise_no_array(nb::handle object, const std::string& name) {
  const std::string type = nb::type_name(object.type()).c_str();
  if (!nb::hasattr(object, "__dlpack__") && !PyObject_CheckBuffer(object.ptr()))
    raise_type(name +
               " must be a float32 array (NumPy, PyTorch, CuPy, anything with DLPack or the buffer protocol), not " +
               type);
  raise_value(name + " of type " + type +
              " cannot be used in place (element type, byte order, strides or device); make a compact float32 copy");
}

// What nanobind shall import. An array of a GPU gives a capsule that waits for nothing: work goes to the array's own
// current stream (-1 in the array API standard).
nb::object exported(nb::handle object) {
  if (!nb::hasattr(object, "__dlpack_device__")) return nb::borrow(object);
  const nb::object device = object.attr("__dlpack_device__")();
  const bool on_gpu = nb::cast<int>(nb::int_(device[0])) == nb::device::cuda::value;
  return on_gpu ? object.attr("__dlpack__")("stream"_a = -1) : nb::borrow(object);
}

template <class Array>
corrbank::Device device_of(const Array& array, const std::string& name) {
  switch (array.device_type()) {
    case nb::device::cpu::value:
    case nb::device::cuda_host::value: return {};
    case nb::device::cuda::value:
    case nb::device::cuda_managed::value: return corrbank::cuda_device(array.device_id());
    default: raise_value(name + " lies on a device that is neither the CPU nor a CUDA GPU; make a copy there");
  }
}

// The array behind `object`, with everything checked that a view's fields cannot express.
template <class Array>
Array import_array(nb::handle given, const std::string& name) {
  if (requires_grad(given)) raise_value(name + " requires grad, which corrbank does not compute; pass .detach()");
  const nb::object object = exported(given);
  Array array;
  if (!nb::try_cast<Array>(object, array, false)) {
    InputArray readable;
    if (!Array::ReadOnly && nb::try_cast<InputArray>(object, readable, false)) raise_value(name + " is read-only");
    raise_no_array(given, name);
  }
  if (array.dtype() != nb::dtype<float>())
    raise_type(name + " has element type " + dtype_name(array.dtype()) + " but must be float32");
  return array;
}

// Refuses arrays whose last axis is not dense: the views have no stride for it.
template <class Array>
void require_adjacent_columns(const Array& array, const std::string& name) {
  const size_t last = array.ndim() - 1;
  if (array.shape(last) > 1 && array.stride(last) != 1)
    raise_value(name + " has column stride " + std::to_string(array.stride(last)) +
                " but neighbouring columns must be adjacent (stride 1); make a compact copy");
}

template <class Array>
std::int64_t extent(const Array& array, size_t axis) {
  return static_cast<std::int64_t>(array.shape(axis));
}

corrbank::ImageView image_view(const InputArray& array) {
  if (array.ndim() != 2 && array.ndim() != 3)
    raise_value("image is " + std::to_string(array.ndim()) +
                "-dimensional but must be [channels, height, width] or [height, width]");
  require_adjacent_columns(array, "image");
  const bool plane = array.ndim() == 2;
  const size_t row = plane ? 0 : 1;
  const corrbank::ImageView view(static_cast<const float*>(array.data()), plane ? 1 : extent(array, 0),
                                 extent(array, row), extent(array, row + 1), plane ? 0 : array.stride(0),
                                 array.stride(row));
  return view.on(device_of(array, "image"));
}

corrbank::KernelsView kernels_view(const InputArray& array) {
  if (array.ndim() != 4)
    raise_value("kernels are " + std::to_string(array.ndim()) +
                "-dimensional but must be [kernels, channels, height, width]");
  require_adjacent_columns(array, "kernels");
  const corrbank::KernelsView view(static_cast<const float*>(array.data()), extent(array, 0), extent(array, 1),
                                   extent(array, 2), extent(array, 3), array.stride(0), array.stride(1),
                                   array.stride(2));
  return view.on(device_of(array, "kernels"));
}

corrbank::ResponsesView responses_view(const OutputArray& array) {
  if (array.ndim() != 3)
    raise_value("out is " + std::to_string(array.ndim()) + "-dimensional but must be [kernels, height, width]");
  require_adjacent_columns(array, "out");
  const corrbank::ResponsesView view(static_cast<float*>(array.data()), extent(array, 0), extent(array, 1),
                                     extent(array, 2), array.stride(0), array.stride(1));
  return view.on(device_of(array, "out"));
}

// The text of a str argument; valid as long as the object.
const char* text(nb::handle object, const std::string& name) {
  if (!nb::isinstance<nb::str>(object))
    raise_type(name + " must be a str, not " + nb::type_name(object.type()).c_str());
  Py_ssize_t size = 0;
  const char* chars = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
  if (chars == nullptr) nb::raise_python_error();
  if (size == 0) raise_value(name + " is empty");
  if (std::strlen(chars) != static_cast<size_t>(size)) raise_value(name + " holds a null character");
  return chars;
}

corrbank::Algorithm algorithm_of(nb::handle object) {
  const std::string name = text(object, "algorithm");
  if (name == "auto") return corrbank::Algorithm::automatic;
  if (name == "direct") return corrbank::Algorithm::direct;
  if (name == "winograd") return corrbank::Algorithm::winograd;
  if (name == "fft") return corrbank::Algorithm::fft;
  raise_value("algorithm is \"" + name + "\" but must be \"auto\", \"direct\", \"winograd\" or \"fft\"");
}

corrbank::Exactness exactness_of(nb::handle object) {
  const std::string name = text(object, "exactness");
  if (name == "fast") return corrbank::Exactness::fast;
  if (name == "direct") return corrbank::Exactness::direct;
  raise_value("exactness is \"" + name + "\" but must be \"fast\" or \"direct\"");
}

// Bytes; what no size_t holds limits nothing.
std::size_t workspace_limit_of(nb::handle object) {
  if (object.is_none()) return corrbank::Options{}.workspace_limit;
  const nb::object index = nb::steal(PyNumber_Index(object.ptr()));
  if (!index.is_valid()) nb::raise_python_error();
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.ptr(), &overflow);
  if (overflow > 0) return SIZE_MAX;
  if (overflow < 0 || value < 1) raise_value("workspace_limit must be at least 1 byte, or None");
  return static_cast<std::size_t>(value);
}

// Numbers outside of int are refused by the library like any other that is no thread count.
int threads_of(nb::handle object) {
  if (object.is_none()) return corrbank::Options{}.threads;
  const nb::object index = nb::steal(PyNumber_Index(object.ptr()));
  if (!index.is_valid()) nb::raise_python_error();
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0) return overflow < 0 ? INT_MIN : INT_MAX;
  return static_cast<int>(std::clamp<long>(value, INT_MIN, INT_MAX));
}

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
  module.def("targets", &targets);
  module.def("version", &corrbank::version);
  module.def("fma_peak", &fma_peak, "target"_a.none(), "seconds"_a);
}
