"""The part of `corrbank demo` that finds parts of a photograph in another view of it."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from .find_command import annotate
from .inputs import Pixels
from .matching import Match, Templates

_SIZE = 40
_MOVED = (11, 17)  # rows and columns that the second view misses at the top and on the left
_SEED = 20261125


def second_view(photograph: Image.Image) -> np.ndarray:
    """[3, H, W] uint8: another frame, out of focus, darker, noisy, and turned by 2 degrees."""
    turned = photograph.filter(ImageFilter.GaussianBlur(1.2)).rotate(2, resample=Image.Resampling.BICUBIC)
    pixels = np.asarray(turned, np.float64).transpose(2, 0, 1)[:, _MOVED[0] :, _MOVED[1] :]
    noise = np.random.default_rng(_SEED).normal(0, 6, pixels.shape)
    return np.ascontiguousarray(np.clip(0.7 * pixels + 10 + noise, 0, 255), np.uint8)


def parts_of(photograph: Image.Image, count: int = 6) -> np.ndarray:
    """[count, 3, 40, 40] uint8: the parts with the most contrast, no two of them neighbours."""
    pixels = np.ascontiguousarray(np.asarray(photograph, np.uint8).transpose(2, 0, 1))
    margin = 2 * _SIZE
    places = [
        (y, x)
        for y in range(margin, pixels.shape[1] - margin, _SIZE)
        for x in range(margin, pixels.shape[2] - margin, _SIZE)
    ]
    places.sort(key=lambda p: -float(pixels[:, p[0] : p[0] + _SIZE, p[1] : p[1] + _SIZE].std()))
    chosen: list[tuple[int, int]] = []
    for y, x in places:
        if len(chosen) < count and all(max(abs(y - v), abs(x - u)) > _SIZE for v, u in chosen):
            chosen.append((y, x))
    return np.stack([pixels[:, y : y + _SIZE, x : x + _SIZE] for y, x in chosen])


def find_parts(
    photograph: Image.Image, picture_path: Path, threads: int | None, target: str | None
) -> tuple[list[Match], float]:
    """What was found in the second view, which is drawn, and in how many seconds."""
    view, parts = second_view(photograph), parts_of(photograph)
    templates = Templates(parts, target=target)
    templates.find(view, threads=threads)
    start = time.perf_counter()
    found = templates.find(view, threads=threads)
    seconds = time.perf_counter() - start
    annotate(Pixels(view), [(match, (_SIZE, _SIZE)) for match in found]).save(picture_path)
    return found, seconds
