#!/usr/bin/env python3
"""Times corrbank against PyTorch and ONNX Runtime side by side: one image, one bank of kernels, every response, f32.

All libraries take turns in one process and the best call of each counts, so a machine that slows down for a while slows
all of them. Each is used at its best: kernels packed before the clock starts, responses written where the library
allows it to memory that exists already, the same number of threads.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import functools
import json
import math
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Tuple

import numpy as np

EXAMPLE = """example:
  ./dev compare --cases seed,bank7,hd1 --reps 20 --json build/compare.json"""

SHAPES = Path(__file__).with_name("shapes.csv")
DEFAULT_CASES = "seed,bank7,bank15,tmpl31,hd1,rgb11,vgg,res56,res14,1x1,siam,k4,k2,k1"
TINY = (4, 12, 12, 4, 3, 3)

Case = Tuple[int, ...]  # C, H, W, K, kh, kw
Call = Callable[[], np.ndarray]  # computes all responses of one case, kernels packed already


def main() -> None:
    args = parse_arguments()
    if args.memory_of:
        print(json.dumps(memory_growth(args.memory_of, args.threads, args.target)))
        return
    report = compare(args)
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=case_names, default=DEFAULT_CASES,
                        help=f"names of {SHAPES.name}, divided by commas ({DEFAULT_CASES})")
    parser.add_argument("--threads", type=int, default=1, help="threads of each library (1)")
    parser.add_argument("--target", help="corrbank's target, such as x86_avx2 (the best of this machine)")
    parser.add_argument("--reps", type=int, default=10, help="turns of each library (10)")
    parser.add_argument("--peers", type=peer_names, default=list(PEERS),
                        help=f"some of {','.join(PEERS)}, or none: '' (all)")
    parser.add_argument("--no-memory", action="store_true", help="leave out the growth of memory in the seed case")
    parser.add_argument("--json", type=Path, help="write the results there too")
    parser.add_argument("--memory-of", choices=LIBRARIES, help=argparse.SUPPRESS)  # a child process of this script
    return parser.parse_args()


@functools.lru_cache(maxsize=None)
def shapes() -> dict[str, Case]:
    with SHAPES.open(newline="") as file:
        rows = list(csv.reader(line for line in file if not line.startswith("#")))[1:]
    return {name: tuple(map(int, extents)) for name, *extents in rows}


def case_names(text: str) -> list[str]:
    return chosen(text, shapes())


def peer_names(text: str) -> list[str]:
    return chosen(text, PEERS)


def chosen(text: str, known: Any) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {','.join(known)}")
    return names


def corrbank_calls(image: np.ndarray, kernels: np.ndarray, threads: int, target: str | None) -> list[Call]:
    import corrbank

    bank = corrbank.Bank(kernels, target=target)
    out = np.empty(responses_shape(image, kernels), np.float32)
    return [lambda: bank.correlate(image, threads=threads, out=out)]


def pytorch_calls(image: np.ndarray, kernels: np.ndarray, threads: int, target: str | None) -> list[Call]:
    """conv2d as users call it and, where this build has it, the same with weights in oneDNN's own order."""
    import torch

    torch.set_num_threads(threads)
    x, w = torch.from_numpy(image)[None], torch.from_numpy(kernels)

    def plain() -> np.ndarray:
        with torch.inference_mode():
            return torch.nn.functional.conv2d(x, w)[0].numpy()

    if not torch.backends.mkldnn.is_available():
        return [plain]
    ones, zeros = [1, 1], [0, 0]
    packed_w = torch._C._nn.mkldnn_reorder_conv2d_weight(w.to_mkldnn(), zeros, ones, ones, 1, list(x.shape))

    def packed() -> np.ndarray:
        with torch.inference_mode():
            conv = torch.ops.mkldnn._convolution_pointwise
            return conv(x, packed_w, None, zeros, ones, ones, 1, "none", [], "")[0].numpy()

    return [plain, packed]


