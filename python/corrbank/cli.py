"""The command line. Exit codes: 0 done, 1 failed while running, 2 bad input; an error is one line on stderr."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import numpy as np

import corrbank

from . import find_command
from .demo import WrongResult, run_demo
from .inputs import InputError, load_image, load_kernels
from .sheet import DOT, response_sheet


def main(argv: list[str] | None = None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        arguments.run(arguments)
        sys.stdout.flush()
    except SystemExit as leave:  # --help and --version
        return leave.code if isinstance(leave.code, int) else 0
    except InputError as error:
        return _fail(error, 2)
    except BrokenPipeError:
        # The reader left (`corrbank targets | head -1`). Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, MemoryError, RuntimeError, WrongResult) as error:
        return _fail(error, 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _fail(error: BaseException, code: int) -> int:
    text = " ".join(str(error).split()) or ("out of memory" if isinstance(error, MemoryError) else repr(error))
    print(f"corrbank: error: {text}", file=sys.stderr)
    return code


def _demo(arguments: argparse.Namespace) -> None:
    _check_output(arguments.output, [".png"])
    with _refusals():
        # Refuses a bad target or number of threads before anything is measured.
        one = np.zeros((1, 1, 1), np.float32)
        corrbank.plan(one, one[None], threads=arguments.threads, target=arguments.target)
    run_demo(arguments.output, arguments.threads, arguments.target)


def _correlate(arguments: argparse.Namespace) -> None:
    _check_output(arguments.output, [".npy", ".png"])
    _check_inputs_stay(arguments.output, [arguments.image, arguments.kernels])
    kernels = load_kernels(arguments.kernels)
    image = load_image(arguments.image, kernels.shape[1])
    with _refusals():
        bank = corrbank.Bank(
            kernels, algorithm=arguments.algorithm, exactness=arguments.exactness, target=arguments.target
        )
        plan = corrbank.plan(image, bank, threads=arguments.threads)
        bank.warmup(image)
        start = time.perf_counter()
        responses = bank.correlate(image, threads=arguments.threads)
        seconds = time.perf_counter() - start
    shape = "x".join(map(str, responses.shape))
    threads = f"{plan.threads} thread{'s' if plan.threads > 1 else ''}"
    speed = f"{seconds * 1e3:.2f} ms, {plan.flops / seconds / 1e9:.1f} GFLOP/s"
    if arguments.output.suffix.lower() == ".png":
        title = f"{arguments.image.name}{DOT}{arguments.kernels.name}"
        response_sheet(responses, title, f"responses {shape}{DOT}{speed}{DOT}{plan.target}").save(arguments.output)
    else:
        with arguments.output.open("wb") as file:
            np.save(file, responses)
    print(f"{arguments.output}: responses {shape} by {plan.algorithm} on {plan.target}, {threads}: {speed}")


def _find(arguments: argparse.Namespace) -> None:
    if arguments.output is not None:
        _check_output(arguments.output, [".png"])
        _check_inputs_stay(arguments.output, [arguments.image, *arguments.templates])
    with _refusals():
        find_command.run_find(arguments)


def _targets(arguments: argparse.Namespace) -> None:
    with _refusals():
        default = corrbank.Bank(np.zeros((1, 1, 1, 1), np.float32)).target
    for name in corrbank.targets():
        print(f"{name} (default)" if name == default else name)


def _plan(arguments: argparse.Namespace) -> None:
    with _refusals():
        channels = arguments.image[0]
        count, height, width = arguments.kernels
        image, kernels = _placeholder(arguments.image), _placeholder((count, channels, height, width))
        plan = corrbank.plan(
            image,
            kernels,
            algorithm=arguments.algorithm,
            exactness=arguments.exactness,
            threads=arguments.threads,
            target=arguments.target,
            workspace_limit=arguments.workspace_limit,
        )
    print(plan)
    print(plan.others)


def _placeholder(shape: tuple[int, ...]) -> np.ndarray:
    """An array of this shape that holds a single row: the strides of all other dimensions are 0."""
    # The row is whole because corrbank's views have adjacent columns.
    return np.broadcast_to(np.zeros(shape[-1], np.float32), shape)


@contextmanager
def _refusals() -> Iterator[None]:
    """What the library refuses is bad input."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from None


def _check_output(path: Path, suffixes: list[str]) -> None:
    """Before the work, so that a mistyped name does not cost it."""
    if path.suffix.lower() not in suffixes:
        raise InputError(f"{path}: the output must end in {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no folder {path.parent}")
    if path.is_dir():
        raise InputError(f"{path}: is a folder")


