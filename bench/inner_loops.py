"""What the compiler made of each kernel's inner loop, without running it.

Reads the assembly beside the kernel objects, finds the loop that does the multiply-adds, counts instructions and
spills, and asks llvm-mca how close to the multiply-add limit of some CPUs it comes. README.md says how to read it.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys

MCA = "llvm-mca-19"  # Debian's llvm-19: the first with a model of the Neoverse N1's own

# A loop got worse when it lost more than this.
SHARE_TOLERANCE = 0.005
THROUGHPUT_TOLERANCE = 0.02

# What every wide kernel of a target must reach; throughput on the CPUs named.
BARS = {"arm64_neon": {"share": 0.66, "throughput": 0.95, "cpus": ["cortex-a76", "neoverse-n1"]}}


class Architecture:
    """How one assembly language writes what is looked for; regular expressions are tried on a line without comment."""

    def __init__(self, name, comment, triple, cpus, branch, fused, multiply, add, vector_register, stack, probe):
        self.name, self.comment, self.triple, self.cpus = name, comment, triple, cpus
        self.branch = re.compile(branch)
        self.fused, self.multiply, self.add = re.compile(fused), re.compile(multiply), re.compile(add)
        self.vector_register = re.compile(vector_register)
        self.stack = re.compile(stack)
        self.probe = probe


def probe_x86(register, fused):
    if fused:
        return [f"vfmadd231ps %{register}14, %{register}15, %{register}{i}" for i in range(12)]
    return [f"mulps %xmm15, %xmm{i}\naddps %xmm15, %xmm{i + 6}" for i in range(6)]


def probe_arm64(register, fused):
    return [f"fmla v{i}.4s, v30.4s, v31.4s" for i in range(16)]


def probe_arm32(register, fused):
    if fused:
        return [f"vmla.f32 {register}{i}, {register}14, {register}15" for i in range(12)]
    r = register
    return [f"vmul.f32 {r}{i}, {r}14, {r}15\nvadd.f32 {r}{i + 6}, {r}{i + 6}, {r}15" for i in range(6)]


# A constant place on the stack is a spill; an index beside the stack pointer reaches an array, the sums of a strip.
X86 = Architecture(
    name="x86",
    comment="#",
    triple="x86_64-linux-gnu",
    cpus=["znver4", "skylake-avx512"],
    branch=r"j[a-z]+\s+(\.L\w+)$",
    fused=r"vfn?madd\d+[ps]s\b",
    multiply=r"v?mul[ps]s\b",
    add=r"v?add[ps]s\b",
    vector_register=r"%([xyz]mm)\d",
    stack=r"\(%rsp\)",
    probe=probe_x86,
)
ARM64 = Architecture(
    name="arm64",
    comment="//",
    triple="aarch64-linux-gnu",
    cpus=["cortex-a55", "cortex-a76", "neoverse-n1"],
    branch=r"(?:b|b\.\w+|cbn?z\s+\w+,|tbn?z\s+\w+,\s*#\d+,)\s+(\.L\w+)$",
    fused=r"fmla\b",
    multiply=r"fmul\b",
    add=r"fadd\b",
    vector_register=r"\b([vqds])\d+\b",
    stack=r"\[sp(?:, #-?\d+)?\]",
    probe=probe_arm64,
)
ARM32 = Architecture(
    name="arm32",
    comment="@",
    triple="armv7-linux-gnueabihf",
    cpus=["cortex-a9", "cortex-a57"],
    branch=r"b(?:[a-z]{2})?\s+(\.L\w+)$",
    fused=r"v(?:mla|fma)\.f32\b",
    multiply=r"vmul\.f32\b",
    add=r"vadd\.f32\b",
    vector_register=r"\b([qds])\d+\b",
    stack=r"\[sp(?:, #-?\d+)?\]",
    probe=probe_arm32,
)


def architecture_of(text):
    if ".eabi_attribute" in text:
        return ARM32
    return ARM64 if re.search(r"^// %bb|// -- Begin function", text, re.M) else X86


class Instruction:
    def __init__(self, text, note):
        self.text = text
        self.note = note  # the compiler's comment


def function_body(text, symbol, architecture):
    """Instructions of the function and the positions of its labels."""
    instructions, labels = [], {}
    inside = False
    for line in text.splitlines():
        code, _, note = line.partition(architecture.comment)
        code = code.strip()
        if code == symbol + ":":
            inside = True
        elif inside and code.startswith(".Lfunc_end"):
            break
        elif inside and code.endswith(":"):
            labels[code[:-1]] = len(instructions)
        elif inside and code and not code.startswith("."):
            instructions.append(Instruction(code.replace("\t", " "), note))
    if not instructions:
        raise ValueError(f"there is no function {symbol}")
    return instructions, labels


def hot_loop(instructions, labels, architecture):
    """The instructions of the loop with most multiply-adds, less those of loops inside it.

    A loop is what lies between a label and a jump back to it. A strip's loop holds the small loop of its prefetches.
    """
    loops = set()
    for position, instruction in enumerate(instructions):
        branch = architecture.branch.match(instruction.text)
        if branch and labels.get(branch.group(1), position + 1) <= position:
            loops.add((labels[branch.group(1)], position))
    best = []
    for first, last in sorted(loops):
        inner = [l for l in loops if l != (first, last) and first <= l[0] and l[1] <= last]
        own = [
            instruction
            for position, instruction in enumerate(instructions)
            if first <= position <= last and not any(a <= position <= b for a, b in inner)
        ]
        if products(own, architecture) > products(best, architecture):
            best = own
    if not best:
        raise ValueError("no loop has a multiply-add")
    return best


def count(pattern, instructions):
    return sum(1 for instruction in instructions if pattern.match(instruction.text))


def products(instructions, architecture):
    return count(architecture.fused, instructions) + count(architecture.multiply, instructions)


def measure(loop, architecture):
    """The counts of a loop, as in the JSON files."""
    fused = count(architecture.fused, loop) > 0
    multiply_adds = products(loop, architecture)
    spills = [i for i in loop if architecture.stack.search(i.text) or re.search(r"\b(Spill|Reload)\b", i.note)]
    vector_spills = sum(1 for i in spills if architecture.vector_register.search(i.text))
    # Without a fused instruction a multiply-add is two.
    useful = multiply_adds if fused else multiply_adds + count(architecture.add, loop)
    return {
        "instructions": len(loop),
        "multiply_adds": multiply_adds,
        "share": round(useful / len(loop), 3),
        "vector_spills": vector_spills,
        "general_spills": len(spills) - vector_spills,
    }


def cycles(lines, architecture, cpu):
    """Cycles of one pass in steady state: the difference of two simulations, less the start."""
    command = [MCA, f"-mtriple={architecture.triple}", f"-mcpu={cpu}"]
    if architecture is ARM32:
        command.append("-mattr=+neon")
    total = []
    for passes in (100, 300):
        run = subprocess.run(
            command + [f"-iterations={passes}"], input="\n".join(lines) + "\n", capture_output=True, text=True
        )
        found = re.search(r"^Total Cycles:\s+(\d+)", run.stdout, re.M)
        if run.returncode or not found:
            raise RuntimeError(f"{' '.join(command)} failed:\n{run.stderr}")
        total.append(int(found.group(1)))
    return (total[1] - total[0]) / 200


def throughput(loop, architecture):
    """Multiply-adds a cycle, as a fraction of what the same model of the CPU does when there is nothing else."""
    first = next(i for i in loop if architecture.fused.match(i.text) or architecture.multiply.match(i.text))
    fused = count(architecture.fused, loop) > 0
    probe = architecture.probe(architecture.vector_register.search(first.text).group(1), fused)
    fractions = {}
    for cpu in architecture.cpus:
        limit = len(probe) / cycles(probe, architecture, cpu)
        rate = products(loop, architecture) / cycles([i.text for i in loop], architecture, cpu)
        fractions[cpu] = round(rate / limit, 3)
    return fractions


def assembly_files(folder):
    """Those of the table's rows: of rows that are gone, a build keeps the files."""
    folder = pathlib.Path(folder)
    table = folder.parent / "table" / "kernels.inc"
    rows = re.findall(r"\w+", table.read_text()) if table.exists() else None
    return sorted(path for path in folder.glob("*.s") if rows is None or path.stem in rows)


