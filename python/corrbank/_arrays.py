"""What the package asks of arrays beyond DLPack: where they lie, their current stream, and new ones like them.

PyTorch and CuPy are used where the caller has imported them, and never imported here.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

_DLPACK_CUDA, _DLPACK_CUDA_MANAGED = 2, 13


def gpu_of(array: Any) -> int | None:
    """Ordinal of the CUDA device whose memory holds the array; None if it is no array or lies elsewhere."""
    if isinstance(array, np.ndarray) or not hasattr(array, "__dlpack_device__"):
        return None
    kind, ordinal = array.__dlpack_device__()
    return int(ordinal) if int(kind) in (_DLPACK_CUDA, _DLPACK_CUDA_MANAGED) else None


def current_stream(array: Any) -> int:
    """The CUstream on which the array's library puts its work now; 0, the legacy default stream, where it has none."""
    ordinal = gpu_of(array)
    if ordinal is None:
        return 0
    if (torch := _library(array, "torch", "Tensor")) is not None:
        return torch.cuda.current_stream(ordinal).cuda_stream
    if (cupy := _library(array, "cupy", "ndarray")) is not None:
        with cupy.cuda.Device(ordinal):
            return cupy.cuda.get_current_stream().ptr
    return 0


def empty_like(array: Any, shape: tuple[int, ...], dtype: Any = np.float32) -> Any:
    """A new array of this shape, by the library of `array` and where `array` lies; on a GPU of float32."""
    ordinal = gpu_of(array)
    torch = _library(array, "torch", "Tensor")
    if ordinal is None:
        made = np.empty(shape, dtype=dtype)
        return made if torch is None else torch.from_numpy(made)
    if torch is not None:
        return torch.empty(shape, dtype=torch.float32, device=array.device)
    if (cupy := _library(array, "cupy", "ndarray")) is not None:
        with cupy.cuda.Device(ordinal):
            return cupy.empty(shape, dtype=cupy.float32)
    raise ValueError("out must be given: new arrays on a GPU are made for PyTorch and CuPy only")


def _library(array: Any, module: str, type_name: str) -> Any:
    """The module, if it is imported and `array` is one of its arrays."""
    library = sys.modules.get(module)
    kind = getattr(library, type_name, None)
    return library if isinstance(kind, type) and isinstance(array, kind) else None
