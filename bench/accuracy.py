#!/usr/bin/env python3
"""Errors of each algorithm against float64, over random, image-like and large-offset data: the table of docs/accuracy.md.

beta is the error relative to |kernel| |window|, what a perfect match of the largest window would respond; e is the error
relative to the largest response.
"""

from __future__ import annotations

import argparse

import numpy as np

import corrbank

CASES = {  # C, H, W, K, kh, kw
    "1 channel 3x3": (1, 64, 64, 16, 3, 3),
    "16 channels 3x3": (16, 64, 64, 16, 3, 3),
    "seed": (128, 200, 200, 50, 3, 3),
    "256 channels 3x3": (256, 32, 32, 32, 3, 3),
    "512 channels 3x3": (512, 24, 24, 32, 3, 3),
    "seed5": (128, 200, 200, 50, 5, 5),
    "128 channels 1x7": (128, 40, 64, 32, 1, 7),
    "128 channels 3x1": (128, 40, 64, 32, 3, 1),
    "seed7": (128, 200, 200, 50, 7, 7),
    "bank15": (1, 512, 512, 16, 15, 15),
    "tmpl63": (1, 512, 512, 8, 63, 63),
    "3 channels 127x127": (3, 400, 400, 4, 127, 127),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example:\n  PYTHONPATH=build/dev/python bench/accuracy.py",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", help="target to run on (the best)")
    target = parser.parse_args().target
    print("| case | algorithm | variant | data | beta | e |\n|---|---|---|---|---|---|")
    for name, shape in CASES.items():
        for algorithm in ("direct", "winograd", "fft"):
            for data in ("random", "image-like", "large-offset"):
                image, kernels = case(shape, data)
                bank = corrbank.Bank(kernels, algorithm=algorithm, target=target)
                try:
                    plan = corrbank.plan(image, bank)
                except ValueError:
                    break
                beta, relative = errors(image, kernels, bank.correlate(image))
                variant = "" if algorithm == "direct" else plan.text.split(": ", 1)[1].split(",")[0]
                if algorithm == "winograd":
                    variant = plan.text[plan.text.index("F(") : plan.text.index(")") + 1]
                print(f"| {name} | {algorithm} | {variant} | {data} | {beta:.1e} | {relative:.1e} |", flush=True)


def case(shape: tuple[int, ...], data: str) -> tuple[np.ndarray, np.ndarray]:
    channels, height, width, count, kernel_height, kernel_width = shape
    rng = np.random.default_rng(2026)
    image = rng.standard_normal((channels, height, width))
    kernels = rng.standard_normal((count, channels, kernel_height, kernel_width)).astype(np.float32)
    if data == "large-offset":
        image += 60000 + 1000 * (np.arange(channels) % 7)[:, None, None]
    if data == "image-like":
        y, x = np.mgrid[:height, :width]
        image = 2 * image + 90 + 60 * np.sin(0.21 * x + 0.13 * y) + 30 * np.cos(0.05 * x - 0.17 * y) + 50 * (x > 0.6 * y + 5)
        kernels -= kernels.mean(axis=(1, 2, 3), keepdims=True)
    return image.astype(np.float32), kernels


def errors(image: np.ndarray, kernels: np.ndarray, responses: np.ndarray) -> tuple[float, float]:
    """Over some of the kernels. The image's means are taken off before the reference's FFT, and given back exactly."""
    pixels = image.astype(np.float64)
    means = pixels.mean(axis=(1, 2), keepdims=True)
    spectra = np.fft.rfft2(pixels - means)
    squares = np.pad(((pixels - means) ** 2).sum(0).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    kh, kw = kernels.shape[2:]
    windows = squares[kh:, kw:] - squares[:-kh, kw:] - squares[kh:, :-kw] + squares[:-kh, :-kw]
    largest_window = np.sqrt(windows.max())
    beta, worst, largest = 0.0, 0.0, 0.0
    for k in sorted({0, len(kernels) // 2, len(kernels) - 1}):
        taps = kernels[k].astype(np.float64)
        plane = np.fft.irfft2((spectra * np.conj(np.fft.rfft2(taps, image.shape[1:]))).sum(0), image.shape[1:])
        exact = plane[: responses.shape[1], : responses.shape[2]] + (means[:, 0, 0] * taps.sum(axis=(1, 2))).sum()
        error = np.abs(responses[k] - exact)
        beta = max(beta, float((error - 2.0**-23 * np.abs(exact)).max() / (largest_window * np.sqrt((taps**2).sum()))))
        worst, largest = max(worst, float(error.max())), max(largest, float(np.abs(exact).max()))
    return beta, worst / largest


if __name__ == "__main__":
    main()
