"""The rows of a library for one shape: what is fastest for it, with its extents as constants, and what any other shape needs."""

from __future__ import annotations

from typing import Any

import choose
import space
from measuring import Way

FALLBACK_POSITIONS = 4  # of pixels at a time: half the code of 8, and about half the speed
SMALL_UNPACK = 1  # for rows that few calls take: 0.1 KB of code, where squares of 16 are 12


def kernels(
    target: space.Target, extents: list[int], times: choose.Times, ways: list[Way]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The "kernels" of two tuned files, with rows for any extents and with the shape's as constants."""
    count = extents[3]
    measured = [way for way in ways if way.name in times]
    rows = {algorithm: [choose.row_of(way.name) for way in measured if way.algorithm == algorithm] for algorithm in choose.TIMES}
    best = choose.best_times(times, rows, count)
    algorithm = min(best, key=best.__getitem__)
    made = {**space.everything(target), "fft_sizes": [], "fft_products": [], "winograd_variants": [], "winograd_products": []}
    # Any geometry and any number of kernels.
    made["direct"] = [f"pixels {FALLBACK_POSITIONS} {max(1, space.BLOCK // target.lanes)}"]
    made["unpack_side"] = SMALL_UNPACK
    constant = dict(made)
    if algorithm == "direct":
        needed = choose.needed_direct(times, rows["direct"], count)
        by_row = {choose.row_of(way.name): way for way in measured if way.algorithm == "direct"}
        if any(row.startswith("pixels") for row in needed):
            made["unpack_side"] = constant["unpack_side"] = max(SMALL_UNPACK, target.lanes)
        made["direct"] = list(dict.fromkeys(needed + made["direct"]))
        constant["direct"] = [with_constants(row, by_row[row]) for row in needed] + constant["direct"]
        constant["direct"] = list(dict.fromkeys(constant["direct"]))
        return made, constant
    way = min((way for way in measured if way.algorithm == algorithm), key=lambda way: times[way.name][0])
    sides = way.name.split("/")[1].split("x")
    row = choose.row_of(way.name)
    if algorithm == "winograd":
        variant = f"{sides[0]} {extents[4]} {sides[1]} {extents[5]}"
        made.update(winograd_variants=[variant], winograd_products=[row])
        constant.update(winograd_variants=[variant], winograd_products=[with_constants(row, way)])
    else:  # whose extents are constants anyhow
        sizes = sorted({int(side) for side in sides})
        made.update(fft_sizes=sizes, fft_products=[row])
        constant.update(fft_sizes=sizes, fft_products=[row])
    return made, constant


def with_constants(row: str, way: Way) -> str:
    return row if way.constants == "-" else " ".join([row, *way.constants.split(",")])
