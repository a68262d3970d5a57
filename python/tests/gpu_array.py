"""An array in a GPU's memory by the driver alone, with DLPack: what CuPy's and PyTorch's look like from outside."""

from __future__ import annotations

import ctypes
from typing import Any, Optional, Tuple

import numpy as np

_DLPACK_CUDA = 2


class _DLTensor(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("code", ctypes.c_uint8),
        ("bits", ctypes.c_uint8),
        ("lanes", ctypes.c_uint16),
        ("shape", ctypes.POINTER(ctypes.c_int64)),
        ("strides", ctypes.POINTER(ctypes.c_int64)),
        ("byte_offset", ctypes.c_uint64),
    ]


class _DLManagedTensor(ctypes.Structure):
    pass


_Deleter = ctypes.CFUNCTYPE(None, ctypes.POINTER(_DLManagedTensor))
_DLManagedTensor._fields_ = [("tensor", _DLTensor), ("context", ctypes.c_void_p), ("deleter", _Deleter)]

_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]


def driver() -> ctypes.CDLL:
    """The driver that corrbank finds, with device 0's primary context current."""
    library = ctypes.CDLL("libcuda.so.1")
    context = ctypes.c_void_p()
    _check(library.cuInit(0))
    _check(library.cuDevicePrimaryCtxRetain(ctypes.byref(context), 0))
    _check(library.cuCtxSetCurrent(context))
    return library


def _check(result: int) -> None:
    if result:
        raise RuntimeError(f"the driver answered {result}")


class GpuArray:
    """A copy of a NumPy array on device 0. `streams` lists what its consumers asked of __dlpack__."""

    def __init__(self, values: np.ndarray) -> None:
        self._driver = driver()
        self._host = np.ascontiguousarray(values)
        self._address = ctypes.c_uint64()
        _check(self._driver.cuMemAlloc_v2(ctypes.byref(self._address), ctypes.c_size_t(values.nbytes)))
        self._copy("cuMemcpyHtoD_v2", self._address, self._host.ctypes.data_as(ctypes.c_void_p))
        self.shape = values.shape
        self.streams: list[Optional[int]] = []
        self._exports: list[Any] = []  # alive as long as this array, so no deleter is needed

    def __del__(self) -> None:
        self._driver.cuMemFree_v2(self._address)

    def _copy(self, call: str, to: Any, source: Any) -> None:
        _check(getattr(self._driver, call)(to, source, ctypes.c_size_t(self._host.nbytes)))

    def get(self) -> np.ndarray:
        """The values, after all work of the device."""
        _check(self._driver.cuCtxSynchronize())
        values = np.empty_like(self._host)
        self._copy("cuMemcpyDtoH_v2", values.ctypes.data_as(ctypes.c_void_p), self._address)
        return values

    def __dlpack_device__(self) -> Tuple[int, int]:
        return _DLPACK_CUDA, 0

    def __dlpack__(self, *, stream: Optional[int] = None) -> Any:
        self.streams.append(stream)
        extents = ctypes.c_int64 * len(self.shape)
        shape, strides = extents(*self.shape), extents(*(s // self._host.itemsize for s in self._host.strides))
        code = {"f": 2, "i": 0}[self._host.dtype.kind]
        exported = _DLManagedTensor(
            _DLTensor(self._address.value, _DLPACK_CUDA, 0, len(self.shape), code, 8 * self._host.itemsize, 1,
                      shape, strides, 0),
            None, _Deleter())
        self._exports.append((exported, shape, strides))
        return _new_capsule(ctypes.addressof(exported), b"dltensor", None)
