"""The command line of the search, and what a tuned file says about where it was made."""

from __future__ import annotations

import argparse
import platform
import re
from pathlib import Path

import shapes
import space


def machine_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.*)$", text, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()


def versions() -> str:
    from importlib.metadata import version

    text = (space.SOURCE / "include" / "corrbank" / "version.hpp").read_text()
    numbers = re.findall(r"define CORRBANK_VERSION_\w+ (\d+)", text)
    return f"corrbank {'.'.join(numbers)}, Halide {version('halide')}"


def parse(description: str, argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev tune", description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True, choices=[*space.targets(), "cuda"], help="as targets.cmake has it")
    parser.add_argument("--shapes", default=shapes.DEFAULT_SHAPES, help=shapes.parse_shapes.__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="for all of it, about (default 10)")
    parser.add_argument("-o", "--output", type=Path, help="the tuned file (default build/tune/TARGET/TARGET.json)")
    parser.add_argument("--compare", type=Path, help="a tuned file whose speed the report shows beside the new one's")
    parser.add_argument("--specialise", metavar="SHAPE", help="write the rows of a library for this shape alone")
    parser.add_argument("--rank", action="store_true", help="by models instead of measuring: llvm-mca; for cuda ptxas and waves")
    parser.add_argument("--fresh", action="store_true", help="forget what a search before this one has measured")
    parser.add_argument("--folder", type=Path, help="for the build and what is measured (default build/tune/TARGET)")
    where = parser.add_argument_group("where it is measured, if not on this machine")
    where.add_argument("--runner", help='puts the program there to work: "ssh phone", "adb shell", "qemu-aarch64 -L ..."')
    where.add_argument("--push", help='brings it there first: "scp {} phone:/tmp/"')
    where.add_argument("--program", help="its path there, if another than here")
    where.add_argument("--machine", default=machine_name(), help="its name, for the tuned file")
    where.add_argument("--preset", default="release", help="CMake preset to build with (arm64-linux, ...)")
    where.add_argument("--cmake", action="append", default=[], help="an option for CMake more")
    where.add_argument("--threads", type=int, default=1, help="with more than one, how threads share work is searched too")
    where.add_argument("--core", type=int, default=0, help="to measure on, of this machine")
    parser.add_argument("--autoscheduled", type=int, default=2, help="shapes that Halide's autoschedulers get, as a baseline")
    parser.add_argument("--parallel", type=int, default=2, help="compilers at once")
    arguments = parser.parse_args(argv)
    if arguments.target == "cuda" and not arguments.rank:
        parser.error("no search runs on a GPU yet: --rank ranks rows for it without one")
    if arguments.minutes <= 0 or arguments.threads < 1:
        parser.error("--minutes and --threads are more than 0")
    name = arguments.target
    if arguments.specialise:
        arguments.shapes = arguments.specialise
        name += f"_{arguments.specialise}"
    arguments.folder = arguments.folder or space.SOURCE / "build" / "tune" / name
    arguments.output = arguments.output or arguments.folder / f"{name}.json"
    return arguments
