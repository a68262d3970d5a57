"""Measurements of the command line: time, FMA peak and growth of resident memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import corrbank
from corrbank import _core


@dataclass(frozen=True)
class Speed:
    seconds: float  # best of the calls
    calls: int
    flops: float
    peak: float = 0.0  # FMA peak of all threads used, in GFLOP/s, where it was measured

    @property
    def gflops(self) -> float:
        return self.flops / self.seconds / 1e9


def time_calls(call: Callable[[], object], flops: float, *, target: str, threads: int, budget: float) -> Speed:
    """Best of as many calls as fit into `budget` seconds, with the FMA peak measured between them.

    Both the time and the peak are the best seen: on a shared machine anything else measures the neighbours. Taking
    turns exposes them to the same clock frequency.
    """
    call()  # touches the responses' pages and wakes the threads
    best, peak, calls = float("inf"), 0.0, 0
    end = time.perf_counter() + budget
    while calls < 3 or time.perf_counter() < end:
        peak = max(peak, _core.fma_peak(target, 0.05))
        for _ in range(3):
            start = time.perf_counter()
            call()
            best = min(best, time.perf_counter() - start)
            calls += 1
    return Speed(best, calls, flops, peak * threads)


def random_case(image_shape: tuple[int, ...], kernels_shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Image and kernels, uniform in [-1, 1), without a temporary that would raise the peak of resident memory."""
    rng = np.random.default_rng(1)
    arrays = np.empty(image_shape, np.float32), np.empty(kernels_shape, np.float32)
    for array in arrays:
        rng.random(out=array, dtype=np.float32)
        array *= 2
        array -= 1
    return arrays


def worst_error(image: np.ndarray, kernels: np.ndarray, responses: np.ndarray, samples: int) -> float:
    """Largest |response - float64 sum| over `samples` places (corners included), as a fraction of the promised bound.

    The bound is gamma_n * sum |image * kernel|, n = C kh kw (Higham, Accuracy and Stability, section 3.1).
    """
    height, width = kernels.shape[2:]
    ends = np.array(responses.shape) - 1
    corners = np.array(list(np.ndindex(2, 2, 2))) * ends
    drawn = np.random.default_rng(2).integers(0, responses.shape, size=(samples - len(corners), 3))
    products = kernels[0].size
    gamma = products * 2.0**-24 / (1 - products * 2.0**-24)
    errors = []
    for k, y, x in np.concatenate([corners, drawn]):
        terms = image[:, y : y + height, x : x + width].astype(np.float64) * kernels[k]
        errors.append(abs(responses[k, y, x] - terms.sum()) / (gamma * np.abs(terms).sum()))
    return float(np.max(errors))  # NaN if any is: max() would let it slip through


def memory_growth(
    image_shape: tuple[int, ...], kernels_shape: tuple[int, ...], threads: int | None, target: str | None
) -> int | None:
    """Bytes by which packing the bank and one call raise the peak of resident memory, in a fresh process.

    None where the system does not tell.
    """
    # The child gets this process's module path: it must load the same corrbank, from any current folder.
    code = f"import sys; sys.path[:] = {sys.path!r}; from corrbank.measure import _child; _child(sys.argv[1])"
    case = json.dumps([image_shape, kernels_shape, threads, target])
    child = subprocess.run([sys.executable, "-c", code, case], capture_output=True, text=True)
    if child.returncode != 0:
        reason = child.stderr.strip().splitlines() or [f"exit code {child.returncode}"]
        raise RuntimeError(f"the process that measures memory failed: {reason[-1]}")
    return json.loads(child.stdout)


def _child(case: str) -> None:
    image_shape, kernels_shape, threads, target = json.loads(case)
    image, kernels = random_case(image_shape, kernels_shape)
    before = _resident("VmRSS")
    responses = corrbank.Bank(kernels, target=target).correlate(image, threads=threads)
    after = _resident("VmHWM")
    if not np.isfinite(responses[-1, -1, -1]):
        raise RuntimeError("the responses are not finite")
    print(json.dumps(None if before is None or after is None else after - before))


def _resident(field: str) -> int | None:
    """Resident memory of this process in bytes: VmRSS now, VmHWM its peak so far; the peak for both on macOS."""
    # Linux: not ru_maxrss, which a process inherits from the one that started it.
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(fields[field].split()[0]) * 1024 if field in fields else None
    if sys.platform == "darwin":
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return None
