"""The float64 reference of the tests, and the data they share."""

from __future__ import annotations

import numpy as np

import corrbank

SEED = 20261123

# Those whose arrays lie on the CPU.
CPU_TARGETS = [name for name in corrbank.targets() if name != "cuda"]


def random_case(image_shape: tuple[int, ...], kernels_shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(SEED)
    return rng.standard_normal(image_shape, np.float32), rng.standard_normal(kernels_shape, np.float32)


def integer_case(image_shape: tuple[int, ...], kernels_shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Values whose products and sums float32 holds exactly."""
    rng = np.random.default_rng(SEED)
    return (
        rng.integers(-8, 9, image_shape).astype(np.float32),
        rng.integers(-8, 9, kernels_shape).astype(np.float32),
    )


def expected_responses(image: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), kernels.shape[2:], axis=(1, 2))
    return np.einsum("cyxij,kcij->kyx", windows, kernels.astype(np.float64), optimize=True)


def assert_within_bound(computed: np.ndarray, image: np.ndarray, kernels: np.ndarray) -> None:
    """|computed - exact| <= gamma_n sum |image kernel|, as the C++ header promises."""
    terms = kernels[0].size
    unit = 2.0**-24
    bound = terms * unit / (1 - terms * unit) * expected_responses(np.abs(image), np.abs(kernels))
    excess = np.abs(computed - expected_responses(image, kernels)) - bound
    assert (excess <= 0).all(), f"seed {SEED}: beyond the bound by {excess.max()} at {np.argmax(excess)}"
