"""Chooses rows: the fewest with which every shape is done about as fast as with all of them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from space import ALWAYS_DIRECT_WIDTHS, BLOCK

# {way: (nanoseconds, kernels, kernels of a tile)} of a shape
Times = dict[str, tuple[float, int, int]]

# What a row must save to be kept: so much of one shape's time, or of several shapes' together.
WORTH = 0.01
# A shape that another algorithm does faster by this factor says little of an algorithm's rows.
FAR_FROM_BEST = 1.5
WEIGHT_FAR_FROM_BEST = 0.2


def row_of(name: str) -> str:
    """The tuned file's words for the row of a way: "rows 3 8" of "direct/rows_3x8"."""
    part = name.split("/")[1 if name.startswith("direct") else 2]
    over, positions, kernels, size, constants = re.fullmatch(r"([a-z]+)_(\d+)x(\d+)(?:_size(\d+))?(.*)", part).groups()
    words = [over, positions, kernels, *([size] if size else [])]
    return " ".join(words + [f"{name}={value}" for name, value in re.findall(r"_([a-z_]+)(\d+)", constants)])


def direct_time(times: Times, rows: frozenset[str], kernels: int) -> float:
    """Of all kernels by these rows: whole blocks of 16, then what is left, each by the cheapest tiles."""
    blocks: dict[int, float] = {}  # a tile's number of blocks: its time
    tiles: dict[int, float] = {}  # a tile's number of kernels: its time
    for name, (nanoseconds, done, width) in times.items():
        if not name.startswith("direct") or row_of(name) not in rows:
            continue
        tile = nanoseconds / max(1, done // width)
        if "/pixels" in name:
            if kernels >= width:
                blocks[width // BLOCK] = min(tile, blocks.get(width // BLOCK, math.inf))
            if width == BLOCK and kernels % BLOCK:
                tiles[kernels % BLOCK] = min(tile, tiles.get(kernels % BLOCK, math.inf))
        else:
            tiles[width] = min(tile, tiles.get(width, math.inf))
            if BLOCK % width == 0:
                blocks[1] = min(tile * BLOCK / width, blocks.get(1, math.inf))
    return cover(blocks, kernels // BLOCK) + cover(tiles, kernels % BLOCK)


def cover(tiles: dict[int, float], whole: int) -> float:
    @lru_cache(maxsize=None)
    def least(left: int) -> float:
        if left == 0:
            return 0.0
        return min((time + least(left - width) for width, time in tiles.items() if width <= left), default=math.inf)

    for part in range(0, whole, 200):  # keeps the recursion shallow
        least(part)
    return least(whole)


def other_time(algorithm: str) -> Callable[[Times, frozenset[str], int], float]:
    def time(times: Times, rows: frozenset[str], kernels: int) -> float:
        found = [t for name, (t, _, _) in times.items() if name.startswith(algorithm) and row_of(name) in rows]
        return min(found, default=math.inf)

    return time


def sizes_of(name: str) -> set[int]:
    """The sides of the transforms of a way of the FFT; of another algorithm's, none."""
    return set(map(int, name.split("/")[1].split("x"))) if name.startswith("fft") else set()


def time_of_sizes(times: Times, sizes: frozenset[int], kernels: int) -> float:
    return min((t for name, (t, _, _) in times.items() if name.startswith("fft") and sizes_of(name) <= sizes), default=math.inf)


TIMES = {"direct": direct_time, "winograd": other_time("winograd"), "fft": other_time("fft")}


def best_times(times: Times, rows: dict[str, list[str]], kernels: int) -> dict[str, float]:
    """The shortest of each algorithm by these rows."""
    return {algorithm: TIMES[algorithm](times, frozenset(rows[algorithm]), kernels) for algorithm in TIMES}


def choose(shapes: dict[str, tuple[Times, int]], algorithm: str, rows: list[str], fixed: list[str]) -> list[str]:
    """Rows out of `rows`, the most useful first, and `fixed` ones. `shapes`: {name: (times, number of kernels)}."""
    return fewest(shapes, TIMES[algorithm], rows, fixed)


def sizes(shapes: dict[str, tuple[Times, int]], all_sizes: list[int]) -> list[int]:
    """Those of the FFT's transforms that are needed, as rows are; the smallest and the largest always, for kernels of any size."""
    return sorted(fewest(shapes, time_of_sizes, all_sizes, [all_sizes[0], all_sizes[-1]]))


def fewest(shapes: dict[str, tuple[Times, int]], time: Callable[..., float], rows: list[Any], fixed: list[Any]) -> list[Any]:
    """Out of `rows`, by the time that some of them take."""
    everything = frozenset(rows)
    ideal, weights = {}, {}
    for shape, (times, kernels) in shapes.items():
        ideal[shape] = time(times, everything, kernels)
        others = [other(times, frozenset(map(row_of, times)), kernels) for other in TIMES.values()]
        weights[shape] = 1.0 if ideal[shape] <= FAR_FROM_BEST * min(others) else WEIGHT_FAR_FROM_BEST
    counted = [shape for shape in shapes if math.isfinite(ideal[shape])]

    def loss(chosen: list[Any]) -> float:
        # What cannot be done at all by these rows is far too slow.
        total = 0.0
        for shape in counted:
            times, kernels = shapes[shape]
            slower = time(times, frozenset(chosen), kernels) / ideal[shape]
            total += weights[shape] * (math.log(slower) if math.isfinite(slower) else 1e3)
        return total

    chosen = list(fixed)
    left = [row for row in rows if row not in chosen]
    now = loss(chosen)
    while left:
        losses = {row: loss([*chosen, row]) for row in left}
        row = min(losses, key=losses.__getitem__)
        if losses[row] > now - WORTH:
            break
        chosen.append(row)
        left.remove(row)
        now = losses[row]
    # What later ones have made useless.
    for row in [row for row in chosen if row not in fixed]:
        without = [other for other in chosen if other != row]
        if loss(without) <= now + WORTH / 2:
            chosen, now = without, loss(without)
    return chosen


def needed_direct(times: Times, rows: list[str], kernels: int) -> list[str]:
    """The rows with which all kernels are done as fast as with all of `rows`, the widest first."""
    whole = direct_time(times, frozenset(rows), kernels)
    needed = sorted(set(rows), key=lambda row: int(row.split()[2]))
    for row in list(needed):
        without = [other for other in needed if other != row]
        if direct_time(times, frozenset(without), kernels) <= whole * (1 + 1e-9):
            needed = without
    return needed[::-1]


def fixed_direct(shapes: dict[str, tuple[Times, int]], rows: list[str]) -> list[str]:
    """The best over all shapes of each kind that a target must have: `rows` of some widths, and `pixels` of one block of kernels,
    which does images that are narrower than a vector too."""
    kernels = {row: int(row.split()[2]) for row in rows}
    block = min((kernels[row] for row in rows if row.startswith("pixels")), default=0)  # in vectors
    kinds = [[row for row in rows if row.startswith("rows") and kernels[row] == width] for width in ALWAYS_DIRECT_WIDTHS]
    kinds.append([row for row in rows if row.startswith("pixels") and kernels[row] == block])

    def slowness(row: str, kind: list[str]) -> float:
        total = 0.0
        for times, _ in shapes.values():
            of_kind = {row_of(n): t / k for n, (t, k, _) in times.items() if n.startswith("direct") and row_of(n) in kind}
            if row in of_kind:
                total += math.log(of_kind[row] / min(of_kind.values()))
        return total

    return [min(kind, key=lambda row: slowness(row, kind)) for kind in kinds if kind]
