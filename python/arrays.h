// Arguments from Python: arrays as views, texts, numbers, each refused with its reason.
#pragma once

#include "corrbank/corrbank.hpp"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <algorithm>
#include <climits>
#include <cstring>
#include <string>

namespace nb = nanobind;
using namespace nb::literals;

namespace corrbank_python {

using InputArray = nb::ndarray<nb::ro>;
using OutputArray = nb::ndarray<>;

[[noreturn]] inline void raise_value(const std::string& message) { throw nb::value_error(message.c_str()); }
[[noreturn]] inline void raise_type(const std::string& message) { throw nb::type_error(message.c_str()); }

inline void raise_if_refused(const corrbank::Status& status) {
  if (status.ok()) return;
  PyObject* type = PyExc_ValueError;
  if (status.code() == corrbank::StatusCode::out_of_memory) type = PyExc_MemoryError;
  if (status.code() == corrbank::StatusCode::device_error) type = PyExc_RuntimeError;
  PyErr_SetString(type, status.message());
  nb::raise_python_error();
}

inline std::string dtype_name(nb::dlpack::dtype dtype) {
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

// An array of the CPU that has no gradient, a NumPy array above all: neither needs to be asked for.
inline bool is_buffer(nb::handle object) { return PyObject_CheckBuffer(object.ptr()) != 0; }

inline bool requires_grad(nb::handle object) {
  return !is_buffer(object) && nb::getattr(object, "requires_grad", nb::none()).ptr() == Py_True;
}

[[noreturn]] inline void raise_no_array(nb::handle object, const std::string& name) {
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
inline nb::object exported(nb::handle object) {
  if (is_buffer(object) || !nb::hasattr(object, "__dlpack_device__")) return nb::borrow(object);
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

// The element type of a view; false if it has none for it.
inline bool find_dtype(nb::dlpack::dtype dtype, corrbank::DType& found) {
  if (dtype == nb::dtype<float>())
    found = corrbank::DType::f32;
  else if (dtype == nb::dtype<std::uint8_t>())
    found = corrbank::DType::u8;
  else if (dtype == nb::dtype<bool>())
    found = corrbank::DType::u8;
  else if (dtype == nb::dtype<std::uint16_t>())
    found = corrbank::DType::u16;
  else if (dtype == nb::dtype<std::int32_t>())
    found = corrbank::DType::i32;
  else
    return false;
  return true;
}

// The array behind `object`, with everything checked that a view's fields cannot express. `elements` names the types that it
// may have.
template <class Array>
Array import_array(nb::handle given, const std::string& name, const std::string& elements = "float32") {
  if (requires_grad(given)) raise_value(name + " requires grad, which corrbank does not compute; pass .detach()");
  const nb::object object = exported(given);
  Array array;
  if (!nb::try_cast<Array>(object, array, false)) {
    InputArray readable;
    if (!Array::ReadOnly && nb::try_cast<InputArray>(object, readable, false)) raise_value(name + " is read-only");
    raise_no_array(given, name);
  }
  const std::string is = dtype_name(array.dtype());
  if ((", " + elements + ",").find(" " + is + ",") == std::string::npos)
    raise_type(name + " has element type " + is + " but must be " + elements);
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

inline corrbank::ImageView image_view(const InputArray& array) {
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

inline corrbank::KernelsView kernels_view(const InputArray& array, const std::string& name = "kernels") {
  if (array.ndim() != 4)
    raise_value(name + " are " + std::to_string(array.ndim()) + "-dimensional but must be [" + name +
                ", channels, height, width]");
  require_adjacent_columns(array, name);
  const corrbank::KernelsView view(static_cast<const float*>(array.data()), extent(array, 0), extent(array, 1),
                                   extent(array, 2), extent(array, 3), array.stride(0), array.stride(1),
                                   array.stride(2));
  return view.on(device_of(array, name));
}

inline corrbank::ResponsesView responses_view(const OutputArray& array) {
  if (array.ndim() != 3)
    raise_value("out is " + std::to_string(array.ndim()) + "-dimensional but must be [kernels, height, width]");
  require_adjacent_columns(array, "out");
  const corrbank::ResponsesView view(static_cast<float*>(array.data()), extent(array, 0), extent(array, 1),
                                     extent(array, 2), array.stride(0), array.stride(1));
  return view.on(device_of(array, "out"));
}

// The text of a str argument; valid as long as the object.
inline const char* text(nb::handle object, const std::string& name) {
  if (!nb::isinstance<nb::str>(object))
    raise_type(name + " must be a str, not " + nb::type_name(object.type()).c_str());
  Py_ssize_t size = 0;
  const char* chars = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
  if (chars == nullptr) nb::raise_python_error();
  if (size == 0) raise_value(name + " is empty");
  if (std::strlen(chars) != static_cast<size_t>(size)) raise_value(name + " holds a null character");
  return chars;
}

inline corrbank::Algorithm algorithm_of(nb::handle object) {
  const std::string name = text(object, "algorithm");
  if (name == "auto") return corrbank::Algorithm::automatic;
  if (name == "direct") return corrbank::Algorithm::direct;
  if (name == "winograd") return corrbank::Algorithm::winograd;
  if (name == "fft") return corrbank::Algorithm::fft;
  raise_value("algorithm is \"" + name + "\" but must be \"auto\", \"direct\", \"winograd\" or \"fft\"");
}

inline corrbank::Exactness exactness_of(nb::handle object) {
  const std::string name = text(object, "exactness");
  if (name == "fast") return corrbank::Exactness::fast;
  if (name == "direct") return corrbank::Exactness::direct;
  raise_value("exactness is \"" + name + "\" but must be \"fast\" or \"direct\"");
}

// Bytes; what no size_t holds limits nothing.
inline std::size_t workspace_limit_of(nb::handle object) {
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
inline int threads_of(nb::handle object) {
  if (object.is_none()) return corrbank::Options{}.threads;
  const nb::object index = nb::steal(PyNumber_Index(object.ptr()));
  if (!index.is_valid()) nb::raise_python_error();
  int overflow = 0;
  const long value = PyLong_AsLongAndOverflow(index.ptr(), &overflow);
  if (overflow != 0) return overflow < 0 ? INT_MIN : INT_MAX;
  return static_cast<int>(std::clamp<long>(value, INT_MIN, INT_MAX));
}

}  // namespace corrbank_python