def _check_inputs_stay(output: Path, inputs: list[Path]) -> None:
    if output.exists() and any(path.exists() and output.samefile(path) for path in inputs):
        raise InputError(f"{output}: the output would overwrite an input")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see {self.prog} --help)")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="corrbank",
        description="Correlate one image with a bank of kernels, and find templates in it; the image is never duplicated.",
        epilog="example: corrbank demo -o sheet.png",
    )
    parser.add_argument("--version", action="version", version=f"corrbank {corrbank.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    demo = _command(
        commands,
        "demo",
        _demo,
        "measure one case and draw the responses of a photograph",
        "Measures 50 kernels of 128x3x3 on an image of 128x200x200: time, fraction of the FMA peak, memory, a check "
        "against float64. Then correlates a photograph with oriented filters and draws the responses.",
        "corrbank demo --threads 2 -o sheet.png",
    )
    _add_run_options(demo)
    demo.add_argument(
        "-o", dest="output", type=Path, metavar="SHEET.png", default=Path("corrbank-demo.png"),
        help="the picture to write (default: %(default)s)",
    )

    correlate = _command(
        commands,
        "correlate",
        _correlate,
        "correlate an image with kernels",
        "Writes the responses [K, H-kh+1, W-kw+1] as a .npy array, or as a .png contact sheet (one kernel: a picture "
        "of the size of its response). A picture is scaled to [0, 1] and taken as luminance for kernels of 1 channel, "
        "as RGB for 3; an array is taken as it is.",
        "corrbank correlate photo.jpg --kernels bank.npy -o responses.npy",
    )
    correlate.add_argument("image", type=Path, metavar="IMAGE", help="a picture, or a .npy array [C,H,W] or [H,W]")
    correlate.add_argument(
        "--kernels", type=Path, required=True, metavar="FILE.npy", help="array [K,C,kh,kw], [K,kh,kw] or [kh,kw]"
    )
    correlate.add_argument(
        "-o", dest="output", type=Path, required=True, metavar="OUT", help="file to write, .npy or .png"
    )
    _add_algorithm_options(correlate)
    _add_run_options(correlate)

    find = _command(
        commands,
        "find",
        _find,
        "find templates in a picture",
        "Prints where each template is, by normalised correlation unless --method says otherwise, and can draw it. Colour "
        "pictures are matched in colour, and in grey if the image or a template is grey.",
        "corrbank find photo.jpg logo.png --top 3 -o found.png",
    )
    find_command.add_arguments(find)
    _add_run_options(find)

    _command(
        commands,
        "targets",
        _targets,
        "list the targets this machine can run",
        "Names of the targets this machine can run, one a line, best first.",
        "corrbank targets",
    )

    plan = _command(
        commands,
        "plan",
        _plan,
        "explain what would run for a shape",
        "Explains what correlate would run for these shapes, and what the other algorithms would take, without running "
        "anything.",
        "corrbank plan --image 128 200 200 --kernels 50 3 3",
    )
    plan.add_argument("--image", nargs=3, type=_positive, required=True, metavar=("C", "H", "W"), help="image")
    plan.add_argument(
        "--kernels", nargs=3, type=_positive, required=True, metavar=("K", "kh", "kw"),
        help="number and size of the kernels, of C channels each",
    )
    _add_algorithm_options(plan)
    plan.add_argument("--workspace-limit", type=_positive, metavar="BYTES", help="workspace to keep to (default: none)")
    _add_run_options(plan)
    return parser


def _command(
    commands: argparse._SubParsersAction,
    name: str,
    run: Callable[[argparse.Namespace], None],
    summary: str,
    description: str,
    example: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=description, epilog=f"example: {example}")
    command.set_defaults(run=run)
    return command


def _add_algorithm_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--algorithm", metavar="A", default="auto", help="auto (the default), direct, winograd or fft"
    )
    command.add_argument(
        "--exactness", metavar="E", default="fast", help="fast (the default), or direct: that algorithm alone"
    )


def _add_run_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--threads", type=_positive, metavar="N", help="threads to use (default: 1)")
    command.add_argument("--target", metavar="T", help="target to run on, see `corrbank targets` (default: the best)")


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 on, not '{text}'")
    return value


if __name__ == "__main__":
    sys.exit(main())
