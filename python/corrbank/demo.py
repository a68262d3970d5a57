"""`corrbank demo`: one measured case that would need a gigabyte if the image were duplicated, and two pictures."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import numpy as np
from PIL import Image

import corrbank

from .demo_sheet import demo_sheet
from .demo_templates import find_parts
from .filters import OrientedBank, oriented_bank
from .inputs import load_image
from .measure import Speed, memory_growth, random_case, time_calls, worst_error
from .sheet import DOT

IMAGE_SHAPE = (128, 200, 200)
KERNELS_SHAPE = (50, 128, 3, 3)
_CHECKED = 2000
_BUDGET = 2.0  # seconds of timing for each of the two parts


class WrongResult(Exception):
    """Responses are outside the promised bound."""


def run_demo(sheet_path: Path, threads: int | None, target: str | None) -> None:
    print(f"corrbank {corrbank.__version__}", flush=True)
    _measured_case(threads, target)
    photograph = _photograph(sheet_path, threads, target)
    found, seconds = find_parts(photograph, found_path(sheet_path), threads, target)
    print(f"\n{len(found)} parts of the photograph, in another view of it", flush=True)
    _line("time", f"{seconds * 1e3:.1f} ms")
    for match in found:
        _line("found", f"part {match.template} at row {match.y}, column {match.x}, score {match.score:.3f}")
    _line("picture", str(found_path(sheet_path)))


def found_path(sheet_path: Path) -> Path:
    """Beside the sheet."""
    return sheet_path.with_name(sheet_path.stem + "-found.png")


def _measured_case(threads: int | None, target: str | None) -> None:
    image, kernels = random_case(IMAGE_SHAPE, KERNELS_SHAPE)
    bank = corrbank.Bank(kernels, target=target)
    plan = corrbank.plan(image, bank, threads=threads)
    print(f"\none image {_by(IMAGE_SHAPE)}, {_kernels(KERNELS_SHAPE)}: {_run_on(plan)}", flush=True)

    # Before the timing: this process still holds little, and the child's memory must fit beside it.
    growth = memory_growth(IMAGE_SHAPE, KERNELS_SHAPE, threads, target)
    responses = bank.correlate(image, threads=threads)
    error = worst_error(image, kernels, responses, _CHECKED)
    if not error <= 1:
        raise WrongResult(f"the worst of {_CHECKED} responses is off by {error:.3g} times the promised bound")
    speed = time_calls(
        lambda: bank.correlate(image, threads=threads, out=responses),
        plan.flops,
        target=plan.target,
        threads=plan.threads,
        budget=_BUDGET,
    )
    duplicated = image.nbytes * len(kernels)
    _line("time", f"{_milliseconds(speed)}, best of {speed.calls} calls")
    _line("speed", f"{speed.gflops:.1f} GFLOP/s, {_fraction(speed)} measured in this run ({speed.peak:.1f})")
    if growth is None:
        _line("memory", "this system does not tell the growth of resident memory")
    else:
        parts = f"responses {_megabytes(responses.nbytes)}, packed bank {_megabytes(bank.nbytes)}"
        _line("memory", f"{_megabytes(growth)} more at the peak of pack and call ({parts})")
        _line("", f"the image duplicated {len(kernels)} times would take {duplicated / 1e9:.2f} GB")
    _line("check", f"{_CHECKED} responses against float64: largest error {error:.2g} of the promised bound")


def _photograph(sheet_path: Path, threads: int | None, target: str | None) -> Image.Image:
    oriented = oriented_bank()
    with resources.as_file(resources.files("corrbank") / "data" / "coffee.jpg") as path:
        image = load_image(path, channels=1)
        with Image.open(path) as picture:
            photograph = picture.convert("RGB")
    bank = corrbank.Bank(oriented.kernels, target=target)
    plan = corrbank.plan(image, bank, threads=threads)
    print(f"\na photograph {_by(image.shape)}, {_kernels(oriented.kernels.shape)}: {_run_on(plan)}", flush=True)
    responses = bank.correlate(image, threads=threads)
    speed = time_calls(
        lambda: bank.correlate(image, threads=threads, out=responses),
        plan.flops,
        target=plan.target,
        threads=plan.threads,
        budget=_BUDGET,
    )
    _line("time", f"{_milliseconds(speed)}, best of {speed.calls} calls")
    _line("speed", f"{speed.gflops:.1f} GFLOP/s, {_fraction(speed)} measured in this run ({speed.peak:.1f})")
    _draw(photograph, oriented, image, responses, speed, _run_on(plan)).save(sheet_path)
    _line("picture", str(sheet_path))
    return photograph


def _draw(
    photograph: Image.Image, bank: OrientedBank, image: np.ndarray, responses: np.ndarray, speed: Speed, run_on: str
) -> Image.Image:
    headline = DOT.join([_milliseconds(speed), f"{speed.gflops:.1f} GFLOP/s", _fraction(speed)])
    shapes = [f"image {_by(image.shape)}", _kernels(bank.kernels.shape), f"responses {_by(responses.shape)}", run_on]
    return demo_sheet(photograph, bank, responses, headline, DOT.join(shapes))


def _line(name: str, text: str) -> None:
    print(f"  {name:<8} {text}", flush=True)


def _run_on(plan: corrbank.Plan) -> str:
    return f"{plan.target}, {plan.threads} thread{'s' if plan.threads > 1 else ''}"


def _kernels(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} kernels {_by(shape[1:])}"


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _milliseconds(speed: Speed) -> str:
    return f"{speed.seconds * 1e3:.1f} ms"


def _fraction(speed: Speed) -> str:
    return f"{100 * speed.gflops / speed.peak:.1f} % of the FMA peak"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
