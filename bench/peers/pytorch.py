"""PyTorch: conv2d as users call it and, where this build has it, the same with weights in oneDNN's own order."""

from __future__ import annotations

import numpy as np
import torch

from . import Call

VERSION = torch.__version__


def conv2d(image: np.ndarray, kernels: np.ndarray, threads: int) -> list[Call]:
    torch.set_num_threads(threads)
    x, w = torch.from_numpy(image)[None], torch.from_numpy(kernels)

    def plain() -> np.ndarray:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(x, w)[0].numpy()

    if not torch.backends.mkldnn.is_available():
        return [plain]
    ones, zeros = [1, 1], [0, 0]
    packed_w = torch._C._nn.mkldnn_reorder_conv2d_weight(w.to_mkldnn(), zeros, ones, ones, 1, list(x.shape))

    def packed() -> np.ndarray:
        with torch.inference_mode():
            conv = torch.ops.mkldnn._convolution_pointwise
            return conv(x, packed_w, None, zeros, ones, ones, 1, "none", [], "")[0].numpy()

    return [plain, packed]


WAYS = {"pytorch": conv2d}
