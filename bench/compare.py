#!/usr/bin/env python3
"""Times corrbank against other libraries side by side: one image, one bank of kernels, every response, f32.

All libraries take turns in one process and the best call of each counts, so a machine that slows down for a while slows
all of them. Each is used at its best: kernels prepared before the clock starts, image and responses in memory that
exists already where the library allows it, the same number of threads.
"""

from __future__ import annotations

import argparse
import datetime
import functools
import json
import math
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import peers
from cases import SHAPES, Case, random_cases, reference, shapes
from peers import Call

EXAMPLE = """examples:
  ./dev compare --cases seed,bank7,hd1 --reps 20 --json build/compare.json
  ./dev compare --random 40 --seed 1 --algorithms --reps 3 --no-memory
"""

DEFAULT_CASES = "seed,seed5,seed7,seed11,bank7,bank15,tmpl31,tmpl63,hd1,rgb11,rgb32,vgg,res56,res14,1x1,siam,k4,k2,k1"
TINY = Case(4, 12, 12, 4, 3, 3)
ALGORITHMS = ["direct", "winograd", "fft"]

WRONG = 0.01  # of the largest response: who errs more has not done the job
ACCURATE = 1e-4  # likewise: who errs more bought speed with it
SLOW = 4.0  # times the fastest: who takes longer has one turn only
LONG = 0.4  # seconds: such a call needs no other one to warm it up
CLOSE = 1.05  # times the fastest forced algorithm: as good a choice


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
    parser.add_argument("--cases", type=case_names,
                        help=f"names of {SHAPES.name}, divided by commas ({DEFAULT_CASES}; none with --random)")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="N random cases as well")
    parser.add_argument("--seed", type=int, default=0, help="of the random cases (0)")
    parser.add_argument("--algorithms", action="store_true", help="also time each algorithm that corrbank can be told")
    parser.add_argument("--threads", type=int, default=1, help="threads of each library (1)")
    parser.add_argument("--target", help="corrbank's target, such as x86_avx2 (the best of this machine)")
    parser.add_argument("--reps", type=int, default=10, help="turns of each library (10)")
    parser.add_argument("--peers", type=peer_names,
                        help=f"some of {','.join(peers.MODULES)}, or none: '' (all that are installed)")
    parser.add_argument("--no-memory", action="store_true", help="leave out the growth of memory in the seed case")
    parser.add_argument("--json", type=Path, help="write the results there too")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)  # a child process of this script
    args = parser.parse_args()
    names = args.cases if args.cases or args.random else DEFAULT_CASES.split(",")
    args.cases = {name: shapes()[name] for name in names or []}
    args.cases.update(random_cases(args.random, args.seed))
    return args


def case_names(text: str) -> list[str]:
    return chosen(text, shapes())


def peer_names(text: str) -> list[str]:
    return chosen(text, peers.MODULES)


def chosen(text: str, known: Any) -> list[str]:
    names = [name for name in text.split(",") if name]
    for name in names:
        if name not in known:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {','.join(known)}")
    return names


def corrbank_calls(image: np.ndarray, kernels: np.ndarray, threads: int, target: str | None,
                   algorithm: str = "auto") -> list[Call]:
    import corrbank

    bank = corrbank.Bank(kernels, algorithm=algorithm, target=target)
    out = np.empty(peers.responses_shape(image, kernels), np.float32)
    return [lambda: bank.correlate(image, threads=threads, out=out)]


def compare(args: argparse.Namespace) -> dict[str, Any]:
    import corrbank

    target = args.target or corrbank.targets()[0]
    versions = peer_versions(args.peers)
    report: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": {"corrbank": corrbank.__version__, **versions},
        "target": target,
        "threads": args.threads,
        "reps": args.reps,
        "cases": {},
    }
    print(f"{report['date']}, {report['machine']}, {args.threads} thread(s), best of {args.reps} turns, corrbank on "
          f"{target}")
    print(", ".join(f"{name} {version}" for name, version in report["versions"].items()))
    algorithms = ALGORITHMS if args.algorithms else []
    table = Table(list(args.cases), algorithms, list(versions))
    print("\nms; corrbank's GFLOP/s are those of the direct method; ratio: corrbank / fastest peer")
    table.print_head()
    for name, case in args.cases.items():
        row = compare_case(case, args, target, algorithms, list(versions))
        report["cases"][name] = row
        table.print_times(name, row)
    print("\nerror: largest error / largest response, against float64")
    table.print_errors(report["cases"])
    print_summary(report["cases"], args.algorithms, bool(versions))
    if not args.no_memory:
        report["memory_growth_bytes"] = compare_memory(args, list(versions))
    return report


