"""Gate on the CUDA kernels, without a GPU: what NVIDIA's assembler makes of every row's PTX.

    python bench/ptx_gate.py --build build/release            # measure, compare with bench/results/ptx.json
    python bench/ptx_gate.py --build build/release --update   # measure, write it

Fails where a kernel keeps anything on the stack, where its hot loop holds fewer fused multiply-adds than it should, or
where the figures differ from the recorded ones. An SM issues one instruction a cycle for each of its four parts, so the
share of FFMA in the hot loop bounds the share of the FMA peak. Needs ptxas and nvdisasm (cuda-requirements.txt).
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile

ARCHITECTURES = (75, 80, 86, 90, 100, 120)
LEAST_FFMA_PERCENT = 84.0

# Rows that cannot reach it, with the least they must have.
EXEMPT = {
    "thread_128x10x4": (62.0, "a pixel serves 4 kernels: 11 loads for 40 FFMA"),
    "thread_32x4x8": (65.0, "small tile for small responses: 6 loads for 32 FFMA"),
    "thread_128x6x16_size1": (77.0, "each channel of a pixel is an address of its own"),
}

RESULTS = pathlib.Path(__file__).parent / "results" / "ptx.json"

Row = collections.namedtuple("Row", "name threads symbol")
Instruction = collections.namedtuple("Instruction", "opcode target")


def read_table(path):
    """The rows of cuda_kernels.inc."""
    rows = []
    for fields in re.findall(r"^CORRBANK_CUDA_KERNEL\(([^)]*)\)", path.read_text(), re.MULTILINE):
        fields = [field.strip() for field in fields.split(",")]
        rows.append(Row(fields[0].strip('"'), int(fields[5]), fields[8]))
    return rows


def parse_sass(text):
    """Instructions of nvdisasm's listing, and the index of the instruction behind each label."""
    instructions, labels = [], {}
    for line in text.splitlines():
        label = re.match(r"(\.L_\w+):", line)
        if label:
            labels[label.group(1)] = len(instructions)
        code = re.match(r"\s+/\*[0-9a-f]{4,}\*/\s+(?:@!?\w+\s+)?([A-Z][A-Z0-9_.]*)([^;]*);", line)
        if code:
            target = re.search(r"`\((\.L_\w+)\)", code.group(2))
            instructions.append(Instruction(code.group(1).split(".")[0], target and target.group(1)))
    return instructions, labels


def hot_loop(text):
    """(FFMA, instructions) of the innermost loop with most FFMA; (0, 0) where there is none."""
    instructions, labels = parse_sass(text)
    loops = set()
    for last, instruction in enumerate(instructions):
        first = labels.get(instruction.target)
        if instruction.opcode == "BRA" and first is not None and first <= last:
            loops.add((first, last))
    best = (0, 0)
    for first, last in sorted(loops):
        if any(first <= a and b <= last and (a, b) != (first, last) for a, b in loops):
            continue
        ffma = sum(instruction.opcode == "FFMA" for instruction in instructions[first : last + 1])
        if ffma > best[0]:
            best = (ffma, last - first + 1)
    return best


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True)
    if done.returncode:
        sys.exit("ptx_gate: %s\n%s" % (" ".join(map(str, command)), done.stdout))
    return done.stdout


