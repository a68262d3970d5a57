"""The libraries that compare.py times, one module each, imported only when it is asked for.

A module has VERSION and WAYS: for each name below a function of image [C, H, W], kernels [K, C, kh, kw] and the number
of threads that prepares everything and returns calls. Each call computes all responses of that image, in memory that
the next call may use again; of several the fastest counts. ValueError: the library cannot do this shape.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Callable, Dict, List

import numpy as np

Call = Callable[[], np.ndarray]
Way = Callable[[np.ndarray, np.ndarray, int], List[Call]]

# Name on the command line -> module of this folder. The module's library may be absent until then.
MODULES = {
    "pytorch": "pytorch",
    "onnxruntime": "onnxruntime",
    "openvino": "openvino",
    "ncnn": "ncnn",
    "mnn": "mnn",
    "mnn_level1": "mnn",
    "opencv_dnn": "opencv",
    "opencv_ccorr": "opencv",
    "opencv_filter2d": "opencv",
}


def module_of(peer: str) -> ModuleType:
    return importlib.import_module(f"{__name__}.{MODULES[peer]}")


def calls_of(peer: str, image: np.ndarray, kernels: np.ndarray, threads: int) -> list[Call]:
    ways: Dict[str, Way] = module_of(peer).WAYS
    return ways[peer](image, kernels, threads)


def responses_shape(image: np.ndarray, kernels: np.ndarray) -> tuple[int, int, int]:
    (_, height, width), (count, _, kernel_height, kernel_width) = image.shape, kernels.shape
    return count, height - kernel_height + 1, width - kernel_width + 1