def compare_case(case: Case, args: argparse.Namespace, target: str, algorithms: list[str],
                 peer_list: list[str]) -> dict[str, Any]:
    import corrbank
    from corrbank import _core

    image, kernels = case.arrays()
    chosen_kernels, expected = reference(image, kernels)
    makers = {"corrbank": functools.partial(corrbank_calls, image, kernels, args.threads, target)}
    for algorithm in algorithms:
        makers[algorithm] = functools.partial(makers["corrbank"], algorithm)
    for peer in peer_list:
        makers[peer] = functools.partial(peers.calls_of, peer, image, kernels, args.threads)

    calls, errors = {}, {}
    for way, make in makers.items():
        try:
            ready = make()
            error = max(error_of(call()[chosen_kernels], expected) for call in ready)
        except ValueError:  # not a shape for this way
            continue
        except Exception as failure:
            print(f"compare.py: {way} fails on {case}: {failure}", file=sys.stderr)
            continue
        errors[way] = error
        if error <= WRONG:
            calls[way] = ready
        else:
            print(f"compare.py: {way} is wrong on {case}: error {error:.1e}", file=sys.stderr)

    peak = _core.fma_peak(target, 0.15)
    seconds = take_turns(calls, args.reps, pause=0.005 if args.threads > 1 else 0.0)
    peak = args.threads * max(peak, _core.fma_peak(target, 0.15))

    own = seconds["corrbank"]
    row: dict[str, Any] = {
        "shape": case,
        "algorithm": corrbank.plan(image, kernels, threads=args.threads, target=target).algorithm,
        "ms": {way: value * 1e3 for way, value in seconds.items()},
        "error": errors,
        "gflops": case.flops / own / 1e9,
        "peak_gflops": peak,
        "fraction_of_peak": case.flops / own / 1e9 / peak,
        "ratio": {peer: own / seconds[peer] for peer in peer_list if peer in seconds},
    }
    if row["ratio"]:
        row["best_peer"] = max(row["ratio"], key=row["ratio"].get)
        row["ratio_to_best"] = row["ratio"][row["best_peer"]]
    forced = [seconds[algorithm] for algorithm in algorithms if algorithm in seconds]
    if forced:
        # One forced to what the plan takes anyway is the same call once more: the difference is noise.
        row["ratio_to_best_forced"] = min(own, seconds.get(row["algorithm"], own)) / min(forced)
    return row


def error_of(responses: np.ndarray, expected: np.ndarray) -> float:
    error = np.abs(responses - expected).max() / np.abs(expected).max()
    return float(error) if np.isfinite(error) else math.inf


def take_turns(calls: dict[str, list[Call]], reps: int, pause: float) -> dict[str, float]:
    """Seconds of each way's best call over `reps` turns of all, but one turn only for those that are far behind."""
    best = dict.fromkeys(calls, math.inf)
    for _ in range(reps):
        fastest = min(best.values())
        for way, variants in calls.items():
            if SLOW * fastest < best[way] < math.inf:
                continue
            for call in variants:
                time.sleep(pause)  # lets the threads of the one before fall asleep
                first = seconds_of(call)  # wakes its own, and fetches its data from behind the others'
                if first > LONG:
                    best[way] = min(best[way], first)
                    continue
                end = time.perf_counter() + 0.02
                while True:
                    best[way] = min(best[way], seconds_of(call))
                    if time.perf_counter() > end:
                        break
    return best


