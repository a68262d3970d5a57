"""The model of one convolution that several libraries read."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from . import responses_shape


def conv_model(image: np.ndarray, kernels: np.ndarray) -> bytes:
    """x [1, C, H, W] -> y [1, K, H - kh + 1, W - kw + 1]."""
    shapes = {"x": [1, *image.shape], "y": [1, *responses_shape(image, kernels)]}
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items())
    conv = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=list(kernels.shape[2:]))
    graph = helper.make_graph([conv], "correlate", [x], [y], [numpy_helper.from_array(kernels, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
