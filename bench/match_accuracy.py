#!/usr/bin/env python3
"""Normalised scores of match() against float64 in two passes, on every picture that scikit-image ships."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Iterator, NamedTuple

import numpy as np
import skimage
from skimage import io

import corrbank

NORMED = ("ccoeff_normed", "ccorr_normed", "sqdiff_normed", "zncc")
MEANS_OVER = {"ccoeff_normed": (2,), "zncc": (1, 2)}  # axes of [windows, C, pixels]
ALGORITHMS = ("auto", "direct", "fft", "winograd")
SIZES = ((3, 3), (5, 5), (7, 12), (16, 16), (31, 31), (63, 63))
PEDESTAL = 60000
SIDE = 128  # of the parts that a picture is cropped to


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="example:\n  PYTHONPATH=build/dev/python .venv-peers/bin/python bench/match_accuracy.py",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--pictures", metavar="NAME,...", help="some of them (all)")
    parser.add_argument("--target", help="target to run on (the best)")
    arguments = parser.parse_args()
    chosen = pictures()
    if arguments.pictures:
        chosen = {name: chosen[name] for name in arguments.pictures.split(",")}
    compare(chosen, arguments.target)


def pictures() -> dict[str, np.ndarray]:
    """[C, H, W] of each picture, and of colour ones a plane by itself. Values that are not finite become 0."""
    found = {}
    for path in sorted(Path(skimage.__file__).parent.joinpath("data").iterdir()):
        if path.suffix in (".png", ".jpg", ".gif", ".tif"):
            values = io.imread(path)
        elif path.suffix == ".npy":
            values = np.load(path).astype(np.float32)
        elif path.suffix == ".npz":
            values = np.nan_to_num(np.load(path)["arr_0"], posinf=0)
        else:
            continue
        if values.ndim == 4 or values.ndim == 3 and values.shape[2] not in (3, 4):  # pages or faces: in rows of 20
            rows = [np.concatenate(values[i : i + 20], axis=1) for i in range(0, len(values), 20)]
            values = np.concatenate([row for row in rows if row.shape == rows[0].shape])
        planes = values[None] if values.ndim == 2 else values.transpose(2, 0, 1)
        found[path.name] = np.ascontiguousarray(planes)
        if len(planes) > 1:
            found[path.name + ":1"] = found[path.name][1:2]
    return found


def parts(picture: np.ndarray) -> Iterator[np.ndarray]:
    """Two corners, and the middle with a third of it flat."""
    for at in (0.0, 1.0, 0.5):
        y, x = (round(at * max(0, extent - SIDE)) for extent in picture.shape[1:])
        part = picture[:, y : y + SIDE, x : x + SIDE].copy()
        if at == 0.5:
            part[:, :, : part.shape[2] // 3] = part[:, :1, :1]
        yield part


def templates_of(part: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Cut where pixels differ most, and least; the first half flat; flat but for a pixel; a negative from elsewhere."""
    h, w = size
    windows = np.lib.stride_tricks.sliding_window_view(part, size, axis=(1, 2))[:, :: h // 3, :: w // 3]
    spread = windows.astype(np.float64).std(axis=(3, 4)).sum(axis=0)
    least_spread = np.where(spread > 0, spread, np.inf)
    places = [np.unravel_index(flat, spread.shape) for flat in (spread.argmax(), least_spread.argmin(), spread.size // 2)]
    most, least, other = (windows[:, y, x].copy() for y, x in places)
    half, odd = most.copy(), np.full_like(most, most.min())
    half[:, : h // 2] = half[:, :1, :1]
    odd[:, h // 2, w // 2] = most.max()
    return np.stack([most, least, half, odd, part.max() - other])


def reference(image: np.ndarray, templates: np.ndarray) -> dict[str, np.ndarray]:
    """Scores by the definitions of match.hpp, in two passes, of every `step(h)`-th row; 0 where they mean nothing."""
    count, channels, h, w = templates.shape
    t = templates.reshape(count, channels, h * w).astype(np.float64)
    rows = np.lib.stride_tricks.sliding_window_view(image.astype(np.float64), (h, w), axis=(1, 2)).swapaxes(0, 1)[:: step(h)]
    scores = {method: np.empty((count, len(rows), rows.shape[2])) for method in NORMED}
    for y, row in enumerate(rows):
        windows = row.swapaxes(0, 1).reshape(-1, channels, h * w)
        for axes in {MEANS_OVER.get(method) for method in NORMED}:
            a, b = without_means(t, axes), without_means(windows, axes)
            products, own, energies = a @ b.T, constants_to_zero(a, t), constants_to_zero(b, windows)
            norms = np.sqrt(own[:, None] * energies)
            for method in NORMED:
                if MEANS_OVER.get(method) != axes:
                    continue
                distance = method.startswith("sqdiff")
                made = np.stack([((b - one) ** 2).sum(axis=1) for one in a]) if distance else products
                scores[method][:, y] = np.divide(made, norms, out=np.zeros_like(made), where=norms > 0)
    return scores


def step(height: int) -> int:
    """Rows of windows to the next that is compared: windows that share most of their pixels say little new."""
    return max(1, height // 8)


def without_means(values: np.ndarray, axes: tuple[int, ...] | None) -> np.ndarray:
    """[n, C, pixels] less their means, as [n, elements]."""
    if axes is not None:
        values = values - values.mean(axis=axes, keepdims=True)
    return values.reshape(len(values), -1)


def constants_to_zero(values: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Energies; what remains of a constant without its mean is rounding."""
    energies = (values**2).sum(axis=1)
    return np.where(energies > 1e-24 * (before**2).sum(axis=(1, 2)), energies, 0)


class Worst(NamedTuple):
    error: float = 0.0
    where: str = ""


def compare(chosen: dict[str, np.ndarray], target: str | None) -> None:
    worst: dict[tuple[str, str, str], Worst] = {}
    compared: Counter[tuple[str, str]] = Counter()
    largest = 0.0
    for name, picture in chosen.items():
        for number, part in enumerate(parts(picture)):
            for size in SIZES:
                if size[0] > part.shape[1] or size[1] > part.shape[2]:
                    continue
                for kind, image, templates in kinds(part, templates_of(part, size)):
                    expected = reference(image, templates)
                    for method, algorithm, scores in all_scores(image, templates, target):
                        scores = scores[:, :: step(size[0])]
                        error = float((np.abs(scores - expected[method]) / np.maximum(np.abs(expected[method]), 1)).max())
                        largest = max(largest, float(np.abs(scores).max()) if method != "sqdiff_normed" else 0)
                        where = f"{name}, part {number}, {size[0]}x{size[1]}"
                        key = kind, algorithm, method
                        worst[key] = max(worst.get(key, Worst()), Worst(error, where))
                        compared[kind, algorithm] += scores.size
        print(f"{name}: so far {max(worst.values()).error:.1e}", flush=True)
    print(f"\n| data | algorithm | {' | '.join(NORMED)} | scores |\n|---|---|{'---|' * (len(NORMED) + 1)}")
    for kind, algorithm in compared:
        errors = " | ".join(f"{worst[kind, algorithm, method].error:.1e}" for method in NORMED)
        print(f"| {kind} | {algorithm} | {errors} | {compared[kind, algorithm] / 1e6:.1f} million |")
    print(f"\nlargest |score| but of sqdiff_normed: {largest:.9g}\nlargest errors:")
    for key, (error, where) in sorted(worst.items(), key=lambda item: -item[1].error)[:8]:
        print(f"  {error:.2e} {', '.join(key)}: {where}")


def kinds(part: np.ndarray, templates: np.ndarray) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """The same pixels as each element type that can hold them."""
    for pedestal in (0, PEDESTAL):
        label = f"f32 + {pedestal}" if pedestal else "f32"
        yield label, part.astype(np.float32) + np.float32(pedestal), templates.astype(np.float32) + np.float32(pedestal)
    if part.dtype == np.uint8:
        yield "u8", part, templates
        yield "u16", part * np.uint16(257), templates * np.uint16(257)


def all_scores(image: np.ndarray, templates: np.ndarray, target: str | None) -> Iterator[tuple[str, str, np.ndarray]]:
    for method in NORMED:
        for algorithm in ALGORITHMS:
            try:
                prepared = corrbank.Templates(templates, method=method, algorithm=algorithm, target=target)
                yield method, algorithm, prepared.match(image)
            except ValueError as error:
                if algorithm in ("auto", "direct"):
                    raise error


if __name__ == "__main__":
    main()
