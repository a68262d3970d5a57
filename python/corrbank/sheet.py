"""Drawing: colour maps, text and the contact sheet of responses. Dark, one set of colours for every picture."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

BACKGROUND = (13, 16, 22)
PANEL = (24, 28, 37)
TEXT = (232, 235, 241)
MUTED = (142, 151, 167)
ACCENT = (255, 183, 94)
DEGREE = "\u00b0"
PLUS_MINUS = "\u00b1"
DOT = "  \u00b7  "

# Negative to positive: ice, blue, the panel's near black at zero, ember, gold.
_STOPS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
_STOP_COLOURS = np.array([(150, 216, 255), (36, 110, 226), PANEL, (226, 84, 26), (255, 205, 120)], float)
_DIVERGING = np.rint(
    np.stack([np.interp(np.linspace(-1, 1, 511), _STOPS, channel) for channel in _STOP_COLOURS.T], axis=1)
).astype(np.uint8)

_MAX_SHEET_PIXELS = 40_000_000


def diverging(values: np.ndarray, limit: float) -> Image.Image:
    """[H, W] -> picture; zero is dark, +-limit the ends of the scale. Values that are not finite are magenta."""
    finite = np.isfinite(values)
    scaled = np.where(finite, values, 0) / (limit or 1.0)
    index = np.rint((np.clip(scaled, -1, 1) + 1) * 255).astype(np.int32)
    pixels = _DIVERGING[index]
    pixels[~finite] = (255, 0, 200)
    return Image.fromarray(pixels)


def robust_limit(values: np.ndarray) -> float:
    """End of the colour scale: 99.5th percentile of the magnitudes, so that an outlier does not darken the rest."""
    magnitudes = np.abs(values[np.isfinite(values)])
    if magnitudes.size == 0:
        return 0.0
    return float(np.percentile(magnitudes, 99.5)) or float(magnitudes.max())


def oklch(lightness: np.ndarray, chroma: np.ndarray, hue: np.ndarray) -> np.ndarray:
    """Colours of even perceived lightness (Ottosson's OKLab) as uint8 sRGB [..., 3]; hue in radians."""
    a, b = chroma * np.cos(hue), chroma * np.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = np.stack(
        [
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        ],
        axis=-1,
    ).clip(0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(encoded * 255).astype(np.uint8)


class Sheet:
    """A dark picture to place panels and text on, in pixels from the top left."""

    def __init__(self, width: int, height: int) -> None:
        self.picture = Image.new("RGB", (width, height), BACKGROUND)
        self._draw = ImageDraw.Draw(self.picture)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: int,
        colour: tuple[int, int, int] = TEXT,
        anchor: str = "ls",
        width: int | None = None,
    ) -> None:
        """`anchor` as in Pillow ("ls": left end of the baseline). `width`: a longer text is set smaller to fit."""
        font = _font(size)
        if width is not None and font.getlength(text) > width:
            font = _font(max(8, int(size * width / font.getlength(text))))
        self._draw.text((x, y), text, fill=colour, font=font, anchor=anchor)

    def rule(self, x0: int, x1: int, y: int) -> None:
        self._draw.line([(x0, y), (x1, y)], fill=(44, 50, 63), width=2)

    def paste(self, panel: Image.Image, x: int, y: int, radius: int = 6) -> None:
        """Places a panel with rounded corners."""
        self.picture.paste(panel, (x, y), _rounded_mask(panel.size, radius))


@lru_cache(maxsize=8)
def _rounded_mask(size: tuple[int, int], radius: int) -> Image.Image:
    # Drawn large and shrunk: ImageDraw does not smooth its edges.
    mask = Image.new("L", (size[0] * 3, size[1] * 3), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, mask.width - 1, mask.height - 1), 3 * radius, fill=255)
    return mask.resize(size, Image.Resampling.BOX)


@lru_cache(maxsize=32)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size=size)


def response_sheet(responses: np.ndarray, title: str, subtitle: str) -> Image.Image:
    """Contact sheet of responses [K, Ho, Wo]; for K = 1 that response alone, a pixel for each value."""
    if len(responses) == 1:
        return diverging(responses[0], robust_limit(responses[0]))
    count, height, width = responses.shape
    margin, gap, header, caption = 40, 16, 120, 34
    columns = _columns(count, height / width)
    rows = math.ceil(count / columns)
    # A thumbnail is as wide as the sheet's pixel budget allows, and no taller than a sheet can use.
    budget = math.sqrt(_MAX_SHEET_PIXELS / (columns * rows * height / width))
    cell_width = int(max(8, min(budget, max(280, 1400 / columns), 840 * width / height)))
    cell_height = max(1, round(cell_width * height / width))
    sheet_width = max(720, 2 * margin + columns * (cell_width + gap) - gap)
    sheet = Sheet(sheet_width, header + rows * (cell_height + caption + gap) - gap + margin)
    sheet.text(margin, 62, title, 34, width=sheet_width - 2 * margin)
    sheet.text(margin, 94, subtitle, 20, MUTED, width=sheet_width - 2 * margin)
    digits = len(str(count - 1))
    for k, response in enumerate(responses):
        x = margin + k % columns * (cell_width + gap)
        y = header + k // columns * (cell_height + caption + gap)
        limit = robust_limit(response)
        thumbnail = diverging(response, limit).resize((cell_width, cell_height), Image.Resampling.LANCZOS)
        sheet.paste(thumbnail, x, y)
        if cell_width >= 100:
            sheet.text(x + 2, y + cell_height + 22, f"{k:0{digits}d}", 17)
            label = f"{PLUS_MINUS}{limit:.3g}"
            sheet.text(x + cell_width - 2, y + cell_height + 22, label, 15, MUTED, anchor="rs")
    return sheet.picture


def _columns(count: int, aspect: float) -> int:
    """Columns that make the sheet about 3:2."""
    return min(count, max(1, round(math.sqrt(1.5 * count * aspect))))