def seconds_of(call: Call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


class Table:
    """Lines of one width: a case each, a column for each way."""

    def __init__(self, cases: list[str], algorithms: list[str], peer_list: list[str]) -> None:
        self.cases, self.algorithms, self.peers = 2 + max(map(len, cases)), algorithms, peer_list

    def print_head(self) -> None:
        line = f"{'case':{self.cases}}{'GFLOP':>8}{'corrbank':>10}{'by':>10}{'GFLOP/s':>9}{'of peak':>9}"
        line += "".join(f"{algorithm:>10}" for algorithm in self.algorithms)
        line += f"{'auto/best':>11}" if self.algorithms else ""
        line += "".join(f"{peer:>{self.width_of(peer)}}" for peer in self.peers)
        print(line + (f"{'ratio':>8}  to" if self.peers else ""), flush=True)

    def print_times(self, name: str, row: dict[str, Any]) -> None:
        line = f"{name:{self.cases}}{row['shape'].flops / 1e9:8.3f}{milliseconds(row, 'corrbank', 10)}"
        line += f"{row['algorithm']:>10}{row['gflops']:9.1f}{row['fraction_of_peak']:9.1%}"
        line += "".join(milliseconds(row, algorithm, 10) for algorithm in self.algorithms)
        if self.algorithms:
            line += f"{row['ratio_to_best_forced']:11.2f}" if "ratio_to_best_forced" in row else f"{'-':>11}"
        line += "".join(milliseconds(row, peer, self.width_of(peer)) for peer in self.peers)
        line += f"{row['ratio_to_best']:8.2f}  {row['best_peer']}" if "best_peer" in row else ""
        print(line, flush=True)

    def print_errors(self, rows: dict[str, Any]) -> None:
        columns = {way: 10 for way in ["corrbank", *self.algorithms]}
        columns.update((peer, self.width_of(peer)) for peer in self.peers)
        print(f"{'case':{self.cases}}" + "".join(f"{way:>{width}}" for way, width in columns.items()))
        for name, row in rows.items():
            texts = {way: f"{row['error'][way]:.1e}" if way in row["error"] else "-" for way in columns}
            print(f"{name:{self.cases}}" + "".join(f"{texts[way]:>{width}}" for way, width in columns.items()))

    @staticmethod
    def width_of(peer: str) -> int:
        return max(10, len(peer) + 2)


def milliseconds(row: dict[str, Any], way: str, width: int) -> str:
    return f"{row['ms'][way]:{width}.3f}" if way in row["ms"] else f"{'-':>{width}}"


def print_summary(rows: dict[str, Any], algorithms: bool, with_peers: bool) -> None:
    print()
    if algorithms:
        ratios = {name: row["ratio_to_best_forced"] for name, row in rows.items() if "ratio_to_best_forced" in row}
        others = {name: ratio for name, ratio in ratios.items() if ratio > CLOSE}
        print(f"auto within {CLOSE - 1:.0%} of the fastest forced algorithm: {len(ratios) - len(others)} of "
              f"{len(ratios)}")
        for name, ratio in sorted(others.items(), key=lambda item: -item[1]):
            fastest = min((way for way in ALGORITHMS if way in rows[name]["ms"]), key=rows[name]["ms"].get)
            print(f"  {name}: {ratio:.2f}, took {rows[name]['algorithm']}, {fastest} is faster")
    for limit in [math.inf, ACCURATE] if with_peers else []:
        print_slower(rows, limit)


def print_slower(rows: dict[str, Any], limit: float) -> None:
    """The cases where a peer whose error is below the limit is faster."""
    best = {}  # case -> peer
    for name, row in rows.items():
        ratios = {peer: ratio for peer, ratio in row["ratio"].items() if row["error"][peer] < limit}
        if ratios:
            best[name] = max(ratios, key=ratios.get)
    slower = {name: rows[name]["ratio"][peer] for name, peer in best.items() if rows[name]["ratio"][peer] > 1}
    print(f"no slower than any peer{f' with errors below {limit:.0e}' if limit < math.inf else ''}: "
          f"{len(best) - len(slower)} of {len(best)}")
    for name, ratio in sorted(slower.items(), key=lambda item: -item[1]):
        errors = rows[name]["error"]
        print(f"  {name}: {ratio:.2f} of {best[name]} (its error {errors[best[name]]:.1e}, corrbank's "
              f"{errors['corrbank']:.1e})")


def compare_memory(args: argparse.Namespace, peer_list: list[str]) -> dict[str, int | None]:
    image, kernels = shapes()["seed"].arrays()
    megabyte = 1e6
    responses = 4 * math.prod(peers.responses_shape(image, kernels))
    print(f"\ngrowth of peak resident memory over the seed case's first call; image {image.nbytes / megabyte:.1f}, "
          f"kernels {kernels.nbytes / megabyte:.1f}, responses {responses / megabyte:.1f} MB")
    growth: dict[str, int | None] = {}
    for library in ["corrbank", *peer_list]:
        command = [sys.executable, __file__, "--memory-of", library, "--threads", str(args.threads)]
        command += ["--target", args.target] if args.target else []
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        growth[library] = json.loads(answer.stdout) if answer.returncode == 0 else None
        text = "-" if growth[library] is None else f"{growth[library] / megabyte:.1f} MB"
        print(f"  {library:16} {text}", flush=True)
    return growth


def memory_growth(library: str, threads: int, target: str | None) -> int | None:
    """Growth of this process's peak resident memory over one call, what is packed and returned included.

    None where the system is no Linux or the library cannot do the case.
    """
    image, kernels = shapes()["seed"].arrays()
    try:
        one_call(library, *TINY.arrays(), threads, target)  # what any first call loads
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew from what is resident now
        before = status_bytes("VmRSS")
        responses = one_call(library, image, kernels, threads, target)
    except (OSError, ValueError):
        return None
    growth = status_bytes("VmHWM") - before
    assert responses.shape == peers.responses_shape(image, kernels)
    return growth


def one_call(library: str, image: np.ndarray, kernels: np.ndarray, threads: int, target: str | None) -> np.ndarray:
    if library == "corrbank":
        return corrbank_calls(image, kernels, threads, target)[0]()
    return peers.calls_of(library, image, kernels, threads)[0]()


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


def peer_versions(asked_for: list[str] | None) -> dict[str, str]:
    """Of the peers that will be timed: those asked for, or else those that can be imported."""
    found = {}
    for peer in peers.MODULES if asked_for is None else asked_for:
        try:
            found[peer] = peers.module_of(peer).VERSION
        except ImportError as error:
            message = f"compare.py: no {peer}: {error}; ./dev compare installs it (bench/peers_requirements.txt)"
            if asked_for is not None:
                sys.exit(message)
            print(message, file=sys.stderr)
    return found


if __name__ == "__main__":
    main()