def measure(tools, folder, scratch, row, architecture):
    cubin = scratch / ("%s.sm_%d.cubin" % (row.name, architecture))
    report = run(tools["ptxas"], "-arch=sm_%d" % architecture, "-v", "--maxntid", str(row.threads),
                 folder / (row.symbol + ".device_code"), "-o", cubin)
    stack, stores, loads = map(int, re.search(
        r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", report).groups())
    ffma, instructions = hot_loop(run(tools["nvdisasm"], cubin))
    return {
        "registers": int(re.search(r"Used (\d+) registers", report).group(1)),
        "stack_bytes": stack,
        "spill_bytes": stores + loads,
        "loop_instructions": instructions,
        "ffma_percent": round(100.0 * ffma / instructions, 1) if instructions else 0.0,
    }


def complaints(name, architecture, figures):
    where = "%s sm_%d: " % (name, architecture)
    least = EXEMPT.get(name, (LEAST_FFMA_PERCENT,))[0]
    if figures["stack_bytes"] or figures["spill_bytes"]:
        yield where + "%(stack_bytes)d bytes of stack, %(spill_bytes)d of spills" % figures
    if figures["ffma_percent"] < least:
        yield where + "%.1f %% FFMA in the hot loop, at least %.1f wanted" % (figures["ffma_percent"], least)


def find_tool(name, given):
    wheel = pathlib.Path(sysconfig.get_path("purelib")) / "nvidia" / "cu13" / "bin" / name
    found = given or os.environ.get("CORRBANK_" + name.upper()) or (wheel if wheel.exists() else shutil.which(name))
    return str(found) if found else sys.exit("ptx_gate: no %s; pip install -r cuda-requirements.txt" % name)


def table(results):
    yield "%-22s" % "kernel" + "".join("%16s" % ("sm_%d" % a) for a in ARCHITECTURES) + "   (registers, FFMA)"
    for name, figures in results.items():
        cells = (figures["sm_%d" % a] for a in ARCHITECTURES)
        yield "%-22s" % name + "".join("%8d %5.1f %%" % (cell["registers"], cell["ffma_percent"]) for cell in cells)


def dump(document):
    """JSON with one line for a kernel and architecture."""
    kernels = ",\n".join(
        '    "%s": {\n%s\n    }' % (name, ",\n".join('      "%s": %s' % (a, json.dumps(f)) for a, f in figures.items()))
        for name, figures in document["kernels"].items())
    return '{\n  "ptxas": %s,\n  "kernels": {\n%s\n  }\n}\n' % (json.dumps(document["ptxas"]), kernels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder where corrbank_ptx is built")
    parser.add_argument("--update", action="store_true", help="write the results instead of comparing with them")
    parser.add_argument("--ptxas")
    parser.add_argument("--nvdisasm")
    options = parser.parse_args()
    tools = {name: find_tool(name, getattr(options, name)) for name in ("ptxas", "nvdisasm")}
    folder = options.build / "generators" / "kernels"
    rows = read_table(options.build / "generators" / "table" / "cuda_kernels.inc")
    if not rows:
        sys.exit("ptx_gate: no CUDA kernels in " + str(options.build))

    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {(row.name, a): pool.submit(measure, tools, folder, pathlib.Path(scratch), row, a)
                for row in rows for a in ARCHITECTURES}
        kernels = {row.name: {"sm_%d" % a: jobs[row.name, a].result() for a in ARCHITECTURES} for row in rows}
    print("\n".join(table(kernels)))
    failures = [text for (name, a) in jobs for text in complaints(name, a, kernels[name]["sm_%d" % a])]
    failures += ["%s: exempt, but no such row" % name for name in EXEMPT if name not in kernels]

    version = re.search(r"V[\d.]+", run(tools["ptxas"], "--version")).group(0)
    document = {"ptxas": version, "kernels": kernels}
    if options.update:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(dump(document))
    else:
        recorded = json.loads(RESULTS.read_text())
        if recorded["ptxas"] != version:
            print("ptxas %s, recorded with %s: not compared" % (version, recorded["ptxas"]))
        elif recorded != document:
            changed = [name for name in sorted(set(kernels) | set(recorded["kernels"]))
                       if kernels.get(name) != recorded["kernels"].get(name)]
            failures.append("not as recorded in %s (--update writes it): %s" % (RESULTS, ", ".join(changed)))
    for name, (least, reason) in EXEMPT.items():
        print("%s: at least %.0f %%: %s" % (name, least, reason))
    if failures:
        sys.exit("\n".join(["ptx_gate: FAILED"] + failures))


if __name__ == "__main__":
    main()
