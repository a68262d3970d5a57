"""`corrbank find`: templates in a picture, as a table, JSON and an annotated copy."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from .inputs import InputError, Pixels, load_pixels
from .matching import Match, Templates, augment

COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#808000")


def add_arguments(find: argparse.ArgumentParser) -> None:
    find.add_argument("image", type=Path, metavar="IMAGE", help="a picture, or a .npy array [C,H,W] or [H,W]")
    find.add_argument(
        "templates", type=Path, nargs="+", metavar="TEMPLATE",
        help="likewise; transparent parts of a picture do not count",
    )
    find.add_argument("--method", default="ccoeff_normed", metavar="M", help="see corrbank.match (default: %(default)s)")
    find.add_argument("--mask", type=Path, metavar="FILE", help="picture of a template's size: black does not count")
    find.add_argument("--angles", type=float, nargs="+", metavar="DEG", help="try templates turned counter-clockwise too")
    find.add_argument("--scales", type=float, nargs="+", metavar="S", help="and of other sizes")
    find.add_argument("--top", type=int, default=1, metavar="N", help="matches of each template (default: 1)")
    find.add_argument("--threshold", type=float, metavar="T", help="scores from here on (distances: up to here)")
    find.add_argument("--min-distance", type=int, metavar="PX", help="between matches of a template (default: half of it)")
    find.add_argument(
        "--subpixel", choices=("parabola", "log_gaussian"), metavar="HOW", help="parabola or log_gaussian (default: none)"
    )
    find.add_argument("--json", action="store_true", help="print JSON instead of a table")
    find.add_argument("-o", dest="output", type=Path, metavar="FOUND.png", help="write a copy with boxes and scores")


def run_find(arguments: argparse.Namespace) -> None:
    """Prints what was found. What the library refuses is a ValueError or TypeError."""
    image = load_pixels(arguments.image)
    templates = [load_pixels(path) for path in arguments.templates]
    mask = None if arguments.mask is None else load_pixels(arguments.mask).grey().planes[0] != 0
    channels = {len(pixels.planes) for pixels in [image, *templates]}
    if channels == {1, 3}:
        image, templates = image.grey(), [template.grey() for template in templates]
    elif len(channels) > 1:
        paths = [arguments.image, *arguments.templates]
        of_each = ", ".join(f"{path} {len(pixels.planes)}" for path, pixels in zip(paths, [image, *templates]))
        raise InputError(f"image and templates must have the same number of channels, but they have: {of_each}")
    found: list[tuple[Match, tuple[int, int]]] = []  # and the size of the box
    for number, template in enumerate(templates):
        _show_progress(number, len(templates))
        found += _find_one(image, template, mask, number, arguments)
    _show_progress(len(templates), len(templates))
    names = [path.name for path in arguments.templates]
    if arguments.json:
        rows = [
            {**asdict(match), "template": names[match.template], "height": size[0], "width": size[1]}
            for match, size in found
        ]
        print(json.dumps(rows, indent=1))
    else:
        _print_table(found, names)
    if arguments.output is not None:
        annotate(image, found).save(arguments.output)


def _find_one(
    image: Pixels, template: Pixels, mask: np.ndarray | None, number: int, arguments: argparse.Namespace
) -> list[tuple[Match, tuple[int, int]]]:
    """The best `top` matches over all copies of a template."""
    if template.alpha is not None:
        mask = template.alpha if mask is None else template.alpha & mask
    copies = arguments.angles is not None or arguments.scales is not None
    if copies:
        made = augment(template.planes, arguments.angles or (0.0,), arguments.scales or (1.0,), mask=mask)
        prepared = Templates(made, method=arguments.method, target=arguments.target)
    else:
        own_mask = None if mask is None else mask.astype(np.uint8)
        prepared = Templates(template.planes[None], method=arguments.method, mask=own_mask, target=arguments.target)
    if not any(prepared.valid):
        path = arguments.templates[number]
        raise InputError(f"{path}: no score is possible: the template is constant, zero, not finite or masked out")
    matches = prepared.find(
        image.planes,
        top=arguments.top,
        threshold=arguments.threshold,
        min_distance=arguments.min_distance,
        max_overlap=0.5 if copies else 1.0,
        subpixel=arguments.subpixel,
        threads=arguments.threads,
    )
    matches.sort(key=lambda match: match.score, reverse=not arguments.method.startswith("sqdiff"))
    size = prepared.shape[2:]
    return [
        (Match(number, m.y, m.x, m.score, m.refined_y, m.refined_x, m.angle, m.scale), size)
        for m in matches[: arguments.top]
    ]


def _show_progress(done: int, of: int) -> None:
    """For people only, and only where there is something to wait for."""
    if of < 2 or not sys.stderr.isatty():
        return
    end = "\n" if done == of else ""
    print(f"\rcorrbank: {done} of {of} templates", end=end, file=sys.stderr, flush=True)


def _print_table(found: list[tuple[Match, tuple[int, int]]], names: list[str]) -> None:
    wide = max([len(name) for name in names] + [8])
    print(f"{'template':{wide}} {'y':>9} {'x':>9} {'score':>12} {'angle':>7} {'scale':>6}")
    for match, _ in found:
        angle = "" if match.angle is None else f"{match.angle:.1f}"
        scale = "" if match.scale is None else f"{match.scale:.2f}"
        print(
            f"{names[match.template]:{wide}} {match.refined_y:9.2f} {match.refined_x:9.2f} {match.score:12.6g} "
            f"{angle:>7} {scale:>6}"
        )


def annotate(image: Pixels, found: list[tuple[Match, tuple[int, int]]]) -> Image.Image:
    """The picture with a box and a score for each match."""
    planes = image.planes.astype(np.float64)
    if image.planes.dtype != np.uint8:
        low, high = float(planes.min()), float(planes.max())
        planes = (planes - low) * (255 / (high - low) if high > low else 0)
    shown = planes[:3] if len(planes) >= 3 else np.repeat(planes[:1], 3, axis=0)
    picture = Image.fromarray(np.rint(shown).astype(np.uint8).transpose(1, 2, 0))
    draw = ImageDraw.Draw(picture)
    for match, (height, width) in found:
        colour = COLOURS[match.template % len(COLOURS)]
        draw.rectangle((match.x, match.y, match.x + width - 1, match.y + height - 1), outline=colour, width=2)
        text = f"{match.score:.3g}" if match.angle is None else f"{match.score:.3g}  {match.angle:g} deg"
        place = (match.x, match.y - 12 if match.y >= 12 else match.y + height + 1)
        draw.rectangle(draw.textbbox(place, text), fill="white")
        draw.text(place, text, fill=colour)
    return picture