def read_kernels(folders):
    """{target: {kernel: measures}} of all kernels with a loop of multiply-adds in the folders."""
    targets = {}
    for path in [path for folder in folders for path in assembly_files(folder)]:
        name = re.fullmatch(r"corrbank_kernel_f32_(\w+?)_((?:rows|pixels|strips)_\w+)", path.stem)
        if not name:
            continue
        text = path.read_text()
        architecture = architecture_of(text)
        target = name.group(1)
        if target == "portable":
            target += "_" + architecture.name
        try:
            loop = hot_loop(*function_body(text, path.stem, architecture), architecture)
            measures = measure(loop, architecture)
            measures["throughput"] = throughput(loop, architecture)
        except ValueError as error:
            raise ValueError(f"{path.name}: {error}") from None
        targets.setdefault(target, {})[name.group(2)] = measures
    return targets


def is_wide(kernel):
    """Tiles that do the bulk of a large bank: pixels, and rows of four kernels or more."""
    walk, kernels = re.match(r"([a-z]+)_\d+x(\d+)", kernel).groups()
    return walk == "pixels" or walk == "rows" and int(kernels) >= 4


def below_bars(target, kernel, now):
    bars = BARS.get(target)
    if not bars or not is_wide(kernel):
        return []
    failures = []
    if now["share"] < bars["share"]:
        failures.append(f"share of multiply-adds {now['share']:.1%} is below the bar of {bars['share']:.0%}")
    if now["vector_spills"] + now["general_spills"]:
        failures.append(f"{now['vector_spills']} vector and {now['general_spills']} general spills, none are allowed")
    for cpu in bars["cpus"]:
        fraction = now["throughput"][cpu]
        if fraction < bars["throughput"]:
            failures.append(f"{cpu}: {fraction:.1%} of the limit, below the bar of {bars['throughput']:.0%}")
    return failures


