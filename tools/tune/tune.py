"""Retunes corrbank for a target: searches its kernel rows by measuring, fits the planner's costs, writes a tuned file.

The file says all that a build needs to know: -DCORRBANK_TUNED=FILE builds a library by it, and no source changes. A search
that was stopped goes on where it was when it is started again. docs/tuning.md is a walk through it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import platform
import re
import shlex
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import autoschedule
import blocks
import build
import choose
import coefficients
import measuring
import space
import specialise
from arguments import parse, versions
from shapes import Shape, parse_shapes

# Largest errors, relative to the norms of kernel and window (tests/accuracy.h).
BOUNDS = {"direct": 1e-6, "winograd": 4e-6, "fft": 1e-6}
MOST_FFT = 24  # ways of an algorithm whose ways are many, the best as predicted from what its passes take
BUILD_SHARE = 0.35  # of the time, about what building and the end take
BLOCKS_SHARE = 0.2  # at most
NEAR = 0.1  # as a fraction: the closer a way is to the best, the more the planner must know it
LEAST_WEIGHT = 0.03  # of ways that are far from it: enough that they stay there
REFITS = 7
COMPARED = 3  # turns of what was before and what is found
GOOD_ENOUGH = 0.01  # the planned way may be so much slower than the best one


class Search:
    def __init__(self, arguments: argparse.Namespace):
        self.arguments = arguments
        self.begin = time.monotonic()
        self.seconds = arguments.minutes * 60
        self.target = space.targets().get(arguments.target, space.Target("cuda", "any", 0))
        self.folder = arguments.folder.resolve()
        self.shapes = parse_shapes(arguments.shapes)
        self.build = build.Build(self.folder / "build", self.target, arguments.preset, arguments.cmake)
        self.measurements = measuring.Measurements(self.folder / "measurements.json")
        self.rows: dict[str, list[str]] = {}  # that were built and do not spill
        self.dropped: dict[str, str] = {}  # row: why
        self.blocks = dict(blocks.START)
        self.report: dict[str, Any] = {"target": self.target.name, "machine": arguments.machine, "shapes": {}}

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.begin:5.0f} s  {text}", flush=True)

    def make(self, tuned: dict[str, Any], name: str, goal: str, cuda: bool = False) -> list[str]:
        path = self.folder / name
        build.write(path, tuned)
        self.build.configure(path, cuda)
        from tqdm import tqdm  # here: the tests need none

        with tqdm(total=1, desc=name, leave=False, disable=None) as bar:

            def progress(done: int, of: int) -> None:
                bar.total = of
                bar.update(done - bar.n)

            return self.build.make(goal, self.arguments.parallel, progress)

    def make_all(self, tuned: dict[str, Any], name: str, goal: str = "corrbank_tune_measure") -> None:
        if last := self.make(tuned, name, goal):
            raise build.Failed("\n".join(last))

    def start(self, built: Path | None = None, threads: int = 1) -> measuring.Program:
        built = built or self.build.program
        if self.arguments.push:
            build.run(shlex.split(self.arguments.push.replace("{}", str(built))))
        program = self.arguments.program or str(built)
        runner = shlex.split(self.arguments.runner or "")
        return measuring.Program([*runner, program], None if runner or threads > 1 else self.arguments.core)

    def start_costs(self, kernels: dict[str, Any], peak: float) -> dict[str, Any]:
        return space.starting_costs(self.target, kernels, peak)

    def build_everything(self, goal: str = "corrbank_tune_measure") -> None:
        kernels = space.everything(self.target)
        for kind in build.SEARCHED:  # what is there already takes part, should it not be of the space
            kernels[kind] = list(dict.fromkeys(kernels[kind] + self.base()["kernels"][kind]))
        last = self.make(self.tuned(kernels, self.start_costs(kernels, 100.0), {}), "candidates.json", "corrbank_kernels")
        for kind in build.SEARCHED:
            for row in kernels[kind]:
                if fault := self.build.fault(kind, row):
                    self.dropped[f"{kind} {row}"] = fault
            kernels[kind] = [row for row in kernels[kind] if f"{kind} {row}" not in self.dropped]
        if not all(kernels[kind] for kind in build.SEARCHED):
            raise build.Failed("\n".join(last) or "every row spills")
        self.rows = {algorithm: kernels[kind] for algorithm, kind in space.KINDS.items()}
        self.make_all(self.tuned(kernels, self.start_costs(kernels, 100.0), {}), "candidates.json", goal)
        self.kernels = kernels
        count = sum(map(len, self.rows.values()))
        self.say(f"{count} rows built, {len(self.dropped)} dropped: " + spoken(self.dropped))

    def tuned(self, kernels: dict[str, Any], costs: dict[str, Any], obtained: dict[str, str]) -> dict[str, Any]:
        parts = ("kernels", "direct", "winograd", "fft", "blocks")
        return {
            "target": self.target.name,
            "machine": self.arguments.machine,
            "date": datetime.date.today().isoformat(),
            "obtained": {part: obtained.get(part, "not measured") for part in parts},
            "kernels": kernels,
            **coefficients.of(kernels, costs),
            "blocks": self.blocks,
        }

    def measure(self, program: measuring.Program) -> None:
        """Times of all ways to do each shape, and the FMA peak and the FFT's passes before them."""
        peak = float(program.ask("peak")[0][1])
        self.report["peak_gflops"] = peak
        self.costs = self.start_costs(self.kernels, peak)
        coefficients.send(program, self.kernels, self.costs)
        program.ask("passes")
        coefficients.read(program, self.kernels, self.costs)
        from tqdm import tqdm

        left = [shape for shape in self.shapes if not self.measurements.has(shape.name)]
        for number, shape in enumerate(tqdm(left, desc="shapes", leave=False, disable=None)):
            remaining = self.begin + self.seconds * (1 - BUILD_SHARE / 2) - time.monotonic()
            seconds = remaining / (len(left) - number)
            if seconds <= 0:
                self.say(f"no time is left for {', '.join(s.name for s in left[number:])}")
                self.shapes = [s for s in self.shapes if self.measurements.has(s.name)]
                if not self.shapes:
                    raise build.Failed("no shape was measured; more --minutes are needed")
                return
            self.measurements.put(shape.name, self.times(program, shape, seconds))

    def ways(self, program: measuring.Program, shape: Shape) -> list[measuring.Way]:
        program.ask("shape", shape.words)
        return [measuring.Way(n, float(p), int(k), int(t), constants) for _, n, p, k, t, constants in program.ask("list")]

    def times(self, program: measuring.Program, shape: Shape, seconds: float) -> dict[str, tuple[float, int, int]]:
        ways = [way for way in self.ways(program, shape) if choose.row_of(way.name) in self.rows[way.algorithm]]
        fft = sorted((way for way in ways if way.algorithm == "fft"), key=lambda way: way.predicted)[:MOST_FFT]
        ways = [way for way in ways if way.algorithm != "fft"] + fft
        bad = measuring.wrong(program, ways, BOUNDS)
        for name in bad:
            self.dropped[name] = f"wrong responses for {shape.name}"
        return measuring.halve(program, [way for way in ways if way.name not in bad], seconds)

    def choose(self) -> dict[str, list[str]]:
        """Rows of each algorithm; before those of the FFT its sizes, which self.kernels then has."""
        known = {shape.name: (self.measurements.of(shape.name), shape.kernels) for shape in self.shapes}
        self.kernels["fft_sizes"] = choose.sizes(known, self.kernels["fft_sizes"])
        known = {name: (self.with_sizes(times), kernels) for name, (times, kernels) in known.items()}
        fixed = {"direct": choose.fixed_direct(known, self.rows["direct"]), "winograd": [], "fft": list(space.ALWAYS_FFT)}
        return {a: choose.choose(known, a, self.rows[a], fixed[a]) or self.rows[a][:1] for a in self.rows}

    def with_sizes(self, times: choose.Times) -> choose.Times:
        """Less the FFT's ways with sizes that were not chosen."""
        return {name: found for name, found in times.items() if choose.sizes_of(name) <= set(self.kernels["fft_sizes"])}

    def fit(self, program: measuring.Program, chosen: dict[str, list[str]], weights: dict[str, float]) -> str:
        """Fits the costs of each algorithm to the times of the chosen rows; what it came to, in words."""
        words = []
        for algorithm, not_fitted in space.NOT_FITTED.items():
            names = [
                name
                for (model, member, _), name in coefficients.names(self.kernels, self.costs).items()
                if model == algorithm and member not in not_fitted
            ]
            for shape in self.shapes:
                times = self.with_sizes(self.measurements.of(shape.name))
                ways = {n: t for n, t in times.items() if n.startswith(algorithm) and choose.row_of(n) in chosen[algorithm]}
                best = min((t / k for t, k, _ in ways.values()), default=0)
                for name, (nanoseconds, kernels, _) in ways.items():
                    behind = nanoseconds / kernels / best - 1
                    weight = weights.get(shape.name, 1.0) * (LEAST_WEIGHT + 1 / (1 + (behind / NEAR) ** 2))
                    program.ask("sample", shape.words, name, nanoseconds, weight)
            before, after = map(float, program.ask("fit", *names)[0][1:])
            words.append(f"{algorithm} {after * 100:.1f} %")
        coefficients.read(program, self.kernels, self.costs)
        return "predictions miss by " + ", ".join(words)

    def judge(self, program: measuring.Program, calls: int) -> dict[str, dict[str, float]]:
        """What is planned for each shape, timed in turns with the best ways that were found."""
        found = {}
        for shape in self.shapes:
            program.ask("shape", shape.words)
            names = {name for _, name, *_ in program.ask("list")}
            ways = [n for n in self.measurements.of(shape.name) if n in names and not n.startswith("direct")]
            ways.sort(key=lambda n: self.measurements.of(shape.name)[n][0])
            asked = ["plan/automatic", "plan/direct", "plan/winograd", "plan/fft", *ways[:2]]
            found[shape.name] = {name: float(ns) for _, name, ns, _ in program.ask("time", calls, *asked)}
        return found

    def shipped(self) -> dict[str, Any]:
        return build.read(space.TUNED / f"{self.target.name}.json", self.target)

    def base(self) -> dict[str, Any]:
        """The tuned file to compare with, or the one that is shipped."""
        return build.read(self.arguments.compare, self.target) if self.arguments.compare else self.shipped()

    def rank(self) -> None:
        """Without measuring: where no machine of the target is at hand."""
        import rank

        base = self.base()
        ranked = rank.rank_cuda(self, base) if self.target.name == "cuda" else rank.rank_cpu(self, base)
        ranked["date"] = datetime.date.today().isoformat()
        build.write(self.arguments.output, ranked)
        self.say(f"wrote {self.arguments.output}: {ranked['obtained']['kernels']}")

    def run(self) -> None:
        if self.arguments.rank:
            return self.rank()
        if self.arguments.compare:
            self.build_before()
        self.search_blocks()
        self.build_everything()
        program = self.start()
        self.measure(program)
        if self.arguments.specialise:
            return self.specialise(program)
        program.close()
        chosen = self.choose()
        kernels = {**self.kernels, **{kind: chosen[algorithm] for algorithm, kind in space.KINDS.items()}}
        self.kernels = kernels
        words = [f"{algorithm}: {', '.join(rows)}" for algorithm, rows in chosen.items()]
        self.say("chosen: " + "; ".join(words) + f" of {', '.join(map(str, kernels['fft_sizes']))}")
        self.make_all(self.tuned(kernels, self.costs, {}), "chosen.json")
        program = self.start()
        misses, weights, best = "", {}, None
        for _ in range(REFITS):
            coefficients.send(program, self.kernels, self.costs)
            misses = self.fit(program, chosen, weights)
            found = self.judge(program, 8)
            slower = {shape: times["plan/automatic"] / min(times.values()) - 1 for shape, times in found.items()}
            worst = max(slower, key=slower.__getitem__)
            self.say(f"{misses}; planned at worst {slower[worst] * 100:.1f} % slower than the best ({worst})")
            # The square: one shape that is planned badly counts more than several that are a little behind.
            score = sum(loss * loss for loss in slower.values())
            if best is None or score < best[0]:
                best = score, json.loads(json.dumps(self.costs)), found, misses
            if slower[worst] <= GOOD_ENOUGH or time.monotonic() - self.begin > self.seconds:
                break
            for shape, loss in slower.items():
                if loss > GOOD_ENOUGH:
                    weights[shape] = weights.get(shape, 1.0) * 4
        _, self.costs, found, misses = best
        coefficients.send(program, self.kernels, self.costs)
        taken = {choose.row_of(f"direct/{name}") for _, name in program.ask("taken")}
        program.close()
        self.leave_out_idle(taken)
        self.finish(kernels, found, misses, self.compare(found) if self.arguments.compare else {})

    def leave_out_idle(self, taken: set[str]) -> None:
        """Rows of direct that the planner takes for no shape: measured alone they were worth it, by the fitted costs others are."""
        idle = [row for row in self.kernels["direct"] if row not in taken]
        if not idle:
            return
        self.say(f"left out, as no plan takes them: {', '.join(idle)}")
        self.kernels["direct"] = [row for row in self.kernels["direct"] if row in taken]
        self.make_all(self.tuned(self.kernels, self.costs, {}), "chosen.json")

    def specialise(self, program: measuring.Program) -> None:
        """Writes the rows of a library for the one shape: with constants, unless rows without them are faster."""
        (shape,) = self.shapes
        ways = self.ways(program, shape)
        program.close()
        seconds = {}
        versions_ = specialise.kernels(self.target, shape.extents, self.measurements.of(shape.name), ways)
        for name, kernels in zip(("any extents", "constant extents"), versions_):
            self.make_all(self.tuned(kernels, self.costs, {}), "specialised.json")
            program = self.start()
            program.ask("shape", shape.words)
            if error := measuring.wrong(program, [measuring.Way("plan/automatic", 0, 0, 0)], {"plan": max(BOUNDS.values())}):
                raise build.Failed(f"wrong responses: {error}")
            seconds[name] = float(program.ask("time", 64, "plan/automatic")[0][2]) * 1e-9
            program.close()
            self.say(f"{name}: {seconds[name] * 1e3:.4f} ms")
        name = min(seconds, key=seconds.__getitem__)
        if seconds["constant extents"] <= seconds[name] * (1 + GOOD_ENOUGH):
            name = "constant extents"
        how = f"specialised for {shape.name}, {name}: {seconds[name] * 1e3:.4f} ms, {versions()}"
        kernels = versions_[name == "constant extents"]
        build.write(self.arguments.output, self.tuned(kernels, self.costs, {"kernels": how, "fft": "passes measured"}))
        self.say(f"wrote {self.arguments.output}: {how}")

    def search_blocks(self) -> None:
        """By the rows that are shipped, before any others are timed: what is measured later has the sizes that were chosen."""
        path = self.folder / "blocks.json"
        if path.exists():
            found = json.loads(path.read_text())
            self.blocks, self.report["blocks"] = found["blocks"], found["trials"]
            return
        # One shape tells too little of sizes to start anew.
        known = dict(self.shipped()["blocks"]) if self.arguments.specialise else None
        self.make_all({**self.shipped(), "blocks": known or self.blocks}, "shipped.json")
        program = self.start(threads=self.arguments.threads)
        seconds = self.seconds * BLOCKS_SHARE
        self.blocks, trials = blocks.search(program, self.shapes, self.arguments.threads, seconds, self.say, known)
        program.close()
        self.report["blocks"] = [trial._asdict() for trial in trials]
        if trials:
            build.write(path, {"blocks": self.blocks, "trials": self.report["blocks"]})

    def build_before(self) -> None:
        """The program with the tuned file to compare with, kept for the end."""
        self.make_all(self.base(), "before.json")
        self.before = self.folder / "before" / self.build.program.name
        self.before.parent.mkdir(exist_ok=True)
        shutil.copy2(self.build.program, self.before)

    def compare(self, found: dict[str, dict[str, float]]) -> dict[str, float]:
        """What the tuned file to compare with plans, timed in turns with what this search plans."""
        before: dict[str, float] = {}
        for _ in range(COMPARED):
            for built in (self.before, self.build.program):  # one at a time, where a program is sent to one path
                program, is_new = self.start(built), built == self.build.program
                if is_new:
                    coefficients.send(program, self.kernels, self.costs)
                for shape in self.shapes:
                    program.ask("shape", shape.words)
                    nanoseconds = float(program.ask("time", 8, "plan/automatic")[0][2])
                    if is_new:
                        times = found[shape.name]
                        times["plan/automatic"] = min(nanoseconds, times["plan/automatic"])
                    else:
                        before[shape.name] = min(nanoseconds, before.get(shape.name, nanoseconds))
                program.close()
        ratios = [found[name]["plan/automatic"] / before[name] for name in before]
        mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
        self.say(f"{mean:.3f} times what {self.arguments.compare} takes, {min(ratios):.3f} to {max(ratios):.3f}")
        return before

    def baseline(self) -> dict[str, dict[str, Any]]:
        """What Halide's autoschedulers make of the first shapes, where their code runs on this machine."""
        native = self.target.architecture in ("x86_64", "any") and platform.machine() == "x86_64"
        if not native or self.arguments.push or self.arguments.autoscheduled == 0:
            return {}
        generator = space.SOURCE / "build" / "release" / "generators" / "corrbank_generator"
        found = {}
        for shape in self.shapes[: self.arguments.autoscheduled]:
            folder = self.folder / "autoscheduled"
            found[shape.name] = autoschedule.times(self.target, generator, shape.extents, folder, self.arguments.core)
        return found

    def finish(self, kernels: dict[str, Any], found: Any, misses: str, before: dict[str, float]) -> None:
        count = sum(map(len, self.rows.values()))
        shapes = len(self.shapes)
        how = f"measured: {count} rows on {shapes} shapes in {self.arguments.minutes:g} minutes, {versions()}"
        obtained = {"kernels": how, "direct": f"fitted: {misses}", "winograd": "fitted: as direct"}
        obtained["fft"] = "passes measured alone, the rest fitted: as direct"
        threads = "one thread" if self.arguments.threads == 1 else f"{self.arguments.threads} threads"
        obtained["blocks"] = f"measured: {len(self.report['blocks'])} sizes, each alone, with {threads}"
        tuned = self.tuned(kernels, self.costs, obtained)
        build.write(self.arguments.output, tuned)
        self.report.update(rows=self.rows, dropped=self.dropped, chosen=kernels, seconds=time.monotonic() - self.begin)
        self.report["obtained"] = obtained
        for shape in self.shapes:
            self.report["shapes"][shape.name] = {
                "extents": shape.extents,
                "flops": shape.flops,
                "times": self.measurements.of(shape.name),
                "planned": found[shape.name],
                "before": before.get(shape.name),
            }
        self.report["autoschedulers"] = self.baseline()
        data = self.folder / "report.json"
        data.write_text(json.dumps(self.report, indent=1) + "\n")
        import report

        page = report.write(self.report, self.folder / "report.html")
        self.say(f"wrote {self.arguments.output}; the report is {page}")


def spoken(dropped: dict[str, str]) -> str:
    reasons: dict[str, int] = {}
    for reason in dropped.values():
        kind = re.sub(r"\d+ ", "", reason)
        reasons[kind] = reasons.get(kind, 0) + 1
    return ", ".join(f"{count} x {reason}" for reason, count in reasons.items()) or "none"


def main(argv: list[str] | None = None) -> int:
    arguments = parse(__doc__, argv)
    if arguments.fresh:
        shutil.rmtree(arguments.folder, ignore_errors=True)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    try:
        Search(arguments).run()
    except (build.Failed, OSError) as error:
        print(f"tune: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("tune: stopped; the same command goes on with what is measured", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
