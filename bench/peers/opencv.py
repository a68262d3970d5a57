"""OpenCV's three ways: a network of one convolution, template matching, linear filters."""

from __future__ import annotations

import cv2
import numpy as np

from . import Call, responses_shape
from .onnx_model import conv_model

VERSION = cv2.__version__
MOST_CHANNELS = 4  # that matchTemplate takes


def dnn(image: np.ndarray, kernels: np.ndarray, threads: int) -> list[Call]:
    cv2.setNumThreads(threads)
    x, model = image[None], np.frombuffer(conv_model(image, kernels), np.uint8)

    def call(net: cv2.dnn.Net) -> Call:
        def run() -> np.ndarray:
            net.setInput(x)
            return net.forward()[0]

        return run

    # Neither of the engines of OpenCV 5 is always the faster one.
    return [call(cv2.dnn.readNetFromONNX(model, engine)) for engine in (cv2.dnn.ENGINE_CLASSIC, cv2.dnn.ENGINE_NEW)]


def ccorr(image: np.ndarray, kernels: np.ndarray, threads: int) -> list[Call]:
    """matchTemplate, kernel by kernel: directly or by FFT. It reads interleaved channels, made before the clock starts.

    More than 4 channels would take a call and an addition for each: 5 s in the seed case.
    """
    if image.shape[0] > MOST_CHANNELS:
        raise ValueError(f"matchTemplate takes {MOST_CHANNELS} channels at most")
    cv2.setNumThreads(threads)
    pixels = np.ascontiguousarray(image.transpose(1, 2, 0))
    templates = [np.ascontiguousarray(kernel.transpose(1, 2, 0)) for kernel in kernels]
    out = np.empty(responses_shape(image, kernels), np.float32)

    def run() -> np.ndarray:
        for template, responses in zip(templates, out):
            cv2.matchTemplate(pixels, template, cv2.TM_CCORR, responses)
        return out

    return [run]


def filter2d(image: np.ndarray, kernels: np.ndarray, threads: int) -> list[Call]:
    """Kernel by kernel: directly or by FFT. Always computes a response for each pixel, those of the border too."""
    if image.shape[0] != 1:
        raise ValueError("filter2D sums over no channels")
    cv2.setNumThreads(threads)
    _, height, width = responses_shape(image, kernels)
    out = np.empty((len(kernels), *image.shape[1:]), np.float32)

    def run() -> np.ndarray:
        for (kernel,), responses in zip(kernels, out):
            cv2.filter2D(image[0], cv2.CV_32F, kernel, responses, (0, 0), 0, cv2.BORDER_CONSTANT)
        return out[:, :height, :width]

    return [run]


WAYS = {"opencv_dnn": dnn, "opencv_ccorr": ccorr, "opencv_filter2d": filter2d}
