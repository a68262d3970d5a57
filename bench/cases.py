"""The cases that compare.py times: those of shapes.csv, and random ones; their data, and the responses in float64."""

from __future__ import annotations

import csv
import functools
import math
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np

SHAPES = Path(__file__).with_name("shapes.csv")

COMMON_SIDES = [1, 3, 3, 5, 7, 9, 11, 15]  # of kernels; half of the random ones have these
MIN_FLOPS, MAX_FLOPS = 1e6, 20e9  # of random cases: below, the call from Python is what counts
MAX_ELEMENTS = 1 << 25  # of random images, kernels, responses: 128 MiB

# Elements whose float64 transforms take about a second.
REFERENCE_ELEMENTS = 10_000_000


class Case(NamedTuple):
    channels: int
    height: int
    width: int
    kernels: int
    kernel_height: int
    kernel_width: int

    def __str__(self) -> str:
        return "{}x{}x{}_{}x{}x{}".format(*self)

    @property
    def response_positions(self) -> int:
        return (self.height - self.kernel_height + 1) * (self.width - self.kernel_width + 1)

    @property
    def flops(self) -> float:
        """Of the direct method, a multiplication and an addition for each product."""
        taps = self.channels * self.kernel_height * self.kernel_width
        return 2.0 * self.kernels * taps * self.response_positions

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Image and kernels, all of normal distribution."""
        rng = np.random.default_rng(2026)
        image = rng.standard_normal((self.channels, self.height, self.width), np.float32)
        kernels = (self.kernels, self.channels, self.kernel_height, self.kernel_width)
        return image, rng.standard_normal(kernels, np.float32)


@functools.lru_cache(maxsize=None)
def shapes() -> dict[str, Case]:
    with SHAPES.open(newline="") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))[1:]
    return {name: Case(*map(int, extents)) for name, *extents in rows}


def random_cases(count: int, seed: int) -> dict[str, Case]:
    """Extents of even distribution on a logarithmic scale, so from calls of 10 us to such of 200 ms."""
    rng = random.Random(seed)
    cases: dict[str, Case] = {}
    while len(cases) < count:
        case = draw(rng)
        if case.kernel_height > case.height or case.kernel_width > case.width:
            continue
        elements = case.kernels * max(case.channels * case.kernel_height * case.kernel_width, case.response_positions)
        elements = max(elements, case.channels * case.height * case.width)
        if MIN_FLOPS <= case.flops <= MAX_FLOPS and elements <= MAX_ELEMENTS:
            cases[str(case)] = case
    return cases


def draw(rng: random.Random) -> Case:
    def extent(least: int, most: int) -> int:
        return round(math.exp(rng.uniform(math.log(least), math.log(most))))

    def side() -> int:
        return rng.choice(COMMON_SIDES) if rng.random() < 0.5 else extent(1, 63)

    height, kernel_height = extent(8, 512), side()
    width = height if rng.random() < 0.5 else extent(8, 512)
    kernel_width = kernel_height if rng.random() < 0.75 else side()
    return Case(extent(1, 512), height, width, extent(1, 256), kernel_height, kernel_width)


def reference(image: np.ndarray, kernels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of some kernels, the first and the last among them, and their responses by float64 FFT.

    The transforms are as large as the image: what wraps around stays outside the valid region.
    """
    height, width = image.shape[1:]
    count, _, kernel_height, kernel_width = kernels.shape
    some = min(count, max(3, REFERENCE_ELEMENTS // image.size))
    chosen = np.unique(np.linspace(0, count - 1, some).round().astype(int))
    spectra = np.zeros((len(chosen), height, width // 2 + 1), complex)
    for plane, taps in zip(image, kernels[chosen].swapaxes(0, 1)):
        spectra += np.fft.rfft2(plane.astype(float)) * np.fft.rfft2(taps.astype(float), (height, width)).conj()
    responses = np.fft.irfft2(spectra, (height, width))
    return chosen, responses[:, : height - kernel_height + 1, : width - kernel_width + 1]
