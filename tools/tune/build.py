"""Builds the measuring program with a tuned file's rows, and looks at what the compiler made of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from space import KINDS, SOURCE, Target

sys.path.insert(0, str(SOURCE / "bench"))
import inner_loops  # noqa: E402

PROGRAM = "tools/tune/corrbank_tune_measure"
# Rows whose sums are kept on the stack by design.
ON_THE_STACK = ("strips",)


class Failed(Exception):
    """A tool that the search needs failed; the text is its last words."""


def symbol(target: Target, kind: str, row: str) -> str:
    """Of a row of the tuned file's list `kind`."""
    words = row.split()
    name = f"{words[0]}_{words[1]}x{words[2]}" + (f"_size{words[3]}" if len(words) > 3 else "")
    part = {"direct": "", "winograd_products": "winograd_product_", "fft_products": "fft_"}[kind]
    return f"corrbank_kernel_f32_{target.name}_{part}{name}"


SEARCHED = tuple(KINDS.values())


class Build:
    """A build of one target in a folder of its own; objects of rows stay, so that another set of rows costs little."""

    def __init__(self, folder: Path, target: Target, preset: str, options: list[str]):
        self.folder, self.target, self.preset, self.options = folder, target, preset, options
        self.kernels = folder / "generators" / "kernels"
        self.program = folder / PROGRAM

    def configure(self, tuned: Path, cuda: bool) -> None:
        command = ["cmake", "--preset", self.preset, "-B", str(self.folder), "--log-level=WARNING", "-Wno-unused-cli"]
        command += ["-DCORRBANK_TUNE=ON", f"-DCORRBANK_CUDA={'ON' if cuda else 'OFF'}", "-DCORRBANK_INSTALL=OFF", "-DCORRBANK_TESTS=OFF"]
        targets = "portable" if cuda else self.target.name
        command += [f"-DCORRBANK_TARGETS={targets}", f"-DCORRBANK_TUNED={tuned}", *self.options]
        run = subprocess.run(command, cwd=SOURCE, capture_output=True, text=True)
        if run.returncode:
            raise Failed("\n".join((run.stdout + run.stderr).splitlines()[-20:]))

    def make(self, goal: str, parallel: int, progress: Any) -> list[str]:
        """Builds; returns the last lines of the output where that failed."""
        command = ["cmake", "--build", str(self.folder), "--parallel", str(parallel), "--target", goal, "--", "-k", "0"]
        process = subprocess.Popen(command, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        lines = []
        for line in process.stdout:
            lines.append(line.rstrip())
            step = re.match(r"\[(\d+)/(\d+)\]", line)
            if step:
                progress(int(step.group(1)), int(step.group(2)))
        return lines[-20:] if process.wait() else []

    def is_made(self, kind: str, row: str) -> bool:
        return (self.kernels / f"{symbol(self.target, kind, row)}.o").exists()

    def fault(self, kind: str, row: str) -> str:
        """Why a row is none to measure; empty: it is one."""
        if not self.is_made(kind, row):
            return "no compiler makes it"
        if "halide_malloc" in (self.kernels / f"{symbol(self.target, kind, row)}.s").read_text():
            return "allocates memory"
        spills = self.spills(kind, row)
        return f"spills {spills} vectors" if spills else ""

    def spills(self, kind: str, row: str) -> int:
        """Vectors that the loop of the sums keeps on the stack."""
        if row.startswith(ON_THE_STACK):
            return 0
        loop = self.loop(kind, row)
        # Of no loop: then it is no faster, which the measurements tell.
        return inner_loops.measure(*loop)["vector_spills"] if loop else 0

    def throughput(self, kind: str, row: str) -> dict[str, float]:
        """Of the loop of the sums by llvm-mca's models of some CPUs, as fractions of the limit; none: no loop was found."""
        loop = self.loop(kind, row)
        return inner_loops.throughput(*loop) if loop else {}

    def loop(self, kind: str, row: str) -> tuple[Any, Any] | None:
        """That of the sums, and its architecture, as bench/inner_loops.py has them; None: there is none."""
        name = symbol(self.target, kind, row)
        text = (self.kernels / f"{name}.s").read_text()
        architecture = inner_loops.architecture_of(text)
        try:
            return inner_loops.hot_loop(*inner_loops.function_body(text, name, architecture), architecture), architecture
        except ValueError:
            return None


def read(path: Path, target: Target) -> dict[str, Any]:
    """A tuned file of the target."""
    try:
        tuned = json.loads(path.read_text())
        of = tuned["target"]
    except (ValueError, KeyError, TypeError) as error:
        raise Failed(f"{path} is no tuned file: {error!r}") from error
    if of != target.name:
        raise Failed(f"{path} is a tuned file of {of}, not of {target.name}")
    return tuned


def write(path: Path, tuned: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(tuned, indent=2) + "\n")


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {(done.stdout + done.stderr).strip()}")
