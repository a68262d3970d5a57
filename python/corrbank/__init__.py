"""Correlate one image with a bank of many kernels.

    responses[k, y, x] = sum over c, i, j of image[c, y + i, x + j] * kernels[k, c, i, j]

Cross-correlation (kernels are not flipped) over the valid region with stride 1, in float32. The image is never copied.

    >>> import corrbank
    >>> responses = corrbank.correlate(image, kernels)      # [C, H, W], [K, C, kh, kw] -> [K, H - kh + 1, W - kw + 1]
    >>> bank = corrbank.Bank(kernels)                       # prepared once ...
    >>> maps = [bank.correlate(frame) for frame in frames]  # ... for many images

Template matching on top of it: match(), find(), Templates and augment() (matching.py).

    >>> corrbank.find(photo, [logo, button], threshold=0.8)  # [Match(template=0, y=120, x=48, score=0.97, ...), ...]

Arrays, everywhere in this package:
    Any float32 array (matching takes uint8 and uint16 too) with DLPack or the buffer protocol, such as NumPy and CuPy arrays and PyTorch tensors. They are
    used in place, on the CPU or on a CUDA GPU; all arrays of a call lie where its Bank does. Rows, channels and kernels
    may lie any non-negative distance apart (a region of interest, padded rows, a broadcast axis); the columns of a row
    must be adjacent. Inputs may be read-only and must not change during the call. A tensor that requires grad is refused:
    nothing here is differentiable.

Errors:
    TypeError for the wrong kind of object (no array, not float32, an argument of another type), ValueError for wrong
    values (extents, strides, devices, a tensor that requires grad, unknown names, thread counts), each with the
    reason, MemoryError, and RuntimeError where a GPU's driver fails. A refused call has written nothing.

CUDA:
    A Bank of target "cuda" lives on one GPU and correlates arrays there: PyTorch tensors and CuPy arrays, or others with
    DLPack. Work goes to the array library's current stream (of a library that is neither, to the default stream), and
    calls return before it is done, as that library's own do. Kernels may come from the CPU.

Threads:
    The interpreter lock is released while computing. Any Python threads may share a Bank; they must not write the same
    `out`. The same target, shapes and data give the same bits for any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from . import _arrays, _core
from .matching import Augmented, Match, Templates, augment, find, match

__all__ = [
    "Augmented",
    "Bank",
    "Match",
    "Plan",
    "Templates",
    "__version__",
    "augment",
    "correlate",
    "find",
    "match",
    "plan",
    "targets",
]

__version__: str = _core.version()


def correlate(
    image: Any,
    kernels: Any,
    *,
    algorithm: str = "auto",
    exactness: str = "fast",
    threads: int | None = None,
    target: str | None = None,
    workspace_limit: int | None = None,
    out: Any = None,
) -> Any:
    """All responses of `image` to `kernels`. For more than one image, make a Bank of the kernels once.

    Args:
        image: [C, H, W], or [H, W] for one channel.
        kernels: [K, C, kh, kw] with kh <= H and kw <= W.
        algorithm: "auto" (what is expected to be fastest: plan() tells what and why), or one of "direct" (each product, in
            an order that target and shape alone decide), "winograd" (kernels of 3x3, 5x5, 1xN, Nx1) and "fft" (up to 256
            a side). One that cannot do the shape is refused with the reason.
        exactness: "fast" allows every algorithm, within its published bound; "direct" the direct one alone.
        threads: how many this call may use, 1 to 256; None is 1.
        target: a name of targets(); None is "cuda" for arrays on a GPU, else $CORRBANK_TARGET or the best of the CPU.
        workspace_limit: bytes of workspace that the call may use at most; None leaves it to the algorithms: "winograd" takes
            at most 1.5 MiB a thread, "fft" at most 32 MiB.
        out: writable [K, H - kh + 1, W - kw + 1] that shares no memory with the image; None makes a new array.

    Returns:
        `out` itself where given, else a new array of the image's library and device: a PyTorch tensor, a CuPy array, a
        NumPy array otherwise.
    """
    gpu = _arrays.gpu_of(image)
    if gpu is not None and target is None:
        target = "cuda"
    bank = Bank._expecting(1, kernels, algorithm, exactness, target, gpu or 0)
    return bank.correlate(image, threads=threads, workspace_limit=workspace_limit, out=out)


class Bank:
    """Kernels prepared once for a target, for any number of images. Keeps its own packed copy.

    What an algorithm needs beside it is made when a call first needs it (warmup() does that ahead of time) and kept.

    Arguments as for correlate(), and for target "cuda" the ordinal of the GPU, which kernels on a GPU name themselves.
    """

    __slots__ = ("_packed",)

    def __init__(
        self,
        kernels: Any,
        *,
        algorithm: str = "auto",
        exactness: str = "fast",
        target: str | None = None,
        device: int = 0,
    ) -> None:
        self._pack(0, kernels, algorithm, exactness, target, device)

    @classmethod
    def _expecting(cls, calls: int, *arguments: Any) -> Bank:
        """A bank for so many calls, which the choice of the algorithm takes into account."""
        bank = cls.__new__(cls)
        bank._pack(calls, *arguments)
        return bank

    def _pack(
        self, calls: int, kernels: Any, algorithm: str, exactness: str, target: str | None, device: int
    ) -> None:
        if isinstance(kernels, Bank):
            raise TypeError("kernels must be an array, not a Bank; call the Bank's own correlate()")
        stream = _arrays.current_stream(kernels)
        self._packed = _core.pack(kernels, algorithm, exactness, calls, target, device, stream)

    def correlate(
        self, image: Any, *, threads: int | None = None, workspace_limit: int | None = None, out: Any = None
    ) -> Any:
        """All responses of `image` to this bank. Arguments and result as for corrbank.correlate()."""
        if out is None:
            out = _arrays.empty_like(image, self._packed.response_shape(image, threads, workspace_limit))
        self._packed.correlate(image, threads, workspace_limit, out, _arrays.current_stream(image))
        return out

    def warmup(self, image: Any) -> None:
        """Prepares what correlate() of such an image will run, so that the first call does not take longer: the kernels in the
        algorithm's form, and on a GPU the code."""
        self._packed.warmup(image)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(K, C, kh, kw)."""
        return self._packed.shape

    @property
    def nbytes(self) -> int:
        """Memory held by the kernels, in all forms that were prepared so far."""
        return self._packed.nbytes

    @property
    def target(self) -> str:
        """Name of the target the kernels are packed for, where every call of this bank runs."""
        return self._packed.target

    @property
    def gpu(self) -> int | None:
        """Ordinal of the GPU that holds the bank; None on the CPU."""
        return self._packed.gpu

    def __repr__(self) -> str:
        return f"<corrbank.Bank {self.shape} for {self.target}, {self.nbytes} bytes>"


@dataclass(frozen=True)
class Plan:
    """What a call would run. str() gives the same for people, with the kernel rows by name."""

    algorithm: str
    target: str
    threads: int  # that will have work
    tasks: int  # independent pieces handed to the threads
    workspace_bytes: int
    flops: float  # 2 K C kh kw Ho Wo, whichever algorithm runs
    predicted_efficiency: float  # expected fraction of the target's FMA peak; above 1 where fewer products are needed
    predicted_seconds: float  # on one thread of the machine that the costs were measured on
    bank_bytes: int  # that the Bank holds, or will after the first such call
    text: str = field(repr=False)
    others: str = field(repr=False)  # what the other algorithms would take, or why they cannot do it

    def __str__(self) -> str:
        return self.text


def plan(
    image: Any,
    bank_or_kernels: Any,
    *,
    algorithm: str = "auto",
    exactness: str = "fast",
    threads: int | None = None,
    target: str | None = None,
    workspace_limit: int | None = None,
) -> Plan:
    """What correlate() would run for this image and this Bank or these kernels. Computes no responses.

    Args:
        image: as for correlate(); only its shape and strides matter.
        bank_or_kernels: a Bank, or kernels as for correlate(), for any number of calls.
        algorithm, exactness: as for correlate(). A Bank has its own, and these are not looked at.
        threads, target, workspace_limit: as for correlate(). A Bank runs on its own target and takes no other one.
    """
    bank = bank_or_kernels
    if not isinstance(bank, Bank):
        bank = Bank(bank, algorithm=algorithm, exactness=exactness, target=target)
    if target not in (None, bank.target):
        raise ValueError(f"target is {target!r} but the bank was packed for {bank.target!r}")
    return Plan(**bank._packed.plan(image, threads, workspace_limit))


def targets() -> list[str]:
    """Names of the targets this machine can run, best first."""
    return _core.targets()

