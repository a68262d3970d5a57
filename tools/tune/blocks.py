"""Searches the sizes of blocks: numbers that the runtime reads when it plans and runs, so that nothing is compiled for them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from choose import WORTH
from measuring import Program
from shapes import Shape

# The sizes to start from, of no machine: caches of 32 KiB and of 1 MiB for each core, and a larger one behind them. In the order
# in which they are searched, as far as time goes: those that have shown the most first.
START = {
    "winograd_tiles_bytes": 512 << 10,
    "winograd_near_bytes": 8 << 20,
    "streamed_bytes": 12 << 20,
    "direct_chunk_bytes": 512 << 10,
    "fft_places": 8,
    "fft_slab_bytes": 128 << 10,
    "fft_near_bytes": 2 << 20,
    "fft_finished_bytes": 192 << 10,
    "fft_lines_ahead": 256,
    "winograd_channels_ahead": 4,
    "winograd_finished_bytes": 16 << 10,
    "direct_tasks_per_thread": 3,
    "winograd_pieces_per_thread": 4,
}
# Of these half of L2, where the machine tells how large that is: what else a core works on has to fit beside them.
HALF_OF_L2 = ("winograd_tiles_bytes", "direct_chunk_bytes")
# Shares of the work, which one thread has all of.
OF_THREADS = ("direct_tasks_per_thread", "winograd_pieces_per_thread")
STEPS = (0.25, 0.5, 1, 2, 4)  # of the value so far
MOST_MOVES = 4
TURNS, TURNS_AGAIN = 4, 24
NEAR_BEST = 1.1  # an algorithm counts for the shapes that it does this well


class Trial(NamedTuple):
    """What was found of one size."""

    name: str
    start: int
    chosen: int
    savings: dict[int, float]  # of each value, over the shapes: sums of logarithms, 0.01 is 1 % of one shape's time


def start(program: Program) -> dict[str, int]:
    """The sizes to start from on the machine of the program, which has START and now has these."""
    found = dict(START)
    for _, l2_bytes in program.ask("l2"):
        for name in HALF_OF_L2:
            found[name] = int(l2_bytes) // 2
            program.ask("cost", f"blocks.{name}", found[name])
    return found


def algorithms_of(name: str) -> tuple[str, ...]:
    return ("winograd", "fft") if name == "streamed_bytes" else (name.split("_")[0],)


def near_best(program: Program, shapes: list[Shape]) -> dict[str, list[Shape]]:
    """{algorithm: shapes it is the best for, or almost}."""
    found: dict[str, list[Shape]] = {"direct": [], "winograd": [], "fft": []}
    for shape in shapes:
        program.ask("shape", shape.words)
        plans = [f"plan/{algorithm}" for algorithm in found]
        times = {name: float(ns) for _, name, ns, _ in program.ask("time", 2, *plans)}
        for name, nanoseconds in times.items():
            if nanoseconds <= NEAR_BEST * min(times.values()):
                found[name.split("/")[1]].append(shape)
    return found


def logs(program: Program, name: str, values: list[int], turns: int, shapes: dict[str, list[Shape]]) -> list[list[list[float]]]:
    """What each value saves over the first one, as logarithms: [shape][value][turn]. Turn by turn, as a machine that is shared is
    slower for seconds at a time."""
    found = []
    for algorithm in algorithms_of(name):
        for shape in shapes[algorithm]:
            program.ask("shape", shape.words)
            answer = program.ask("vary", turns, f"plan/{algorithm}", f"blocks.{name}", *values)
            times = [list(map(float, nanoseconds)) for _, *nanoseconds in answer]
            found.append([[math.log(first / ns) for first, ns in zip(times[0], turn)] for turn in times])
    return found


def surely_saved(of_shapes: list[list[float]]) -> float:
    """The sum of medians over turns, less twice its standard error. Medians: some calls take half as long again for others' sake."""
    total, variance = 0.0, 0.0
    for saved in of_shapes:
        middle = statistics.median(saved)
        deviation = 1.48 * statistics.median(abs(one - middle) for one in saved)
        total += middle
        variance += (1.25 * deviation) ** 2 / len(saved)
    return total - 2 * math.sqrt(variance)


def better(program: Program, name: str, value: int, shapes: dict[str, list[Shape]], seen: dict[int, float]) -> int:
    """The value around this one that saves most, if that is more than the noise; else this one."""
    others = sorted({max(1, round(value * step)) for step in STEPS} - {value})
    of_shapes = logs(program, name, [value, *others], TURNS, shapes)
    found = {other: sum(statistics.median(shape[i]) for shape in of_shapes) for i, other in enumerate(others, 1)}
    for other, saved in found.items():
        seen.setdefault(other, seen[value] + saved)
    best = max(found, key=found.__getitem__)
    if found[best] <= WORTH:
        return value
    # The best of several may have been lucky.
    again = logs(program, name, [value, best], TURNS_AGAIN, shapes)
    saved = surely_saved([of_best for _, of_best in again])
    seen[best] = seen[value] + saved
    return best if saved > WORTH else value


def search(
    program: Program, shapes: list[Shape], threads: int, seconds: float, say: Callable[[str], None], known: dict[str, int] | None = None
) -> tuple[dict[str, int], list[Trial]]:
    """The sizes, one after the other as far as `seconds` go, and what was found of those that were searched. They start from `known`
    ones, which the program has, if there are any."""
    end = time.monotonic() + seconds
    starts, trials = known or start(program), []
    chosen = dict(starts)
    program.ask("threads", threads)
    where = near_best(program, shapes)
    for name, started in starts.items():
        if (name in OF_THREADS and threads == 1) or not any(where[algorithm] for algorithm in algorithms_of(name)):
            continue
        if time.monotonic() > end:
            say(f"no time is left for {name} and what follows it")
            break
        seen = {started: 0.0}
        for _ in range(MOST_MOVES):
            value = better(program, name, chosen[name], where, seen)
            if value == chosen[name]:
                break
            chosen[name] = value
            program.ask("cost", f"blocks.{name}", value)
        trials.append(Trial(name, started, chosen[name], dict(sorted(seen.items()))))
    program.ask("threads", 1)
    moved = [f"{trial.name} {trial.start} -> {trial.chosen}" for trial in trials if trial.chosen != trial.start]
    say(f"blocks: {len(trials)} sizes searched; " + (", ".join(moved) or "none is better than what it started from"))
    return chosen, trials


def table(trials: list[dict[str, Any]]) -> list[list[str]]:
    """Rows of the report: a size, where it started, what was chosen, and what values save."""
    lines = []
    for trial in trials:
        saved = ", ".join(f"{value}: {saving * 100:+.1f} %" for value, saving in trial["savings"].items())
        lines.append([trial["name"], str(trial["start"]), str(trial["chosen"]), saved])
    return lines
