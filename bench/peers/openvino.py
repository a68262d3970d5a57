"""OpenVINO: a model of one Convolution in f32, image and responses in memory that exists."""

from __future__ import annotations

import numpy as np
import openvino
from openvino import opset8 as opset

from . import Call, responses_shape

VERSION = openvino.__version__.split("-")[0]


def convolution(image: np.ndarray, kernels: np.ndarray, threads: int) -> list[Call]:
    x = opset.parameter([1, *image.shape], np.float32)
    y = opset.convolution(x, opset.constant(kernels), [1, 1], [0, 0], [0, 0], [1, 1])
    config = {
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32",  # bf16 where the CPU has it, otherwise
        "ENABLE_CPU_PINNING": False,
    }
    request = openvino.Core().compile_model(openvino.Model([y], [x]), "CPU", config).create_infer_request()
    out = np.empty((1, *responses_shape(image, kernels)), np.float32)
    request.set_input_tensor(openvino.Tensor(image[None], shared_memory=True))
    request.set_output_tensor(openvino.Tensor(out, shared_memory=True))

    def run() -> np.ndarray:
        request.infer()
        return out[0]

    return [run]


WAYS = {"openvino": convolution}
