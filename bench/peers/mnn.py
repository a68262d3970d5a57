"""MNN: a converted model of one convolution, which picks im2col or a size of Winograd by its cost model.

`mnn` is how it comes. That takes Winograd tiles so large that the error is about 1e-3 of the largest response.
`mnn_level1` has its WINOGRAD_MEMORY_LEVEL at 1: smaller tiles, errors like those of the others for kernels of 3x3.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Iterator

import numpy as np

from . import Call, responses_shape
from .onnx_model import conv_model

WINOGRAD_MEMORY_LEVEL = 3  # of the C++ enumeration Interpreter::HintMode; the Python module has no names for it


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Nothing gets to standard output, to which MNN's native code tells what it does."""
    sys.stdout.flush()
    kept = os.dup(1)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


with quiet():
    import MNN

    # The native part of the converter. Its Python wrapper, mnnconvert, installs packages for reports on its use.
    import _tools

VERSION = MNN.version()


def model_of(image: np.ndarray, kernels: np.ndarray, folder: str) -> str:
    onnx, mnn = Path(folder, "conv.onnx"), Path(folder, "conv.mnn")
    onnx.write_bytes(conv_model(image, kernels))
    _tools.mnnconvert(
        ["mnnconvert", "-f", "ONNX", "--modelFile", str(onnx), "--MNNModel", str(mnn), "--bizCode", "none"]
    )
    if not mnn.exists():
        raise ValueError("MNN does not convert this model")
    return str(mnn)


def session_call(image: np.ndarray, kernels: np.ndarray, model: str, config: dict, level: int | None) -> Call:
    interpreter = MNN.Interpreter(model)
    if level is not None:
        interpreter.setSessionHint(WINOGRAD_MEMORY_LEVEL, level)
    session = interpreter.createSession({"backend": "CPU", **config})
    given = MNN.Tensor((1, *image.shape), MNN.Halide_Type_Float, image[None], MNN.Tensor_DimensionType_Caffe)
    x, y = interpreter.getSessionInput(session), interpreter.getSessionOutput(session)
    shape = responses_shape(image, kernels)

    def run() -> np.ndarray:
        x.copyFrom(given)  # each time: the session uses this memory for other things too
        interpreter.runSession(session)
        return y.getNumpyData().reshape(shape)  # the session's own memory

    return run


def sessions(image: np.ndarray, kernels: np.ndarray, threads: int, level: int | None, precisions: list) -> list[Call]:
    with quiet(), tempfile.TemporaryDirectory() as folder:
        model = model_of(image, kernels, folder)
        configs = [{"precision": precision, "numThread": threads} for precision in precisions]
        return [session_call(image, kernels, model, config, level) for config in configs]


WAYS = {
    "mnn": lambda image, kernels, threads: sessions(image, kernels, threads, None, ["normal", "high"]),
    "mnn_level1": lambda image, kernels, threads: sessions(image, kernels, threads, 1, ["high"]),
}
