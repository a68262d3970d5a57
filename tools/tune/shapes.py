"""The shapes that a search is about."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import space

# The shapes of bench/shapes.csv that a target is tuned for when none are given, and some of calls of 0.1 to 1 ms: each
# algorithm's own ground, many and few kernels, whole blocks of 16 and what is left over.
DEFAULT_SHAPES = (
    "seed,seed5,bank7,bank15,tmpl31,rgb11,hd1,vgg,res56,res14,1x1,siam,k4,k1,vgg11_conv3_1,smallspatial_3_3x19,tails_20_29to65,"
    "12x80x80x4x11x11,120x40x40x8x5x5,48x30x30x100x7x7,3x200x150x12x15x15"
)


class Shape:
    def __init__(self, name: str, extents: list[int]):
        self.name, self.extents = name, extents

    @property
    def words(self) -> str:
        return " ".join(map(str, self.extents))

    @property
    def kernels(self) -> int:
        return self.extents[3]

    @property
    def flops(self) -> float:
        c, h, w, k, kh, kw = self.extents
        return 2.0 * c * k * kh * kw * (h - kh + 1) * (w - kw + 1)


def parse_shapes(text: str) -> list[Shape]:
    """Names of bench/shapes.csv and CxHxWxKxKHxKW, by comma; or @FILE, calls as CORRBANK_RECORD=FILE has them."""
    sys.path.insert(0, str(space.SOURCE / "bench"))
    import cases

    if text.startswith("@"):
        names = dict.fromkeys(Path(text[1:]).read_text(errors="replace").split())
    else:
        names = dict.fromkeys(text.split(","))
    shapes = []
    for name in names:
        if re.fullmatch(r"\d+(x\d+){5}", name):
            shapes.append(Shape(name, [int(n) for n in name.split("x")]))
        elif name in cases.shapes():
            shapes.append(Shape(name, list(cases.shapes()[name])))
        else:
            raise SystemExit(f"tune: {name} is neither of bench/shapes.csv nor CxHxWxKxKHxKW")
    if not shapes:
        raise SystemExit(f"tune: {text} has no shapes")
    for shape in shapes:
        c, h, w, k, kh, kw = shape.extents
        if min(shape.extents) < 1 or kh > h or kw > w:
            raise SystemExit(f"tune: {shape.name} is no shape")
    return shapes
