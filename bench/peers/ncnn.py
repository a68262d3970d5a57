"""ncnn: a net of one Convolution in f32, which picks direct, im2col or Winograd by itself."""

from __future__ import annotations

import tempfile
from pathlib import Path

import ncnn
import numpy as np

from . import Call

VERSION = ncnn.__version__


def convolution(image: np.ndarray, kernels: np.ndarray, threads: int) -> list[Call]:
    count, _, kernel_height, kernel_width = kernels.shape
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    # As in ncnn's own benchmark. Without them each call maps its memory anew: bank7 takes 86 ms instead of 58
    # (2026-11-25, AMD EPYC, Zen 4, one thread).
    allocators = ncnn.UnlockedPoolAllocator(), ncnn.PoolAllocator()
    net.opt.blob_allocator, net.opt.workspace_allocator = allocators

    # The format's magic number, the numbers of layers and blobs, the layers. 0: kernels, 1 and 11: width and height,
    # 5: no bias, 6: all weights. The weights begin with a word that tells their type, 0 for f32.
    net.load_param_mem(
        "7767517\n2 2\nInput in 0 1 x\n"
        f"Convolution conv 1 1 x y 0={count} 1={kernel_width} 11={kernel_height} 5=0 6={kernels.size}\n"
    )
    with tempfile.TemporaryDirectory() as folder:  # from memory, Python can hand over text only
        weights = Path(folder, "weights.bin")
        weights.write_bytes(bytes(4) + kernels.tobytes())
        if net.load_model(str(weights)) != 0:
            raise ValueError("ncnn does not load this model")
    x = ncnn.Mat(image)  # the array itself

    def run() -> np.ndarray:
        with net.create_extractor() as extractor:
            extractor.input("x", x)
            status, y = extractor.extract("y")
        if status != 0:
            raise ValueError(f"ncnn's extract() returns {status}")
        return np.asarray(y)

    run.keep = image, allocators  # which the net refers to
    return [run]


WAYS = {"ncnn": convolution}
