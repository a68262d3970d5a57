"""Arrays on a GPU. Where the machine has none, ctest runs this file with a stand-in for CUDA's driver."""

from __future__ import annotations

import numpy as np
import pytest
from gpu_array import GpuArray
from reference import expected_responses, integer_case

import corrbank

pytestmark = pytest.mark.skipif(
    "cuda" not in corrbank.targets(), reason="no GPU here; `ctest -R standin` runs this with a stand-in for the driver"
)

IMAGE, KERNELS = integer_case((3, 12, 40), (9, 3, 3, 5))
EXPECTED = expected_responses(IMAGE, KERNELS).astype(np.float32)


def unwritten() -> GpuArray:
    return GpuArray(np.full(EXPECTED.shape, np.nan, np.float32))


def test_arrays_are_used_where_they_lie():
    image, kernels, out = GpuArray(IMAGE), GpuArray(KERNELS), unwritten()
    assert corrbank.correlate(image, kernels, out=out) is out
    np.testing.assert_array_equal(out.get(), EXPECTED)


def test_kernels_of_the_cpu_go_to_the_images_gpu():
    out = unwritten()
    corrbank.correlate(GpuArray(IMAGE), KERNELS, out=out)
    np.testing.assert_array_equal(out.get(), EXPECTED)


def test_a_bank_serves_many_images():
    bank = corrbank.Bank(KERNELS, target="cuda")
    assert (bank.target, bank.gpu, bank.shape) == ("cuda", 0, KERNELS.shape)
    assert corrbank.Bank(GpuArray(KERNELS)).gpu == 0
    for factor in (1, 2, 3):
        out = unwritten()
        bank.correlate(GpuArray(factor * IMAGE), out=out)
        np.testing.assert_array_equal(out.get(), factor * EXPECTED)


def test_nobody_waits_for_a_stream():
    image, out = GpuArray(IMAGE), unwritten()
    corrbank.Bank(KERNELS, target="cuda").correlate(image, out=out)
    assert set(image.streams) == set(out.streams) == {-1}


def test_warmup_and_plan_compute_nothing():
    bank = corrbank.Bank(KERNELS, target="cuda")
    image = GpuArray(IMAGE)
    bank.warmup(image)
    plan = corrbank.plan(image, bank)
    assert (plan.target, plan.threads, plan.workspace_bytes) == ("cuda", 0, 0)
    assert "cuda" in str(plan)


def test_what_lies_elsewhere_is_refused():
    bank, on_cpu = corrbank.Bank(KERNELS, target="cuda"), corrbank.Bank(KERNELS)
    image, out = GpuArray(IMAGE), unwritten()
    with pytest.raises(ValueError, match="image.device is the host"):
        bank.correlate(IMAGE, out=out)
    with pytest.raises(ValueError, match="responses.device is the host"):
        bank.correlate(image, out=np.empty(EXPECTED.shape, np.float32))
    with pytest.raises(ValueError, match="image.device is GPU 0"):
        on_cpu.correlate(image, out=np.empty(EXPECTED.shape, np.float32))
    with pytest.raises(ValueError, match="kernels.device is GPU 0"):
        corrbank.Bank(GpuArray(KERNELS), target="portable")
    with pytest.raises(ValueError, match="this machine has 1 GPU"):
        corrbank.Bank(KERNELS, target="cuda", device=1)
    assert np.isnan(out.get()).all()


def test_a_new_array_needs_a_library_that_makes_it():
    with pytest.raises(ValueError, match="out must be given"):
        corrbank.Bank(KERNELS, target="cuda").correlate(GpuArray(IMAGE))


def test_elements_of_another_type_are_refused():
    with pytest.raises(TypeError, match="int32"):
        corrbank.Bank(KERNELS, target="cuda").correlate(GpuArray(IMAGE.astype(np.int32)), out=unwritten())


class FakeLibrary:
    """The part of CuPy that corrbank asks for its current stream and for new arrays."""

    class ndarray(GpuArray):
        pass

    class cuda:
        class Device:
            def __init__(self, ordinal):
                assert ordinal == 0

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

        @staticmethod
        def get_current_stream():
            return FakeLibrary.stream

    class stream:
        ptr = 0

    float32 = np.float32

    @staticmethod
    def empty(shape, dtype):
        return FakeLibrary.ndarray(np.full(shape, np.nan, dtype))


def test_new_arrays_are_of_the_images_library(monkeypatch):
    import ctypes
    import sys

    from gpu_array import driver

    monkeypatch.setitem(sys.modules, "cupy", FakeLibrary)
    cuda, stream = driver(), ctypes.c_void_p()
    assert cuda.cuStreamCreate(ctypes.byref(stream), 1) == 0
    monkeypatch.setattr(FakeLibrary.stream, "ptr", stream.value)
    out = corrbank.Bank(KERNELS, target="cuda").correlate(FakeLibrary.ndarray(IMAGE))
    assert isinstance(out, FakeLibrary.ndarray)
    assert cuda.cuStreamSynchronize(stream) == 0
    np.testing.assert_array_equal(out.get(), EXPECTED)
    assert cuda.cuStreamDestroy_v2(stream) == 0
