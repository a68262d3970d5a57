"""A bank of oriented filters: Gabor pairs of a few scales and orientations.

An even (cosine) and an odd (sine) filter of one scale and orientation form a pair: the root of the sum of their squared
responses is the energy, which marks lines and edges alike and does not oscillate along them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WAVELENGTHS = (5.0, 8.0, 12.5)  # pixels
ORIENTATIONS = 8
SIZE = 33


@dataclass(frozen=True)
class OrientedBank:
    kernels: np.ndarray  # f32 [scales * orientations * 2, 1, SIZE, SIZE]; the last factor is (even, odd)
    wavelengths: tuple[float, ...]  # one a scale, in pixels
    angles: tuple[float, ...]  # one an orientation: degrees of the lines it answers to, anticlockwise, 0 = horizontal

    def split(self, responses: np.ndarray) -> np.ndarray:
        """Responses [K, Ho, Wo] as [scales, orientations, 2, Ho, Wo]; a view."""
        return responses.reshape(len(self.wavelengths), len(self.angles), 2, *responses.shape[1:])


def oriented_bank() -> OrientedBank:
    angles = tuple(180.0 * o / ORIENTATIONS for o in range(ORIENTATIONS))
    pairs = [gabor_pair(wavelength, angle) for wavelength in WAVELENGTHS for angle in angles]
    return OrientedBank(np.concatenate(pairs)[:, None].astype(np.float32), WAVELENGTHS, angles)


def gabor_pair(wavelength: float, angle: float) -> np.ndarray:
    """Even and odd filter [2, SIZE, SIZE] for lines at `angle` degrees, zero mean, sum of magnitudes 1."""
    y, x = np.mgrid[:SIZE, :SIZE] - (SIZE - 1) / 2
    theta = np.deg2rad(angle)
    # Rows grow downwards, angles anticlockwise: hence the sign of y.
    along = x * np.cos(theta) - y * np.sin(theta)
    across = x * np.sin(theta) + y * np.cos(theta)
    sigma = 0.42 * wavelength
    envelope = np.exp(-0.5 * ((across / sigma) ** 2 + (along / (1.4 * sigma)) ** 2))
    pair = envelope * np.stack([np.cos(2 * np.pi * across / wavelength), np.sin(2 * np.pi * across / wavelength)])
    # The mean is taken out under the envelope, so that the filter still fades to zero at its border.
    pair -= envelope * (pair.sum(axis=(1, 2), keepdims=True) / envelope.sum())
    return pair / np.abs(pair).sum(axis=(1, 2), keepdims=True)
