"""Speaks to the measuring program, and times the ways to do a shape by successive halving."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from build import Failed


class Way(NamedTuple):
    """A way to do a shape: a row of direct, or a choice of rows of another algorithm (problem.h has the names)."""

    name: str
    predicted: float
    kernels: int
    tile_kernels: int
    constants: str = "-"

    @property
    def algorithm(self) -> str:
        return self.name.split("/")[0]

    @property
    def group(self) -> str:
        """Ways that stand in for each other: rows of direct for a number of kernels, or all of another algorithm."""
        return f"direct/{self.tile_kernels}" if self.algorithm == "direct" else self.algorithm


class Program:
    """The measuring program, where it is to run."""

    def __init__(self, command: list[str], core: int | None):
        pin = ["taskset", "-c", str(core)] if core is not None else []
        self._process = subprocess.Popen(
            pin + command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def ask(self, *words: Any) -> list[list[str]]:
        """The answer's lines, in words."""
        self._process.stdin.write(" ".join(map(str, words)) + "\n")
        self._process.stdin.flush()
        answer = []
        for line in self._process.stdout:
            if line.startswith("failed"):
                raise Failed(f"the measuring program: {line.strip()}")
            if line.strip() == "done":
                return answer
            answer.append(line.split())
        raise Failed(f"the measuring program ended before it answered: {' '.join(map(str, words))}")

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait()


class Measurements:
    """Times of ways, by shape, kept in a file: a search that was stopped goes on with them."""

    def __init__(self, path: Path):
        self._path = path
        self._times: dict[str, dict[str, list[float]]] = json.loads(path.read_text()) if path.exists() else {}

    def has(self, shape: str) -> bool:
        return shape in self._times

    def put(self, shape: str, times: dict[str, tuple[float, int, int]]) -> None:
        self._times[shape] = {name: list(found) for name, found in times.items()}
        self._path.write_text(json.dumps(self._times, indent=1) + "\n")

    def of(self, shape: str) -> dict[str, tuple[float, int, int]]:
        """{name: (nanoseconds, kernels, kernels of a tile)}."""
        return {name: (found[0], int(found[1]), int(found[2])) for name, found in self._times[shape].items()}


def wrong(program: Program, ways: Iterable[Way], bounds: dict[str, float]) -> set[str]:
    """Those whose responses are off by more than their algorithm's bound."""
    errors = {name: float(error) for _, name, error in program.ask("check", *[way.name for way in ways])}
    return {name for name, error in errors.items() if not error <= bounds[name.split("/")[0]]}


def halve(program: Program, ways: list[Way], seconds: float) -> dict[str, tuple[float, int, int]]:
    """Times `ways` in turns, twice as often each time that half of them are left, for about `seconds`.

    The times that come back are each way's shortest call; ways that left early are among them. Two of each group stay
    to the end.
    """
    best: dict[str, float] = {}
    left, calls, end = list(ways), 1, time.monotonic() + seconds
    while True:
        start = time.monotonic()
        for _, name, nanoseconds, _ in program.ask("time", calls, *[way.name for way in left]):
            best[name] = min(best.get(name, float("inf")), float(nanoseconds))
        spent = time.monotonic() - start
        left = survivors(left, best)
        calls *= 2
        # The next round takes about as long, since half as many are called twice as often.
        if time.monotonic() + spent > end or (len(left) <= 8 and calls > 32):
            return {way.name: (best[way.name], way.kernels, way.tile_kernels) for way in ways}


def survivors(ways: list[Way], best: dict[str, float]) -> list[Way]:
    groups: dict[str, list[Way]] = {}
    for way in sorted(ways, key=lambda way: best[way.name] / way.kernels):
        groups.setdefault(way.group, []).append(way)
    kept = set()
    for group in groups.values():
        kept.update(way.name for way in group[: max(2, len(group) // 2)])
    return [way for way in ways if way.name in kept]
