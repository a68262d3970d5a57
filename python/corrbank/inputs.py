"""Reads what the command line is given: pictures, arrays and banks of kernels. Bad input is an InputError."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps


class InputError(Exception):
    """The user's input cannot be used; the message is one line that says which input and why."""


def load_kernels(path: Path) -> np.ndarray:
    """Kernels f32 [K, C, kh, kw] from a .npy of that shape, or of [K, kh, kw] or [kh, kw] for one channel."""
    kernels = _load_array(path)
    if kernels.ndim == 2:
        kernels = kernels[None, None]
    elif kernels.ndim == 3:
        kernels = kernels[:, None]
    elif kernels.ndim != 4:
        raise InputError(f"{path}: kernels must be [K,C,kh,kw], [K,kh,kw] or [kh,kw], not {_shape(kernels)}")
    return kernels


def load_image(path: Path, channels: int) -> np.ndarray:
    """The image f32 [channels, H, W]: a .npy as it is, a picture scaled to [0, 1]."""
    if path.suffix.lower() == ".npy":
        image = _load_array(path)
        if image.ndim == 2:
            image = image[None]
        if image.ndim != 3:
            raise InputError(f"{path}: an image must be [C,H,W] or [H,W], not {_shape(image)}")
        if len(image) != channels:
            raise InputError(f"{path}: the image has {len(image)} channels, the kernels have {channels}")
        return image
    if channels not in (1, 3):
        raise InputError(
            f"{path}: the kernels have {channels} channels, a picture gives 1 (luminance) or 3 (RGB); "
            f"pass a .npy image [{channels},H,W]"
        )
    planes = _load_picture(path)
    if channels == 3:
        return planes if len(planes) == 3 else np.repeat(planes, 3, axis=0)
    return planes if len(planes) == 1 else luminance(planes)


@dataclass(frozen=True)
class Pixels:
    """A picture or an array to match: planes [C, H, W] with their own element type, and what is opaque."""

    planes: np.ndarray
    alpha: np.ndarray | None = None  # [H, W] bool

    def grey(self) -> Pixels:
        """One plane: luminance of three, else the first. In the element type of the planes."""
        if len(self.planes) != 3:
            return Pixels(self.planes[:1], self.alpha)
        grey = luminance(self.planes.astype(np.float32))
        if self.planes.dtype == np.uint8:
            grey = np.rint(grey).astype(np.uint8)
        return Pixels(grey, self.alpha)


def load_pixels(path: Path) -> Pixels:
    """A .npy [C, H, W] or [H, W] as it is; a picture as uint8, grey or RGB, or float32 of more bits."""
    if path.suffix.lower() == ".npy":
        array = _load_array(path, keep=(np.uint8, np.uint16))
        if array.ndim == 2:
            array = array[None]
        if array.ndim != 3:
            raise InputError(f"{path}: an image must be [C,H,W] or [H,W], not {_shape(array)}")
        return Pixels(array)
    picture = _open_picture(path)
    if picture.mode.startswith("I") or picture.mode == "F":
        return Pixels(np.asarray(picture, np.float32)[None])
    alpha = None
    if "A" in picture.getbands() or "transparency" in picture.info:
        opaque = np.asarray(picture.convert("RGBA"))[..., 3] >= 128
        alpha = None if opaque.all() else opaque
    grey = picture.mode in ("1", "L", "LA")
    pixels = np.asarray(picture.convert("L" if grey else "RGB"))
    return Pixels(np.ascontiguousarray(pixels[None] if grey else pixels.transpose(2, 0, 1)), alpha)


def luminance(rgb: np.ndarray) -> np.ndarray:
    """[3, H, W] -> [1, H, W] with the weights of ITU-R BT.601, without Pillow's rounding to 8 bits."""
    return np.tensordot(np.array([[0.299, 0.587, 0.114]], np.float32), rgb, axes=1)


def _load_picture(path: Path) -> np.ndarray:
    """f32 [1, H, W] for a grey picture, [3, H, W] for any other."""
    picture = _open_picture(path)
    # 16 and 32 bits a pixel: convert() would clip them to 8.
    if picture.mode.startswith("I"):
        return np.asarray(picture, np.float32)[None] / np.float32(65535)
    if picture.mode == "F":
        return np.asarray(picture, np.float32)[None]
    pixels = np.asarray(picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB"), np.float32)
    planes = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
    return np.ascontiguousarray(planes) / np.float32(255)


def _open_picture(path: Path) -> Image.Image:
    """The decoded picture, upright."""
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 Mpx on and refuses twice that; only the refusal concerns the user.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                return ImageOps.exif_transpose(picture)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except MemoryError:
        raise
    except Exception as error:  # a decoder may raise anything at all on a damaged file
        raise InputError(f"{path}: not a picture that can be read: {_line(error)}") from None


def _load_array(path: Path, keep: tuple[type, ...] = ()) -> np.ndarray:
    """An array in f32, or in one of the element types to `keep`."""
    try:
        array = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or 'not a NumPy array file'}") from None
    except (ValueError, EOFError, SyntaxError):  # numpy's own words may advise to load it unsafely
        raise InputError(f"{path}: not a NumPy array file") from None
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path}: holds several arrays; store a single one with numpy.save")
    if array.dtype.kind not in "fiub":
        raise InputError(f"{path}: real numbers are needed, not {array.dtype}")
    if array.size == 0:
        raise InputError(f"{path}: the array {_shape(array)} is empty")
    return np.ascontiguousarray(array, array.dtype if array.dtype.type in keep else np.float32)


def _shape(array: np.ndarray) -> str:
    return "[" + ",".join(map(str, array.shape)) + "]"


def _line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
