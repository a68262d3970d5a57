"""Ranks rows that nobody can run here: by models of the CPU, or by what NVIDIA's assembler makes of them and by waves.

A row of the tuned file to start from gives way to the one that does the same with another tile and ranks above it: the
same walk, and the same number of kernels. What the rows cost stays as that file has it.
"""

from __future__ import annotations

import concurrent.futures
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import space

sys.path.insert(0, str(space.SOURCE / "bench"))
import ptx_gate  # noqa: E402

GAIN = 0.01  # a row ranks above another if it gains more than this

# The GPU of the wave model, an H100, and the responses that it is judged by: rows, columns, kernels.
GPU = "sm_90, 132 multiprocessors"
ARCHITECTURE, MULTIPROCESSORS, REGISTERS, WARPS = 90, 132, 65536, 64
RESPONSES = (198, 198, 50)


def same_work(row: str) -> tuple[str, ...]:
    """What rows have in common that stand in for each other: all words but the positions of a tile."""
    words = row.split()
    tile = slice(3, 5) if len(words) == 8 else slice(1, 2)  # CUDA's: columns and rows of a thread
    del words[tile]
    return tuple(words)


def replaced(rows: list[str], scores: dict[str, float]) -> tuple[list[str], list[str]]:
    """The rows, each replaced by the best of its kind if that gains; and what was done, in words."""
    chosen, words = [], []
    for row in rows:
        others = [other for other in scores if same_work(other) == same_work(row)]
        best = max(others, key=scores.__getitem__, default=row)
        if scores.get(best, 0) > scores.get(row, 0) * (1 + GAIN) and best not in chosen:
            words.append(f"{row} ({scores.get(row, 0):.3f}) -> {best} ({scores[best]:.3f})")
            row = best
        chosen.append(row)
    return list(dict.fromkeys(chosen)), words


def rank_cpu(search: Any, base: dict[str, Any]) -> dict[str, Any]:
    """By llvm-mca's models of the CPUs that bench/inner_loops.py knows for the architecture."""
    search.build_everything("corrbank_kernels")
    kernels = dict(base["kernels"])
    cpus: set[str] = set()
    for algorithm, kind in space.KINDS.items():
        scores = {}
        for row in search.rows[algorithm]:
            figures = search.build.throughput(kind, row)
            cpus.update(figures)
            if figures:
                scores[row] = sum(figures.values()) / len(figures)
        kernels[kind], words = replaced(kernels[kind], scores)
        search.say(f"{algorithm}: {len(scores)} rows ranked; " + ("; ".join(words) or "none is better than what is there"))
    how = f"ranked by llvm-mca's models of {', '.join(sorted(cpus))}, not measured"
    return {**base, "kernels": kernels, "obtained": {**base["obtained"], "kernels": how}}


def cuda_rows(rows: list[str]) -> list[str]:
    """Those, and their neighbours: as many sums a thread or half as many, over other columns and rows."""
    found = list(rows)
    for row in rows:
        walk, threads_x, threads_y, columns, height, kernels, size, chunk = row.split()
        sums = int(columns) * int(height) * int(kernels)
        for c in (1, 2, 4, 6, 8, 10) if walk == "thread" else (int(columns),):
            for h in (1, 2, 4, 6, 8, 10, 16):
                if c * h * int(kernels) in (sums, sums // 2) and (walk != "thread" or h == int(height) or c == int(columns)):
                    found.append(" ".join([walk, threads_x, threads_y, str(c), str(h), kernels, size, chunk]))
    # Of rows that make the same tile by different threads, the kernels' names have no more than the tile.
    by_name: dict[tuple[Any, ...], str] = {}
    for row in found:
        walk, threads_x, threads_y, columns, height, kernels, size, _ = row.split()
        by_name.setdefault((walk, int(threads_x) * int(columns), int(threads_y) * int(height), kernels, size), row)
    return list(by_name.values())


def waves(threads_x: int, threads_y: int, columns: int, rows: int, kernels: int, registers: int) -> float:
    """The share of multiprocessors' time that blocks fill, by whole waves of as many as fit at once."""
    height, width, count = RESPONSES
    blocks = -(-height // (threads_y * rows)) * -(-width // (threads_x * columns)) * -(-count // kernels)
    threads = threads_x * threads_y
    at_once = MULTIPROCESSORS * max(1, min(REGISTERS // (registers * threads), WARPS * 32 // threads))
    useful = height * width * count / (blocks * threads * columns * rows * kernels)
    return useful * blocks / (-(-blocks // at_once) * at_once)


def rank_cuda(search: Any, base: dict[str, Any]) -> dict[str, Any]:
    rows = cuda_rows(base["kernels"]["tiled"])
    tuned = {**base, "kernels": {"tiled": rows}}
    search.make(tuned, "candidates.json", "corrbank_ptx", cuda=True)
    folder = search.build.folder / "generators"
    tools = {name: ptx_gate.find_tool(name, None) for name in ("ptxas", "nvdisasm")}
    table = ptx_gate.read_table(folder / "table" / "cuda_kernels.inc")
    scores: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {}
        for row, made in zip(rows, table):
            if (folder / "kernels" / f"{made.symbol}.device_code").exists():
                jobs[row] = pool.submit(ptx_gate.measure, tools, folder / "kernels", Path(scratch), made, ARCHITECTURE)
        for row, job in jobs.items():
            figures = job.result()
            if figures["stack_bytes"] or figures["spill_bytes"]:
                continue
            tile = list(map(int, row.split()[1:6]))
            scores[row] = figures["ffma_percent"] / 100 * waves(*tile, figures["registers"])
    chosen, words = replaced(base["kernels"]["tiled"], scores)
    search.say(f"{len(scores)} of {len(rows)} rows neither spill nor fail; " + ("; ".join(words) or "none is better"))
    how = f"ranked by ptxas' figures and the waves of 50 kernels on 198x198 responses ({GPU}), not measured"
    return {**base, "kernels": {"tiled": chosen}, "obtained": {"kernels": how}}