def onnxruntime_calls(image: np.ndarray, kernels: np.ndarray, threads: int, target: str | None) -> list[Call]:
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    shapes = {"x": [1, *image.shape], "y": [1, *responses_shape(image, kernels)]}
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items())
    conv = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=list(kernels.shape[2:]))
    graph = helper.make_graph([conv], "correlate", [x], [y], [numpy_helper.from_array(kernels, "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Its threads would otherwise go on spinning in the turns of the others.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    out = np.empty(shapes["y"], np.float32)
    binding = session.io_binding()
    binding.bind_cpu_input("x", image[None])
    binding.bind_output("y", "cpu", 0, np.float32, out.shape, out.ctypes.data)

    def run() -> np.ndarray:
        session.run_with_iobinding(binding)
        return out[0]

    return [run]


PEERS = {"pytorch": pytorch_calls, "onnxruntime": onnxruntime_calls}
LIBRARIES = {"corrbank": corrbank_calls, **PEERS}


def responses_shape(image: np.ndarray, kernels: np.ndarray) -> tuple[int, int, int]:
    (_, height, width), (count, _, kernel_height, kernel_width) = image.shape, kernels.shape
    return count, height - kernel_height + 1, width - kernel_width + 1


def random_case(case: Case) -> tuple[np.ndarray, np.ndarray]:
    channels, height, width, count, kernel_height, kernel_width = case
    rng = np.random.default_rng(2026)
    image = rng.standard_normal((channels, height, width), np.float32)
    return image, rng.standard_normal((count, channels, kernel_height, kernel_width), np.float32)


def flops_of(case: Case) -> float:
    channels, height, width, count, kernel_height, kernel_width = case
    taps = channels * kernel_height * kernel_width
    return 2.0 * count * taps * (height - kernel_height + 1) * (width - kernel_width + 1)


def compare(args: argparse.Namespace) -> dict[str, Any]:
    import corrbank

    target = args.target or corrbank.targets()[0]
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": versions(args.peers),
        "target": target,
        "threads": args.threads,
        "reps": args.reps,
        "cases": {},
    }
    print(f"{report['date']}, {report['machine']}, {args.threads} thread(s), best of {args.reps} turns, corrbank on "
          f"{target}")
    print(", ".join(f"{name} {version}" for name, version in report["versions"].items()), flush=True)
    width = 2 + max(map(len, args.cases))
    head = f"{'case':{width}}{'corrbank ms':>12}{'GFLOP/s':>9}{'of peak':>9}"
    head += "".join(f"{peer + ' ms':>16}{'ratio':>7}" for peer in args.peers)
    print(head + (f"{'to best':>9}" if args.peers else "") + (f"{'error':>9}" if "pytorch" in args.peers else ""))
    for name in args.cases:
        row = compare_case(shapes()[name], args, target)
        report["cases"][name] = row
        print_row(f"{name:{width}}", row, args.peers)
    if not args.no_memory:
        report["memory_growth_bytes"] = compare_memory(args)
    return report


def compare_case(case: Case, args: argparse.Namespace, target: str) -> dict[str, Any]:
    from corrbank import _core

    image, kernels = random_case(case)
    calls = {"corrbank": corrbank_calls(image, kernels, args.threads, target)}
    calls.update((peer, PEERS[peer](image, kernels, args.threads, None)) for peer in args.peers)
    peak = _core.fma_peak(target, 0.15)
    seconds = take_turns(calls, args.reps, pause=0.005 if args.threads > 1 else 0.0)
    peak = args.threads * max(peak, _core.fma_peak(target, 0.15))

    own = seconds["corrbank"]
    gflops = flops_of(case) / own / 1e9
    row: dict[str, Any] = {
        "shape": case,
        "ms": {library: value * 1e3 for library, value in seconds.items()},
        "gflops": gflops,
        "peak_gflops": peak,
        "fraction_of_peak": gflops / peak,
        "ratio": {peer: own / seconds[peer] for peer in args.peers},
    }
    if args.peers:
        row["ratio_to_best"] = max(row["ratio"].values())
    if "pytorch" in args.peers:
        expected = calls["pytorch"][0]()
        row["max_relative_error"] = float(np.abs(calls["corrbank"][0]() - expected).max() / np.abs(expected).max())
    return row


def take_turns(calls: dict[str, list[Call]], reps: int, pause: float) -> dict[str, float]:
    """Seconds of each library's best call over `reps` turns of all."""
    best = dict.fromkeys(calls, math.inf)
    for _ in range(reps):
        for library, ways in calls.items():
            for call in ways:
                time.sleep(pause)  # lets the threads of the one before fall asleep
                call()  # wakes its own, and fetches its data from behind the others'
                end = time.perf_counter() + 0.02
                while True:
                    start = time.perf_counter()
                    call()
                    now = time.perf_counter()
                    best[library] = min(best[library], now - start)
                    if now > end:
                        break
    return best


def print_row(name: str, row: dict[str, Any], peers: list[str]) -> None:
    line = f"{name}{row['ms']['corrbank']:12.3f}{row['gflops']:9.1f}{row['fraction_of_peak']:9.1%}"
    line += "".join(f"{row['ms'][peer]:16.3f}{row['ratio'][peer]:6.2f}x" for peer in peers)
    line += f"{row['ratio_to_best']:8.2f}x" if peers else ""
    line += f"{row['max_relative_error']:9.1e}" if "max_relative_error" in row else ""
    print(line, flush=True)


def compare_memory(args: argparse.Namespace) -> dict[str, int]:
    image, kernels = random_case(shapes()["seed"])
    megabyte = 1e6
    responses = 4 * math.prod(responses_shape(image, kernels))
    print(f"\ngrowth of peak resident memory over the seed case's first call; image {image.nbytes / megabyte:.1f}, "
          f"kernels {kernels.nbytes / megabyte:.1f}, responses {responses / megabyte:.1f} MB")
    growth = {}
    for library in ["corrbank", *args.peers]:
        command = [sys.executable, __file__, "--memory-of", library, "--threads", str(args.threads)]
        command += ["--target", args.target] if args.target else []
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        growth[library] = json.loads(answer)
        text = "not measured: needs Linux" if growth[library] is None else f"{growth[library] / megabyte:.1f} MB"
        print(f"  {library:12} {text}", flush=True)
    return growth


def memory_growth(library: str, threads: int, target: str | None) -> int | None:
    """Growth of this process's peak resident memory over one call, what is packed and returned included."""
    image, kernels = random_case(shapes()["seed"])
    one_call(library, *random_case(TINY), threads, target)  # what any first call loads
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from what is resident now
    except OSError:
        return None
    before = status_bytes("VmRSS")
    responses = one_call(library, image, kernels, threads, target)
    growth = status_bytes("VmHWM") - before
    assert responses.shape == responses_shape(image, kernels)
    return growth


def one_call(library: str, image: np.ndarray, kernels: np.ndarray, threads: int, target: str | None) -> np.ndarray:
    return LIBRARIES[library](image, kernels, threads, target)[0]()


def status_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    raise KeyError(field)


def machine() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def versions(peers: list[str]) -> dict[str, str]:
    import importlib

    found = {}
    for library, module in {"corrbank": "corrbank", "pytorch": "torch", "onnxruntime": "onnxruntime"}.items():
        if library != "corrbank" and library not in peers:
            continue
        try:
            found[library] = importlib.import_module(module).__version__
        except ImportError as error:
            sys.exit(f"compare.py: {error}; ./dev compare installs it (bench/peers_requirements.txt)")
    return found


if __name__ == "__main__":
    main()
