"""The baseline of the report: the plain correlation as Halide's own autoschedulers schedule it, on one thread."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Any

from space import Target

SCHEDULERS = {"Mullapudi2016": "mullapudi2016", "Adams2019": "adams2019"}
SECONDS = 1.0  # of calls
PATIENCE = 60  # seconds that a scheduler or its code may take
WRONG = 1e-4  # an error above it, relative to the largest response


def times(target: Target, generator: Path, extents: list[int], folder: Path, core: int) -> dict[str, Any]:
    """{autoscheduler: nanoseconds, or why there are none}; for targets of this machine."""
    halide = Path(importlib.util.find_spec("halide").submodule_search_locations[0])
    names = ("channels", "height", "width", "kernels", "kernel_height", "kernel_width")
    found: dict[str, Any] = {}
    folder.mkdir(parents=True, exist_ok=True)
    for scheduler, library in SCHEDULERS.items():
        symbol = f"plain_{library}"
        plugin = next(halide.glob(f"lib*/libautoschedule_{library}.so"))
        make = [generator, "-g", "corrbank_plain", "-f", symbol, "-o", folder, "-e", "object", "-p", plugin]
        make += [f"target=x86-64-linux{'-' + target.features if target.features else ''}", f"autoscheduler={scheduler}"]
        make += ["autoscheduler.parallelism=1", *[f"{name}={n}" for name, n in zip(names, extents)]]
        program = folder / symbol
        build = [shutil.which("c++"), "-O2", "-std=c++17", f"-DSYMBOL={symbol}", f"-I{halide}/include"]
        build += [Path(__file__).with_name("baseline.cpp"), folder / f"{symbol}.o", "-o", program, "-lpthread", "-ldl"]
        run = ["taskset", "-c", core, program, *extents, SECONDS]
        try:
            for command in (make, build, run):
                done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=PATIENCE)
                if done.returncode:
                    raise RuntimeError((done.stderr or f"exit {done.returncode}").strip().splitlines()[-1])
            nanoseconds, error = map(float, done.stdout.split())
            found[scheduler] = nanoseconds if error <= WRONG else f"wrong by {error:.2g}"
        except subprocess.TimeoutExpired:
            found[scheduler] = f"over {PATIENCE} s"
        except RuntimeError as reason:
            found[scheduler] = str(reason)
    return found
