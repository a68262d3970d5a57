"""Template matching: scores of templates against every window of an image, and their peaks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import _arrays, _core

_REFINEMENTS = {None: 0, "parabola": 1, "log_gaussian": 2}


@dataclass(frozen=True)
class Match:
    """A place where a template was found.

    y, x are the first row and column of the window; refined_y, refined_x the same with the peak's place between pixels
    (subpixel=), else equal to them. angle and scale are those of the template's copy where templates came from augment().
    """

    template: int
    y: int
    x: int
    score: float
    refined_y: float
    refined_x: float
    angle: float | None = None
    scale: float | None = None


class Templates:
    """Templates prepared once for a method and a target, for any number of images. Keeps copies.

    Args:
        templates: [K, C, h, w] of float32, uint8 or uint16; [h, w] for one template of one channel; a list of arrays [C, h, w]
            or [h, w] of one shape; or what augment() returns.
        method: "ccorr", "ccorr_normed", "sqdiff", "sqdiff_normed", "ccoeff", "ccoeff_normed" (OpenCV's TM_*, for any number
            of channels) or "zncc" (scikit-image's match_template: one mean over all channels).
        mask: [h, w], [1 or K, 1 or C, h, w], or None: which pixels count. uint8 or bool (0 is out), or float32 weights.
        algorithm, exactness, target: as for correlate(). Matching runs on the CPU.
    """

    __slots__ = ("_prepared", "_integers", "_augmented")

    def __init__(
        self,
        templates: Any,
        *,
        method: str = "ccoeff_normed",
        mask: Any = None,
        algorithm: str = "auto",
        exactness: str = "fast",
        target: str | None = None,
    ) -> None:
        self._augmented = templates if isinstance(templates, Augmented) else None
        if self._augmented is not None:
            if mask is not None:
                raise ValueError("mask must be None: augmented templates bring their own; give augment() the mask")
            templates, mask = self._augmented.templates, self._augmented.masks
        if isinstance(templates, Templates):
            raise TypeError("templates must be arrays, not Templates; call their own match() and find()")
        templates = _four_axes(templates, "templates")
        mask = None if mask is None else _four_axes(mask, "mask")
        self._prepared = _core.prepare_templates(templates, method, mask, algorithm, exactness, target)
        small = _is_uint8(templates) and (mask is None or not _is_float(mask))
        self._integers = small and method in ("ccorr", "sqdiff")

    def match(
        self,
        image: Any,
        *,
        threads: int | None = None,
        workspace_limit: int | None = None,
        out: Any = None,
        return_valid: bool = False,
    ) -> Any:
        """Scores [K, H - h + 1, W - w + 1]. Arguments and result as for corrbank.match()."""
        if out is None or return_valid:
            shape = self._prepared.score_shape(image, threads, workspace_limit)
        if out is None:
            integers = self._integers and _is_uint8(image)
            out = _arrays.empty_like(image, shape, np.int32 if integers else np.float32)
        valid = np.empty(shape, dtype=np.bool_) if return_valid else None
        self._prepared.match(image, threads, workspace_limit, out, valid)
        return (out, valid) if return_valid else out

    def match_best(
        self, image: Any, *, threads: int | None = None, workspace_limit: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """The best score of all templates at each window [H - h + 1, W - w + 1], and which template has it (-1: none is
        valid). The scores of single templates are not stored. Ties go to the lower number."""
        shape = self._prepared.score_shape(image, threads, workspace_limit)
        scores = np.empty((1, *shape[1:]), dtype=np.float32)
        best = np.empty(shape[1:], dtype=np.int32)
        self._prepared.match_best(image, threads, workspace_limit, scores, best)
        return scores[0], best

    def find(
        self,
        image: Any,
        *,
        top: int | None = 1,
        threshold: float | None = None,
        min_distance: int | None = None,
        max_overlap: float = 1.0,
        subpixel: str | None = None,
        region: tuple[int, int, int, int] | None = None,
        threads: int | None = None,
        workspace_limit: int | None = None,
    ) -> list[Match]:
        """Arguments and result as for corrbank.find()."""
        if subpixel not in _REFINEMENTS:
            raise ValueError(f"subpixel is {subpixel!r} but must be None, 'parabola' or 'log_gaussian'")
        if top is not None and top < 1:
            raise ValueError(f"top is {top} but must be at least 1, or None for all that reach the threshold")
        if min_distance is not None and min_distance < 0:
            raise ValueError(f"min_distance is {min_distance} but must not be negative")
        if threshold is not None and math.isnan(threshold):
            raise ValueError("threshold is not a number")
        found = self._prepared.find(
            image,
            threads,
            workspace_limit,
            top or 0,
            math.nan if threshold is None else threshold,
            -1 if min_distance is None else min_distance,
            max_overlap,
            _REFINEMENTS[subpixel],
            *_rectangle(region),
        )
        copies = self._augmented
        if copies is None:
            return [Match(*fields) for fields in found]
        return [Match(*fields, angle=copies.angles[fields[0]], scale=copies.scales[fields[0]]) for fields in found]

    def warmup(self, image: Any, *, threads: int | None = None, workspace_limit: int | None = None) -> None:
        """Prepares what match() and find() of such an image will run, so that the first call takes no longer than others and
        no memory beyond its workspace: the templates in the algorithm's form."""
        self._prepared.warmup(image, threads, workspace_limit)

    def plan(self, image: Any, *, threads: int | None = None, workspace_limit: int | None = None) -> str:
        """What would run for such an image, for people."""
        text, workspace_bytes = self._prepared.plan(image, threads, workspace_limit)
        return f"{text}; {workspace_bytes} bytes of workspace in all"

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(K, C, h, w)."""
        return self._prepared.shape

    @property
    def valid(self) -> list[bool]:
        """Which templates can have a score at all: not those that are constant, zero or fully masked (match.hpp)."""
        return [self._prepared.valid(k) for k in range(self.shape[0])]

    @property
    def nbytes(self) -> int:
        """Memory held."""
        return self._prepared.nbytes

    @property
    def target(self) -> str:
        """Name of the target they are prepared for."""
        return self._prepared.target

    def __repr__(self) -> str:
        return f"<corrbank.Templates {self.shape} for {self.target}, {self.nbytes} bytes>"


def match(
    image: Any,
    templates: Any,
    *,
    method: str = "ccoeff_normed",
    mask: Any = None,
    algorithm: str = "auto",
    exactness: str = "fast",
    threads: int | None = None,
    target: str | None = None,
    workspace_limit: int | None = None,
    out: Any = None,
    return_valid: bool = False,
) -> Any:
    """Scores of every template at every window of `image`. For more than one image, make Templates once.

    Args:
        image: [C, H, W], or [H, W] for one channel, of float32, uint8 or uint16.
        templates, method, mask: as for Templates.
        algorithm, exactness, threads, target, workspace_limit: as for correlate().
        out: writable [K, H - h + 1, W - w + 1] of float32, or of int32 for scores that are integers; None makes a new array.
        return_valid: whether to return also a bool array of that shape: False where a score means nothing, since the
            template or the window is constant, zero or not finite, or the mask empty. The score there is 0.

    Returns:
        `out` or a new array: int32 for "ccorr" and "sqdiff" of uint8 image and templates (mask None, uint8 or bool), which
        are exact; else float32. With return_valid the pair (scores, valid).
    """
    prepared = Templates(
        templates, method=method, mask=mask, algorithm=algorithm, exactness=exactness, target=target
    )
    return prepared.match(
        image, threads=threads, workspace_limit=workspace_limit, out=out, return_valid=return_valid
    )


def find(
    image: Any,
    templates: Any,
    *,
    method: str = "ccoeff_normed",
    mask: Any = None,
    top: int | None = 1,
    threshold: float | None = None,
    min_distance: int | None = None,
    max_overlap: float = 1.0,
    subpixel: str | None = None,
    region: tuple[int, int, int, int] | None = None,
    algorithm: str = "auto",
    exactness: str = "fast",
    threads: int | None = None,
    target: str | None = None,
    workspace_limit: int | None = None,
) -> list[Match]:
    """Where templates are in `image`: peaks of their scores, which are never stored.

    Args:
        image, templates, method, mask: as for match(). templates may come from augment(), with angles and scales.
        top: matches of each template at most; None: all that reach the threshold.
        threshold: scores must be at least this, or, of "sqdiff" and "sqdiff_normed", at most.
        min_distance: of two peaks of a template no more than this many rows and columns apart, the better one counts. None:
            half the template's smaller side.
        max_overlap: matches of different templates whose windows overlap by more than this part of their union: the better
            one counts.
        subpixel: how refined_y and refined_x are estimated: None (not), "parabola" or "log_gaussian" (for peaks like bells).
        region: (y, x, height, width) of the image to search.
        algorithm, exactness, threads, target, workspace_limit: as for correlate().

    Returns:
        Matches sorted by template, then from the best on. Ties go to the lower y, then the lower x.
    """
    prepared = Templates(
        templates, method=method, mask=mask, algorithm=algorithm, exactness=exactness, target=target
    )
    return prepared.find(
        image,
        top=top,
        threshold=threshold,
        min_distance=min_distance,
        max_overlap=max_overlap,
        subpixel=subpixel,
        region=region,
        threads=threads,
        workspace_limit=workspace_limit,
    )


@dataclass(frozen=True, eq=False)
class Augmented:
    """Rotated and scaled copies of a template, of one shape, with the masks of what is copy and what is around it."""

    templates: np.ndarray  # [K, C, h, w]
    masks: np.ndarray  # [K, 1, h, w] uint8
    angles: tuple[float, ...]  # of each copy, in degrees, counter-clockwise
    scales: tuple[float, ...]


def augment(template: Any, angles: Any = (0.0,), scales: Any = (1.0,), *, mask: Any = None) -> Augmented:
    """Copies of a template, one for each pair of a scale and an angle, for find(), match() and Templates.

    Interpolated between the four nearest pixels. All copies have the shape of the largest, with their middles in its middle;
    the mask leaves out what a copy does not cover.

    Args:
        template: [C, h, w] or [h, w].
        angles: degrees, counter-clockwise as the image is looked at (y down).
        scales: sizes relative to the template.
        mask: [h, w]: which pixels of the template count; None: all.
    """
    template = np.asarray(template)
    if template.ndim == 2:
        template = template[None]
    if template.ndim != 3 or template.size == 0:
        raise ValueError(f"template has shape {template.shape} but must be [channels, height, width] or [height, width]")
    inside = np.ones(template.shape[1:]) if mask is None else np.asarray(mask, dtype=np.float64)
    if inside.shape != template.shape[1:]:
        raise ValueError(f"mask has shape {inside.shape} but must be {template.shape[1:]}, as the template")
    pairs = [(float(angle), float(scale)) for scale in scales for angle in angles]
    if not pairs:
        raise ValueError("angles and scales must not be empty")
    if not all(math.isfinite(angle) and math.isfinite(scale) and scale > 0 for angle, scale in pairs):
        raise ValueError("angles must be finite and scales positive")
    shapes = [_turned_shape(template.shape[1:], angle, scale) for angle, scale in pairs]
    high, wide = max(h for h, _ in shapes), max(w for _, w in shapes)
    # Of the template's parity: its pixels then lie on the copy's where it is only moved.
    shape = (high + (high - template.shape[1]) % 2, wide + (wide - template.shape[2]) % 2)
    planes, masks = [], []
    for angle, scale in pairs:
        rows, columns = _sources(template.shape[1:], shape, angle, scale)
        masks.append(_bilinear(inside != 0, rows, columns) > 0.999)
        planes.append(np.stack([_bilinear(plane, rows, columns) for plane in template]))
    copies = np.ascontiguousarray(np.stack(planes))
    if template.dtype in (np.uint8, np.uint16):
        copies = np.rint(copies)
    kind = template.dtype if template.dtype in (np.uint8, np.uint16) else np.float32
    return Augmented(
        copies.astype(kind),
        np.stack(masks)[:, None].astype(np.uint8),
        tuple(angle for angle, _ in pairs),
        tuple(scale for _, scale in pairs),
    )


def _turned_shape(shape: tuple[int, int], angle: float, scale: float) -> tuple[int, int]:
    """Rows and columns of a turned rectangle."""
    cos, sin = abs(math.cos(math.radians(angle))), abs(math.sin(math.radians(angle)))
    high, wide = scale * shape[0], scale * shape[1]
    return max(1, round(high * cos + wide * sin)), max(1, round(high * sin + wide * cos))


def _sources(
    shape: tuple[int, int], turned: tuple[int, int], angle: float, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Where in the template each pixel of a copy comes from."""
    y = np.arange(turned[0])[:, None] - (turned[0] - 1) / 2
    x = np.arange(turned[1])[None] - (turned[1] - 1) / 2
    cos, sin = math.cos(math.radians(angle)) / scale, math.sin(math.radians(angle)) / scale
    return y * cos + x * sin + (shape[0] - 1) / 2, x * cos - y * sin + (shape[1] - 1) / 2


def _bilinear(plane: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values between pixels; 0 outside, but for rounding at the border."""
    high, wide = plane.shape
    rows, columns = np.round(rows, 9), np.round(columns, 9)
    outside = (rows < 0) | (rows > high - 1) | (columns < 0) | (columns > wide - 1)
    rows, columns = rows.clip(0, high - 1), columns.clip(0, wide - 1)
    y, x = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = np.minimum(y + 1, high - 1), np.minimum(x + 1, wide - 1)
    v, u = rows - y, columns - x
    values = plane.astype(np.float64)
    upper = values[y, x] * (1 - u) + values[y, right] * u
    lower = values[down, x] * (1 - u) + values[down, right] * u
    return np.where(outside, 0.0, upper * (1 - v) + lower * v)


def _four_axes(arrays: Any, name: str) -> Any:
    """Arrays as [K, C, h, w]."""
    if isinstance(arrays, (list, tuple)):
        if not arrays:
            raise ValueError(f"{name} is an empty list")
        arrays = [np.asarray(array) for array in arrays]
        if len({(array.shape, array.dtype) for array in arrays}) > 1:
            raise ValueError(f"the arrays in {name} must have one shape and element type")
        stacked = np.ascontiguousarray(np.stack(arrays))
        return stacked[:, None] if stacked.ndim == 3 else stacked
    if getattr(arrays, "ndim", None) == 2:
        return arrays[None, None]
    return arrays


def _rectangle(region: Any) -> tuple[int, int, int, int]:
    if region is None:
        return 0, 0, 0, 0
    y, x, height, width = region
    if height < 1 or width < 1:
        raise ValueError(f"region is {height} x {width} pixels large")
    return y, x, height, width


def _is_uint8(array: Any) -> bool:
    return str(getattr(array, "dtype", "")).split(".")[-1] == "uint8"


def _is_float(array: Any) -> bool:
    return "float" in str(getattr(array, "dtype", ""))
