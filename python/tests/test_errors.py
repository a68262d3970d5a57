"""Refusals: the kind of error, its reason, and nothing written."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from reference import CPU_TARGETS, random_case

import corrbank

IMAGE, KERNELS = random_case((2, 9, 10), (3, 2, 3, 3))
MISALIGNED = np.frombuffer(bytes(IMAGE.nbytes + 4), np.uint8)[1:-3].view(np.float32).reshape(IMAGE.shape)
OVERLAPPING = np.lib.stride_tricks.as_strided(np.empty(60, np.float32), (3, 7, 8), (4, 32, 4))

WRONG_KINDS = [
    ("image", IMAGE.tolist(), "image .* not list"),
    ("image", None, "image .* not NoneType"),
    ("image", "photo.png", "image .* not str"),
    ("image", IMAGE.astype(np.float64), "image has element type float64 but must be float32"),
    ("image", IMAGE.astype(np.float16), "image .* float16"),
    ("image", IMAGE.astype(np.uint8), "image .* uint8"),
    ("image", IMAGE.astype(np.complex64), "image .* complex64"),
    ("kernels", KERNELS.tolist(), "kernels .* not list"),
    ("kernels", KERNELS.astype(np.int32), "kernels .* int32"),
    ("kernels", corrbank.Bank(KERNELS), "kernels .* Bank"),
    ("out", "out", "out .* not str"),
    ("out", np.empty((3, 7, 8)), "out .* float64"),
    ("threads", 1.0, "float"),
    ("threads", "2", "str"),
    ("algorithm", None, "algorithm must be a str, not NoneType"),
    ("target", 512, "target must be a str, not int"),
]

WRONG_VALUES = [
    ("image", IMAGE[0, 0], "image is 1-dimensional"),
    ("image", IMAGE[None], "image is 4-dimensional"),
    ("image", IMAGE[:, :, ::2], "image has column stride 2 but neighbouring"),
    ("image", IMAGE[:, :, ::-1], "image has column stride -1"),
    ("image", np.asfortranarray(IMAGE), "image has column stride"),
    ("image", IMAGE[:, ::-1], "image.row_stride is -10"),
    ("image", IMAGE[:1], "image.channels is 1"),
    ("image", IMAGE[:, :2], "image is 2 x 10 .*smaller"),
    ("image", IMAGE[:, :, :2], "image is 9 x 2 .*smaller"),
    ("image", IMAGE[:, :0], "image.height is 0"),
    ("image", IMAGE.astype(IMAGE.dtype.newbyteorder()), "image of type ndarray cannot .* byte order"),
    ("image", MISALIGNED, "image.data is .* no multiple"),
    ("image", IMAGE.astype(object), "image of type ndarray cannot .*element type"),
    ("kernels", KERNELS[0], "kernels are 3-dimensional"),
    ("kernels", KERNELS[..., ::-1], "kernels has column stride"),
    ("kernels", KERNELS[:, :, ::-1], "kernels.row_stride is -3"),
    ("kernels", KERNELS[:0], "kernels.count is 0"),
    ("out", np.empty((3, 7), np.float32), "out is 2-dimensional"),
    ("out", np.empty((3, 7, 9), np.float32), "responses.width is 9 but must be 8"),
    ("out", np.empty((2, 7, 8), np.float32), "responses.count is 2 but must be 3"),
    ("out", np.broadcast_to(np.float32(0), (3, 7, 8)), "out is read-only"),
    ("out", np.empty((3, 7, 16), np.float32)[:, :, ::2], "out has column stride"),
    ("out", OVERLAPPING, "responses.kernel_stride is 1"),
    ("threads", 0, "threads"),
    ("threads", -1, "threads"),
    ("threads", 257, "threads"),
    ("threads", 10**30, "threads"),
    ("threads", -(10**30), "threads"),
    ("algorithm", "fast", 'algorithm is "fast" but must be "auto"'),
    ("target", "pdp11", "target is .pdp11., which is no target"),
    ("target", "", "target is empty"),
    ("target", CPU_TARGETS[0] + "\0", "target holds a null character"),
]


def call(**changes):
    arguments = {"image": IMAGE, "kernels": KERNELS, **changes}
    return corrbank.correlate(arguments.pop("image"), arguments.pop("kernels"), **arguments)


@pytest.mark.parametrize(("argument", "value", "reason"), WRONG_KINDS)
def test_wrong_kinds_of_objects_are_type_errors(argument, value, reason):
    with pytest.raises(TypeError, match=reason):
        call(**{argument: value})


@pytest.mark.parametrize(("argument", "value", "reason"), WRONG_VALUES)
def test_wrong_values_are_value_errors(argument, value, reason):
    with pytest.raises(ValueError, match=reason):
        call(**{argument: value})


@pytest.mark.parametrize("changes", [{"threads": 0}, {"image": IMAGE[:, 1:]}, {"image": IMAGE[:1]}])
def test_a_refused_call_writes_nothing(changes):
    out = np.full((3, 7, 8), 7, np.float32)
    with pytest.raises(ValueError):
        call(out=out, **changes)
    np.testing.assert_array_equal(out, np.full_like(out, 7))


def test_out_must_not_be_the_image():
    memory = np.full((3, 9, 10), 7, np.float32)
    with pytest.raises(ValueError, match="responses.*image"):
        corrbank.correlate(memory[:2], KERNELS, out=memory[:, :7, :8])
    np.testing.assert_array_equal(memory, np.full_like(memory, 7))


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError):
        call(stride=2)
    with pytest.raises(TypeError):
        corrbank.correlate(IMAGE, KERNELS, "direct")


def test_responses_beyond_memory_are_a_memory_error():
    image = np.broadcast_to(np.ones(1 << 15, np.float32), (1, 1 << 15, 1 << 15))
    kernels = np.broadcast_to(np.ones(1, np.float32), (1 << 20, 1, 1, 1))
    with pytest.raises(MemoryError):  # 2^52 bytes: more than any machine can address
        corrbank.correlate(image, kernels)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of address space is set the way of Linux")
def test_a_bank_beyond_memory_is_a_memory_error():
    program = """
import resource, numpy, corrbank
corrbank.Bank(numpy.ones((1, 1, 3, 3), numpy.float32))
kernels = numpy.broadcast_to(numpy.ones(1 << 14, numpy.float32), (16, 1, 1 << 12, 1 << 14))  # 4 GiB
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20),) * 2)
try:
    corrbank.Bank(kernels)
except MemoryError as error:
    print("MemoryError", error)
"""
    answer = subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert answer.startswith("MemoryError")
