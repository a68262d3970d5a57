"""What there is to search: rows that fit a target's registers, and costs to start from."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

SOURCE = Path(__file__).resolve().parents[2]
TUNED = SOURCE / "generators" / "tuned"

REGISTERS = {"x86_avx512": 32, "arm64_neon": 32}  # of vectors; other targets have 16
BLOCK = 16  # kernels of a bank are packed in blocks of as many
STRIP_SUMS = 256  # floats of a strip's sums for each of its vectors: with 16 vectors 16 KiB, which fit the stack
STRIP_SIZES = (3,)  # kernels whose strips pay: larger ones are no longer short of work for a load
FFT_SIZES = (16, 32, 48, 64, 96, 128, 256)
SMALL_FFT_SIZES = (16, 32, 64, 128, 256)  # of targets whose libraries should stay small
SMALL = ("x86_sse41", "arm32_neon", "portable")
FFT_LANES = 8
# F(M_Y x M_X, R_Y x R_X) as winograd.cmake has them: those whose points and errors are known.
WINOGRAD_VARIANTS = ("6 3 6 3", "4 3 4 3", "2 3 2 3", "4 5 4 5", "1 1 6 3", "1 1 4 5", "1 1 2 7", "6 3 8 1", "4 5 8 1", "2 7 8 1")
ALWAYS_FFT = ("tiles 1 2",)  # of few channels, which are not short of multiply-adds
ALWAYS_DIRECT_WIDTHS = (1, 2, 4, 8)  # powers of two, so that whole tiles make any number of kernels


# The lists of "kernels" that are searched, by algorithm.
KINDS = {"direct": "direct", "winograd": "winograd_products", "fft": "fft_products"}


class Target(NamedTuple):
    name: str
    architecture: str
    lanes: int
    features: str = ""  # of Halide, beyond the architecture's

    @property
    def registers(self) -> int:
        return REGISTERS.get(self.name, 16)


def targets() -> dict[str, Target]:
    """Those of targets.cmake."""
    text = (SOURCE / "generators" / "targets.cmake").read_text()
    found = re.findall(r'^corrbank_target\((\w+) (\w+) ("[^"]*"|\S+) (\d+)\)', text, re.MULTILINE)
    return {
        name: Target(name, architecture, int(lanes), "" if "$" in features else features.strip('"'))
        for name, architecture, features, lanes in found
    }


def fits(target: Target, positions: int, kernels: int, registers_of_a_sum: int = 1) -> bool:
    """Sums, the smaller side of the tile loaded at once, and a register for the other side passing by."""
    operands = min(positions, kernels) + 1
    return positions * kernels * registers_of_a_sum + operands <= target.registers


def largest(target: Target, most_positions: int, kernels: int, how_many: int) -> list[int]:
    """The largest numbers of positions for a number of kernels."""
    return [p for p in range(most_positions, 0, -1) if fits(target, p, kernels)][:how_many]


def direct_rows(target: Target) -> list[str]:
    rows = []
    for kernels in range(1, BLOCK + 1):
        rows += [f"rows {p} {kernels}" for p in largest(target, 12, kernels, 4)]
    widths = range(1, 5) if target.lanes == BLOCK else [BLOCK // target.lanes]
    for vectors in widths:
        rows += [f"pixels {p} {vectors}" for p in largest(target, 14, vectors, 6)]
    for size in STRIP_SIZES:
        for kernels in range(1, 5):
            most = min(8, STRIP_SUMS // (kernels * target.lanes))
            rows += [f"strips {p} {kernels} {size}" for p in largest(target, most, kernels, 4)]
    return rows


def winograd_products(target: Target) -> list[str]:
    rows = []
    for kernels in range(target.registers // 4, target.registers):
        rows += [f"tiles 1 {kernels}"] if fits(target, 1, kernels) else []
    for positions in (2, 3, 4):
        for kernels in range(2, target.registers // positions):
            if fits(target, positions, kernels) and 2 * positions * kernels >= target.registers:
                rows.append(f"tiles {positions} {kernels}")
    for vectors in (1, 2, 3, 4):
        for positions in range(2, target.registers):
            if fits(target, positions, vectors) and 2 * positions * vectors >= target.registers:
                rows.append(f"kernels {positions} {vectors}")
    return rows


def fft_products(target: Target) -> list[str]:
    rows = list(ALWAYS_FFT)
    for positions in (1, 2, 3):
        # Three sums for each product (fft/products_generator.cpp), whose operands come from memory one at a time.
        most = target.registers // (3 * positions)
        rows += [f"tiles {positions} {kernels}" for kernels in range(3, most + 1)]
    for vectors in range(1, 9):
        for positions in range(1, 7):
            if 2 <= positions * vectors <= target.registers // 2 - 2:
                rows.append(f"kernels {positions} {vectors}")
    return rows


def everything(target: Target) -> dict[str, Any]:
    """The "kernels" of a tuned file with all there is to search."""
    return {
        "direct": direct_rows(target),
        "unpack_side": max(4, target.lanes),
        "winograd_variants": list(WINOGRAD_VARIANTS),
        "winograd_products": winograd_products(target),
        "fft_lanes": min(FFT_LANES, target.lanes),
        "fft_sizes": list(SMALL_FFT_SIZES if target.name in SMALL else FFT_SIZES),
        "fft_products": fft_products(target),
        "match_positions": 4 if target.registers == 32 else 2,
    }


def starting_costs(target: Target, kernels: dict[str, Any], peak_gflops: float) -> dict[str, Any]:
    """Costs of no machine: round numbers of cycles, of which one makes two multiply-adds of a vector."""
    cycle = 4 * target.lanes / peak_gflops
    sizes = kernels["fft_sizes"]
    passes = {str(size): 3.0 * cycle * size for size in sizes}  # until they are measured
    return {
        "direct": {
            "cycle_ns": cycle,
            "tile_overhead": 12.0,
            "position_overhead": 2.0,
            "unpacking": 0.6,
            "strip_overhead": 1.0,
            "strip_zero": 3.0,
            "line_crossing": 0.75,
            "few_sums_delay": 1.1,
            "pixel_reloads": 1.03,
            "strip_spills": 1.2,
            "image_from_l2": 1.1,
            "image_once": 1.1,
            "streamed_byte": 0.02,
            "uncached_byte": 0.08,
            "l1_bytes": 24 << 10,
            "cached_bytes": 8 << 20,
            "rows": dict.fromkeys(kernels["direct"], 1.0),
        },
        "winograd": {
            "scale": 1.0,
            "input_8x8": 5.5 * cycle,
            "input_8x8_rows": 8 * cycle,
            "input_6x6": 6.5 * cycle,
            "input_4x4": 7.5 * cycle,
            "input_1x8": 8 * cycle,
            "product": dict.fromkeys(kernels["winograd_products"], cycle / 2),
            "step": 0.3 * cycle,
            "sum": 2 * cycle,
            "output": 3 * cycle,
            "scatter_tiles": 0.8 * cycle,
            "scatter_kernels": 1.5 * cycle,
            "panel": 200 * cycle,
            "call": 1500.0,
            "bank_byte": 0.02,
            "uncached_byte": 0.05,
            "form_byte": 0.7,
            "l2_bytes": 512 << 10,
            "cached_bytes": 6 << 20,
            "last_level_bytes": 18 << 20,
        },
        "fft": {
            "scale": 1.0,
            **{name: dict(passes) for name in ("rows_forward", "columns_forward", "columns_inverse", "rows_inverse")},
            "product": dict.fromkeys(kernels["fft_products"], cycle),
            "product_sum": cycle / 2,
            "filled": 3 * cycle,
            "scatter": 0.35 * cycle,
            "call": 300.0,
            "uncached_byte": 0.04,
            "form_byte": 0.8,
            "slab_byte": 0.04,
            "l2_bytes": 1 << 20,
            "cached_bytes": 8 << 20,
        },
    }


# Coefficients that whole calls do not determine: the FFT's passes are measured alone, and what a form costs is not searched.
NOT_FITTED = {
    "direct": (),
    "winograd": ("scale", "form_byte"),
    "fft": ("scale", "rows_forward", "columns_forward", "columns_inverse", "rows_inverse", "form_byte"),
}
# Costs with a number for each row, of these lists of "kernels".
BY_ROW = {("direct", "rows"): "direct", ("winograd", "product"): "winograd_products", ("fft", "product"): "fft_products"}