def worse(now, before):
    failures = []
    for key in ("vector_spills", "general_spills"):
        if now[key] > before[key]:
            failures.append(f"{key.replace('_', ' ')}: {now[key]}, were {before[key]}")
    if now["share"] < before["share"] - SHARE_TOLERANCE:
        failures.append(f"share of multiply-adds {now['share']:.1%}, was {before['share']:.1%}")
    for cpu, fraction in before["throughput"].items():
        if now["throughput"].get(cpu, 0) < fraction - THROUGHPUT_TOLERANCE:
            failures.append(f"{cpu}: {now['throughput'].get(cpu, 0):.1%} of the limit, was {fraction:.1%}")
    return failures


def compare(target, kernels, reference):
    """What a check has to say against a target's kernels; reference as read from its file, or None."""
    failures = []
    for kernel, now in kernels.items():
        found = below_bars(target, kernel, now)
        if reference is None or kernel not in reference:
            found.append("has no reference; ./dev loops --update writes one")
        else:
            found += worse(now, reference[kernel])
        failures += [f"{target} {kernel}: {failure}" for failure in found]
    for kernel in sorted(set(reference or {}) - set(kernels)):
        failures.append(f"{target} {kernel}: is in the reference and was not built; ./dev loops --update drops it")
    return failures


def print_table(target, kernels):
    cpus = list(next(iter(kernels.values()))["throughput"])
    print(f"\n{target:<20} instr  mul-add  share  spills v+g" + "".join(f"  {cpu:>14}" for cpu in cpus))
    for kernel, m in kernels.items():
        spills = f"{m['vector_spills']}+{m['general_spills']}"
        print(
            f"{kernel:<20} {m['instructions']:5}  {m['multiply_adds']:7}  {m['share']:5.1%}  {spills:>10}"
            + "".join(f"  {m['throughput'][cpu]:14.1%}" for cpu in cpus)
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", help="with kernels' assembly: build/<preset>/generators/kernels")
    parser.add_argument("--reference", default=pathlib.Path(__file__).parent / "inner_loops", type=pathlib.Path)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--check", action="store_true", help="fail where a loop got worse than its reference or a bar")
    what.add_argument("--update", action="store_true", help="write the reference")
    parser.add_argument("--json", type=pathlib.Path, help="write all measures to this file")
    arguments = parser.parse_args()

    try:
        targets = read_kernels(arguments.folders)
    except FileNotFoundError as error:
        sys.exit(f"inner_loops: {error.filename} is not installed (Debian: apt-get install llvm-19)")
    except (RuntimeError, ValueError) as error:
        sys.exit(f"inner_loops: {error}")
    if not targets:
        sys.exit(f"inner_loops: no kernels in {', '.join(arguments.folders)}")
    failures = []
    for target, kernels in targets.items():
        print_table(target, kernels)
        path = arguments.reference / f"{target}.json"
        if arguments.update:
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(kernels, indent=1) + "\n")
        if arguments.check:
            failures += compare(target, kernels, json.loads(path.read_text()) if path.exists() else None)
    if arguments.json:
        arguments.json.write_text(json.dumps(targets, indent=1) + "\n")
    if failures:
        sys.exit("\n" + "\n".join(f"inner_loops: {failure}" for failure in failures))


if __name__ == "__main__":
    main()
