"""What the cost models predict for each algorithm, and what it takes. README.md says how to read it.

--update multiplies each model's overall factor in generators/tuned/<target>.json by the median ratio found here.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from cases import Case, shapes

TUNED = Path(__file__).parent.parent / "generators" / "tuned"
FACTORS = {"direct": "cycle_ns", "winograd": "scale", "fft": "scale"}


def best_seconds(call: Any, budget: float) -> float:
    """The shortest of as many calls as fit into `budget` seconds, of two at least."""
    call()
    best, end = math.inf, time.perf_counter() + budget
    while time.perf_counter() < end or best == math.inf:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def measure(case: Case, target: str, budget: float) -> dict[str, tuple[float, float]]:
    """Of each algorithm that can do the case: predicted and measured seconds."""
    import corrbank

    image, kernels = case.arrays()
    out = np.empty((case.kernels, case.height - case.kernel_height + 1, case.width - case.kernel_width + 1), np.float32)
    seconds = {}
    for algorithm in FACTORS:
        bank = corrbank.Bank(kernels, algorithm=algorithm, target=target)
        try:
            predicted = corrbank.plan(image, bank).predicted_seconds
        except ValueError:  # the reason is plan()'s to tell
            continue
        seconds[algorithm] = predicted, best_seconds(lambda bank=bank: bank.correlate(image, out=out), budget)
    return seconds


def report(name: str, seconds: dict[str, tuple[float, float]]) -> None:
    columns = []
    for algorithm in FACTORS:
        if algorithm in seconds:
            predicted, measured = seconds[algorithm]
            columns.append(f"{predicted * 1e3:9.3f} {measured * 1e3:9.3f} {measured / predicted:5.2f}")
        else:
            columns.append(f"{'-':>9} {'-':>9} {'-':>5}")
    chosen = min(seconds, key=lambda algorithm: seconds[algorithm][0])
    loss = seconds[chosen][1] / min(measured for _, measured in seconds.values())
    print(f"{name:28}{'  '.join(columns)}  {chosen:8} {loss:5.2f}", flush=True)


def update(target: str, factors: dict[str, float]) -> None:
    path = TUNED / f"{target}.json"
    tuned = json.loads(path.read_text())
    for algorithm, factor in factors.items():
        model = tuned[algorithm]
        model[FACTORS[algorithm]] = float(f"{model[FACTORS[algorithm]] * factor:.4g}")
    tuned["date"] = datetime.date.today().isoformat()
    path.write_text(json.dumps(tuned, indent=2) + "\n")
    print(f"wrote {path}; build again, and see to \"machine\" and \"obtained\" in it")


def main() -> None:
    import corrbank  # here: the tests need no built module

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", default=corrbank.targets()[0])
    parser.add_argument("--shapes", help="names from shapes.csv, by comma; all of them otherwise")
    parser.add_argument("--seconds", type=float, default=0.3, help="for each shape and algorithm")
    parser.add_argument("--update", action="store_true")
    arguments = parser.parse_args()

    names = arguments.shapes.split(",") if arguments.shapes else list(shapes())
    print(f"{arguments.target}: predicted and measured ms, their ratio, what is chosen and its time over the fastest's")
    print(f"{'':28}" + "".join(f"{algorithm:>25}  " for algorithm in FACTORS))
    ratios: dict[str, list[float]] = {algorithm: [] for algorithm in FACTORS}
    for name in names:
        seconds = measure(shapes()[name], arguments.target, arguments.seconds)
        report(name, seconds)
        for algorithm, (predicted, measured) in seconds.items():
            ratios[algorithm].append(measured / predicted)
    factors = {algorithm: statistics.median(found) for algorithm, found in ratios.items() if found}
    for algorithm, factor in factors.items():
        found = ratios[algorithm]
        print(f"{algorithm}: ratios {min(found):.2f} to {max(found):.2f}, median {factor:.3f}")
    if arguments.update:
        update(arguments.target, factors)


if __name__ == "__main__":
    main()
