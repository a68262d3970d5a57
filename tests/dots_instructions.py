"""python dots_instructions.py FILE...: whether assembly for AVX-512 VNNI asks for more than the runtime does.

Halide has vpdpbusd for LLVM's znver4 alone, and that model allows what only AMD's processors have, and bfloat16; cpu_has() of
runtime/targets.cpp asks for the rest.
"""

import re
import sys
from pathlib import Path

# SSE4a, CLZERO and the like, and AVX-512 BF16.
NOT_ASKED_FOR = re.compile(r"^\s+(extrq|insertq|movnts[sd]|clzero|mwaitx|monitorx|v\w*bf16\w*|wbnoinvd|rdpru)\b", re.M)


def main(*files):
    wrong = 0
    for file in files:
        text = Path(file).read_text()
        found = sorted(set(NOT_ASKED_FOR.findall(text)))
        if found or "vpdpbusd" not in text:
            print(f"{file}: {', '.join(found) if found else 'has no vpdpbusd'}", file=sys.stderr)
            wrong += 1
    print(f"{len(files)} files, {len(files) - wrong} of instructions that are asked for")
    return 1 if wrong or not files else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
