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
#include <string>

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using InputArray = nb::ndarray<nb::ro>;
using OutputArray = nb::ndarray<>;

// A C++ Bank does not keep the algorithm it was asked for; its calls need it again.
struct PackedKernels {
  corrbank::Bank bank;
  corrbank::Algorithm algorithm = corrbank::Algorithm::automatic;
};

[[noreturn]] void raise_value(const std::string& message) { throw nb::value_error(message.c_str()); }
[[noreturn]] void raise_type(const std::string& message) { throw nb::type_error(message.c_str()); }

void raise_if_refused(const corrbank::Status& status) {
  if (status.ok()) return;
  const bool memory = status.code() == corrbank::StatusCode::out_of_memory;
  PyErr_SetString(memory ? PyExc_MemoryError : PyExc_ValueError, status.message());
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
               " must be a float32 array on the CPU (NumPy, PyTorch, anything with DLPack or the buffer "
               "protocol), not " +
               type);
  raise_value(name + " of type " + type +
              " cannot be used in place (element type, byte order, strides or device); "
              "make a compact float32 copy on the CPU");
}

// The array behind `object`, with everything checked that a view's fields cannot express.
template <class Array>
Array import_array(nb::handle object, const std::string& name) {
  if (requires_grad(object)) raise_value(name + " requires grad, which corrbank does not compute; pass .detach()");
  Array array;
  if (!nb::try_cast<Array>(object, array, false)) {
    InputArray readable;
    if (!Array::ReadOnly && nb::try_cast<InputArray>(object, readable, false)) raise_value(name + " is read-only");
    raise_no_array(object, name);
  }
  if (array.device_type() != nb::device::cpu::value)
    raise_value(name + " lies on another device, but corrbank runs on the CPU; pass a CPU array");
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
  return {static_cast<const float*>(array.data()),
          plane ? 1 : extent(array, 0),
          extent(array, row),
          extent(array, row + 1),
          plane ? 0 : array.stride(0),
          array.stride(row)};
}

corrbank::KernelsView kernels_view(const InputArray& array) {
  if (array.ndim() != 4)
    raise_value("kernels are " + std::to_string(array.ndim()) +
                "-dimensional but must be [kernels, channels, height, width]");
  require_adjacent_columns(array, "kernels");
  return {static_cast<const float*>(array.data()),
          extent(array, 0),
          extent(array, 1),
          extent(array, 2),
          extent(array, 3),
          array.stride(0),
          array.stride(1),
          array.stride(2)};
}

corrbank::ResponsesView responses_view(const OutputArray& array) {
  if (array.ndim() != 3)
    raise_value("out is " + std::to_string(array.ndim()) + "-dimensional but must be [kernels, height, width]");
  require_adjacent_columns(array, "out");
  return {static_cast<float*>(array.data()),
          extent(array, 0),
          extent(array, 1),
          extent(array, 2),
          array.stride(0),
          array.stride(1)};
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
  raise_value("algorithm is \"" + name + "\" but must be \"auto\" or \"direct\"");
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

corrbank::Options call_options(const PackedKernels& kernels, nb::handle threads) {
  corrbank::Options options;
  options.algorithm = kernels.algorithm;
  options.threads = threads_of(threads);
  options.target = kernels.bank.target();  // not left to the environment, which may have changed since the packing
  return options;
}

PackedKernels pack(nb::handle kernels, nb::handle algorithm, nb::handle target) {
  const InputArray array = import_array<InputArray>(kernels, "kernels");
  const corrbank::KernelsView view = kernels_view(array);
  corrbank::Options options;
  options.algorithm = algorithm_of(algorithm);
  if (!target.is_none()) options.target = text(target, "target");
  PackedKernels packed{{}, options.algorithm};
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    status = corrbank::Bank::create(view, options, packed.bank);
  }
  raise_if_refused(status);
  return packed;
}

nb::object new_responses(const corrbank::ImageView& image, const corrbank::Bank& bank,
                         const corrbank::Options& options) {
  size_t bytes = 0;  // asked for its checks: the extents must fit before memory is taken
  raise_if_refused(corrbank::workspace_bytes(image, bank, options, bytes));
  return nb::module_::import_("numpy").attr("empty")(
      nb::make_tuple(bank.count(), image.height - bank.height() + 1, image.width - bank.width() + 1),
      "dtype"_a = "float32");
}

nb::object correlate(const PackedKernels& kernels, nb::handle image, nb::handle threads, nb::object out) {
  const InputArray image_array = import_array<InputArray>(image, "image");
  const corrbank::ImageView view = image_view(image_array);
  const corrbank::Options options = call_options(kernels, threads);
  if (out.is_none()) out = new_responses(view, kernels.bank, options);
  const OutputArray out_array = import_array<OutputArray>(out, "out");
  const corrbank::ResponsesView responses = responses_view(out_array);
  corrbank::Status status;
  {
    nb::gil_scoped_release unlocked;
    status = corrbank::correlate(view, kernels.bank, responses, options);
  }
  raise_if_refused(status);
  return out;
}

nb::dict plan(const PackedKernels& kernels, nb::handle image, nb::handle threads) {
  const InputArray array = import_array<InputArray>(image, "image");
  corrbank::Plan plan;
  raise_if_refused(corrbank::plan(image_view(array), kernels.bank, call_options(kernels, threads), plan));
  nb::dict fields;
  fields["algorithm"] = plan.algorithm;
  fields["target"] = plan.target;
  fields["threads"] = plan.threads;
  fields["tasks"] = plan.tasks;
  fields["workspace_bytes"] = plan.workspace_bytes;
  fields["flops"] = plan.flops;
  fields["predicted_efficiency"] = plan.predicted_efficiency;
  fields["text"] = plan.text;
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
  if (!has_target(name)) raise_value(std::string("target is \"") + name + "\", which is none of targets()");
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
      .def("correlate", &correlate, "image"_a.none(), "threads"_a.none(), "out"_a.none())
      .def("plan", &plan, "image"_a.none(), "threads"_a.none())
      .def_prop_ro("nbytes", [](const PackedKernels& self) { return self.bank.bytes(); })
      .def_prop_ro("target", [](const PackedKernels& self) { return self.bank.target(); })
      .def_prop_ro("shape", [](const PackedKernels& self) {
        return nb::make_tuple(self.bank.count(), self.bank.channels(), self.bank.height(), self.bank.width());
      });
  module.def("pack", &pack, "kernels"_a.none(), "algorithm"_a.none(), "target"_a.none());
  module.def("targets", &targets);
  module.def("version", &corrbank::version);
  module.def("fma_peak", &fma_peak, "target"_a.none(), "seconds"_a);
}
