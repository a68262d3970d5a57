"""The picture of `corrbank demo`: the photograph, its strongest orientations, each pair of filters and its response."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .filters import SIZE, OrientedBank
from .sheet import ACCENT, DEGREE, MUTED, TEXT, Sheet, diverging, oklch

_MARGIN, _WIDTH, _GAP = 56, 2240, 24
_INNER = _WIDTH - 2 * _MARGIN
_LEGEND = 280


def demo_sheet(
    photograph: Image.Image, bank: OrientedBank, responses: np.ndarray, headline: str, shapes: str
) -> Image.Image:
    pairs = bank.split(responses)
    scales, orientations = pairs.shape[:2]
    height, width = responses.shape[1:]

    large_width = (_INNER - _LEGEND - 2 * _GAP) // 2
    large = (large_width, round(large_width * height / width))
    cell = (_INNER - (orientations - 1) * _GAP) // orientations
    thumbnail = (cell, round(cell * height / width))
    chip = 80
    row_height = 58 + chip + 10 + thumbnail[1] + 36
    top = 196
    grid = top + large[1] + 92
    sheet = Sheet(_WIDTH, grid + scales * row_height + 40)

    sheet.text(_MARGIN, 96, "corrbank", 60)
    sheet.text(_MARGIN, 142, "one photograph, a bank of oriented filters, every response", 26, MUTED)
    sheet.text(_WIDTH - _MARGIN, 92, headline, 36, ACCENT, anchor="rs", width=_INNER - 420)
    sheet.text(_WIDTH - _MARGIN, 142, shapes, 26, MUTED, anchor="rs", width=_INNER - 760)

    # The photograph is cut to the region that has responses, so that both pictures show the same places.
    border = SIZE // 2
    region = photograph.crop((border, border, border + width, border + height))
    second = _MARGIN + large[0] + _GAP
    sheet.paste(region.resize(large, Image.Resampling.LANCZOS), _MARGIN, top, radius=10)
    sheet.paste(strongest_orientation(bank, pairs).resize(large, Image.Resampling.LANCZOS), second, top, radius=10)
    sheet.text(_MARGIN, top + large[1] + 36, "photograph", 24)
    sheet.text(second, top + large[1] + 36, "strongest orientation", 24)
    note = "the energy of each even and odd pair of responses, all scales"
    sheet.text(second + large_width, top + large[1] + 36, note, 20, MUTED, anchor="rs")
    _legend(sheet, second + large[0] + _GAP, top, large[1])

    filters = bank.split(bank.kernels[:, 0])
    for s in range(scales):
        y = grid + s * row_height
        sheet.text(_MARGIN, y + 24, f"wavelength {bank.wavelengths[s]:g} px", 24)
        sheet.rule(_MARGIN + 240, _WIDTH - _MARGIN, y + 16)
        scale_energy = energy(pairs[s])
        brightest = np.percentile(scale_energy, 99.7)
        for o, angle in enumerate(bank.angles):
            x = _MARGIN + o * (cell + _GAP)
            for phase in range(2):
                kernel = filters[s, o, phase]
                picture = diverging(kernel, np.abs(filters[s, o]).max()).resize((chip, chip), Image.Resampling.BICUBIC)
                sheet.paste(picture, x + phase * (chip + 8), y + 58)
            label = f"{angle:g}{DEGREE}"
            sheet.text(x + cell, y + 58 + chip // 2, label, 24, _orientation_colour(angle), "rm", cell - 2 * chip - 20)
            brightness = np.clip(scale_energy[o] / brightest, 0, 1) ** 0.8
            response = Image.fromarray(_colour(np.deg2rad(2 * angle), brightness))
            sheet.paste(response.resize(thumbnail, Image.Resampling.LANCZOS), x, y + 58 + chip + 10)
    return sheet.picture


def energy(pairs: np.ndarray) -> np.ndarray:
    """Root of the sum of squares of the even and the odd response: [..., 2, Ho, Wo] -> [..., Ho, Wo]."""
    return np.hypot(pairs[..., 0, :, :], pairs[..., 1, :, :])


def strongest_orientation(bank: OrientedBank, pairs: np.ndarray) -> Image.Image:
    """Hue: the orientation; brightness: the energy of all scales there."""
    summed = energy(pairs).sum(axis=0)  # [orientations, Ho, Wo]
    # The doubled angle closes the circle (0 and 180 degrees are one orientation), and the mean weighted by a high
    # power of the energy falls between the filters' angles where two of them answer alike.
    doubled = np.exp(2j * np.deg2rad(np.array(bank.angles)))
    direction = np.tensordot(doubled, summed**4, axes=1)
    strongest = summed.max(axis=0)
    brightness = np.clip(strongest / np.percentile(strongest, 99.3), 0, 1) ** 0.7
    return Image.fromarray(_colour(np.angle(direction), brightness))


def _colour(doubled_angle: np.ndarray, brightness: np.ndarray) -> np.ndarray:
    return oklch(0.17 + 0.63 * brightness, 0.01 + 0.15 * brightness, doubled_angle + 0.6)


def _orientation_colour(angle: float) -> tuple[int, int, int]:
    red, green, blue = _colour(np.deg2rad(2 * angle), np.array(1.0))
    return int(red), int(green), int(blue)


def _legend(sheet: Sheet, x: int, y: int, height: int) -> None:
    """The wheel of orientations and the scale of the filters."""
    radius, fine = _LEGEND // 2, 2
    grid = (np.arange(2 * radius * fine) + 0.5) / fine - radius
    across, down = np.meshgrid(grid, grid)
    distance = np.hypot(across, down) / radius
    wheel = _colour(2 * np.arctan2(-down, across), np.clip(distance, 0, 1) ** 1.3)
    wheel[distance > 0.985] = sheet.picture.getpixel((0, 0))
    picture = Image.fromarray(wheel).resize((2 * radius, 2 * radius), Image.Resampling.LANCZOS)
    sheet.paste(picture, x, y + 8, radius=0)
    sheet.text(x + radius, y + 2 * radius + 44, "orientation of the line", 22, TEXT, anchor="ms")
    sheet.text(x + radius, y + 2 * radius + 74, "brightness: energy", 20, MUTED, anchor="ms")
    bar = np.tile(np.linspace(-1, 1, _LEGEND, dtype=np.float32), (26, 1))
    bottom = y + height - 64
    sheet.text(x + radius, bottom - 16, "filter weight", 22, TEXT, anchor="ms")
    sheet.paste(diverging(bar, 1.0), x, bottom)
    for fraction, label, anchor in ((0, "-", "ls"), (0.5, "0", "ms"), (1, "+", "rs")):
        sheet.text(x + fraction * _LEGEND, bottom + 54, label, 22, MUTED, anchor=anchor)
