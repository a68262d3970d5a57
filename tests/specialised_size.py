"""Builds a library for one shape, as docs/tuning.md has it, and fails if it is larger than 60 KB.

The rows are those that ./dev tune --specialise 128x200x200x50x3x3 chose on an AMD EPYC ("Zen 4"); nothing is measured here.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).resolve().parent.parent
TARGET = "x86_avx512"
MOST = 60_000  # bytes
ROWS = {
    "direct": ["pixels 4 1"],
    "unpack_side": 1,
    "winograd_variants": ["6 3 6 3"],
    "winograd_products": ["tiles 1 10 channels=128 tile_count=16"],
    "fft_sizes": [],
    "fft_products": [],
}
PROGRAM = r"""
#include <corrbank/corrbank.hpp>
#include <cstdio>
int main(int count, char**) {
  float image[64] = {}, kernels[9] = {}, responses[36] = {};
#ifdef WITH_CORRBANK
  corrbank::Bank bank;
  auto status = corrbank::Bank::create({kernels, 1, 1, 3, 3}, {}, bank);
  if (status.ok()) status = corrbank::correlate({image, 1, 8, 8}, bank, {responses, 1, 6, 6});
  std::puts(status.message());
#endif
  std::printf("%g %g %g\n", image[count], kernels[count], responses[count]);
}
"""


def tuned() -> dict:
    """The shipped file of the target with these rows; costs of none that are left out."""
    made = json.loads((SOURCE / "generators" / "tuned" / f"{TARGET}.json").read_text())
    made["kernels"].update(ROWS)
    made["direct"]["rows"] = dict.fromkeys(ROWS["direct"], 1)
    made["winograd"]["product"] = dict.fromkeys(ROWS["winograd_products"], 0.1)
    for member, value in made["fft"].items():
        if isinstance(value, dict):
            made["fft"][member] = {}
    return made


def run(*command: object, **how: object) -> None:
    subprocess.run([str(word) for word in command], check=True, cwd=SOURCE, stdout=subprocess.DEVNULL, **how)


def loaded(file: Path) -> int:
    """Bytes of code, constants and data."""
    text, data, *_ = subprocess.run(["size", file], check=True, capture_output=True, text=True).stdout.splitlines()[1].split()
    return int(text) + int(data)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--generator", required=True, help="a corrbank_generator")
    parser.add_argument("--build", type=Path, required=True, help="folder to build in")
    arguments = parser.parse_args()
    arguments.build.mkdir(parents=True, exist_ok=True)
    build = arguments.build.resolve()
    file = build / "specialised.json"
    file.write_text(json.dumps(tuned(), indent=2))
    options = [f"-DCORRBANK_GENERATOR={Path(arguments.generator).resolve()}", f"-DCORRBANK_TUNED={file}"]
    options += [f"-DCORRBANK_TARGETS={TARGET}", "-DCORRBANK_MATCH=OFF", "-DCORRBANK_CUDA=OFF", "-DCMAKE_BUILD_TYPE=MinSizeRel"]
    run("cmake", "--preset", "release", "-B", build, "-Wno-unused-cli", *options)
    run("cmake", "--build", build)
    stripped = build / "stripped.so"
    run("strip", "-o", stripped, build / "libcorrbank.so")
    program = ["c++", "-std=c++17", "-Os", "-I", SOURCE / "include", "-x", "c++", "-", "-Wl,--gc-sections", "-s", "-o"]
    run(*program, build / "without", input=PROGRAM, text=True)
    linked = ["-DWITH_CORRBANK", "-x", "none", build / "libcorrbank.a", "-lpthread", "-ldl"]
    run(*program, build / "with", *linked, input=PROGRAM, text=True)
    sizes = {"stripped libcorrbank.so": stripped.stat().st_size}
    sizes["what the archive adds to a program"] = loaded(build / "with") - loaded(build / "without")
    for what, size in sizes.items():
        print(f"specialised for one shape: {what}: {size} bytes of {MOST}")
    return int(max(sizes.values()) > MOST)


if __name__ == "__main__":
    sys.exit(main())
