"""The report of a search: one HTML file, drawings inside."""

from __future__ import annotations

import base64
import html
import io
from pathlib import Path
from typing import Any

import matplotlib
from blocks import table as blocks_rows
from space import KINDS

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

COLOURS = {"direct": "#4269d0", "winograd": "#efb118", "fft": "#3ca951"}
STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 60em; margin: 2em auto; padding: 0 1em; color: #222 }
table { border-collapse: collapse; margin: 1em 0 } td, th { padding: .2em .8em; text-align: right }
td:first-child, th:first-child { text-align: left } tr:nth-child(even) { background: #f4f4f4 } img { max-width: 100% }
"""


def drawing(figure: Any) -> str:
    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110, bbox_inches="tight")
    pyplot.close(figure)
    return f'<img src="data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}">'


def table(header: list[str], rows: list[list[str]]) -> str:
    cells = "".join(f"<th>{html.escape(text)}</th>" for text in header)
    lines = "".join("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return f"<table><tr>{cells}</tr>{lines}</table>"


def draw_shapes(report: dict[str, Any]) -> str:
    """Every variant's speed on each shape, in GFLOP/s of the direct method, and the roof."""
    shapes = report["shapes"]
    figure, axes = pyplot.subplots(figsize=(11, 0.45 * len(shapes) + 1.5))
    for place, found in enumerate(shapes.values()):
        for algorithm, colour in COLOURS.items():
            speeds = [
                found["flops"] * kernels / found["extents"][3] / nanoseconds
                for name, (nanoseconds, kernels, _) in found["times"].items()
                if name.startswith(algorithm)
            ]
            axes.scatter(speeds, [place] * len(speeds), s=14, alpha=0.4, color=colour, label=algorithm if place == 0 else None)
        axes.scatter(found["flops"] / found["planned"]["plan/automatic"], place, marker="|", s=260, color="black")
        if found["before"]:
            axes.scatter(found["flops"] / found["before"], place, marker="|", s=260, color="red")
    axes.axvline(report["peak_gflops"], color="grey", linestyle=":")
    axes.set_xscale("log")
    axes.set_yticks(range(len(shapes)), list(shapes))
    axes.invert_yaxis()
    axes.set_xlabel(
        "GFLOP/s as the direct method counts them; dotted: the FMA peak; black: what is planned now; red: before"
    )
    axes.legend(loc="lower left")
    return drawing(figure)


def draw_roofline(report: dict[str, Any]) -> str:
    """Speeds over arithmetic intensity: floating-point operations for each byte of image, kernels and responses."""
    figure, axes = pyplot.subplots(figsize=(8, 4.5))
    for name, found in report["shapes"].items():
        c, h, w, k, kh, kw = found["extents"]
        intensity = found["flops"] / (4 * (c * h * w + k * c * kh * kw + k * (h - kh + 1) * (w - kw + 1)))
        axes.scatter(intensity, found["flops"] / found["planned"]["plan/automatic"], color="black", s=16)
        axes.annotate(name, (intensity, found["flops"] / found["planned"]["plan/automatic"]), fontsize=7)
    axes.axhline(report["peak_gflops"], color="grey", linestyle=":")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("operations for each byte that must move")
    axes.set_ylabel("GFLOP/s; above the dotted FMA peak: fewer multiplications")
    return drawing(figure)


def speed_table(report: dict[str, Any]) -> str:
    rows = []
    for name, found in report["shapes"].items():
        planned = found["planned"]
        best = min(planned.values())
        algorithms = (planned.get(f"plan/{algorithm}") for algorithm in COLOURS)
        before = found["before"]
        rows.append(
            [
                name,
                *[f"{t * 1e-6:.3f}" if t else "-" for t in algorithms],
                f"{planned['plan/automatic'] * 1e-6:.3f}",
                f"{planned['plan/automatic'] / best:.3f}",
                f"{before * 1e-6:.3f}" if before else "-",
                f"{planned['plan/automatic'] / before:.3f}" if before else "-",
            ]
        )
    header = ["shape", *[f"{a}, ms" for a in COLOURS], "planned, ms", "over the best", "before, ms", "over before"]
    return table(header, rows)


def baseline_table(report: dict[str, Any]) -> str:
    """The plain correlation by Halide's autoschedulers, beside what is planned and the direct rows."""
    found = report["autoschedulers"]
    if not found:
        return ""
    schedulers = list(next(iter(found.values())))
    rows = []
    for name, times in found.items():
        planned = report["shapes"][name]["planned"]
        cells = [f"{t * 1e-6:.2f}" if isinstance(t, float) else t for t in times.values()]
        rows.append([name, *cells, f"{planned['plan/direct'] * 1e-6:.2f}", f"{planned['plan/automatic'] * 1e-6:.2f}"])
    header = ["shape, ms", *schedulers, "direct rows", "planned"]
    return "<h2>Halide's autoschedulers, for comparison</h2>" + table(header, rows)


def row_tables(report: dict[str, Any]) -> str:
    """The best ways of each shape, and each chosen row's worth."""
    text = ""
    for name, found in report["shapes"].items():
        ways = sorted(found["times"].items(), key=lambda way: way[1][0] / way[1][1])[:8]
        least = ways[0][1][0] / ways[0][1][1]
        rows = [[way, f"{t * 1e-3:.1f}", str(k), f"{t / k / least:.3f}"] for way, (t, k, _) in ways]
        text += f"<h3>{html.escape(name)}</h3>" + table(["way", "us", "kernels", "a kernel's time over the best"], rows)
    return text


def write(report: dict[str, Any], path: Path) -> Path:
    counts = [
        [algorithm, str(len(report["rows"][algorithm])), str(len(report["chosen"][key])), ", ".join(report["chosen"][key])]
        for algorithm, key in KINDS.items()
    ]
    dropped = [[row, why] for row, why in report["dropped"].items()]
    page = f"""<!doctype html><meta charset="utf-8"><title>corrbank: {report["target"]}</title><style>{STYLE}</style>
<h1>{html.escape(report["target"])} on {html.escape(report["machine"])}</h1>
<p>{html.escape(report["obtained"]["kernels"])}; {html.escape(report["obtained"]["direct"])}.
Searched in {report["seconds"]:.0f} s; FMA peak of a core {report["peak_gflops"]:.1f} GFLOP/s; one thread.</p>
<h2>Speed</h2>{draw_shapes(report)}{speed_table(report)}
<h2>Roofline</h2>{draw_roofline(report)}
{baseline_table(report)}
<h2>Rows</h2>{table(["algorithm", "measured", "chosen", ""], counts)}
<details><summary>{len(dropped)} rows dropped</summary>{table(["row", "why"], dropped)}</details>
<h2>Sizes of blocks</h2><p>What each value saves, over all shapes that its algorithm is good at, of one shape's time.</p>
{table(["size", "from", "chosen", "savings"], blocks_rows(report["blocks"]))}
<h2>The best ways of each shape</h2>{row_tables(report)}
"""
    path.write_text(page)
    return path
