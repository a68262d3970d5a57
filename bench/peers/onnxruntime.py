"""ONNX Runtime: a model of one Conv, image and responses bound to memory that exists."""

from __future__ import annotations

import numpy as np
import onnxruntime

from . import Call, responses_shape
from .onnx_model import conv_model

VERSION = onnxruntime.__version__


def conv(image: np.ndarray, kernels: np.ndarray, threads: int) -> list[Call]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Its threads would otherwise go on spinning in the turns of the others.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    model = conv_model(image, kernels)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    out = np.empty((1, *responses_shape(image, kernels)), np.float32)
    binding = session.io_binding()
    binding.bind_cpu_input("x", image[None])
    binding.bind_output("y", "cpu", 0, np.float32, out.shape, out.ctypes.data)

    def run() -> np.ndarray:
        session.run_with_iobinding(binding)
        return out[0]

    return [run]


WAYS = {"onnxruntime": conv}
