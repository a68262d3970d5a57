"""Arrays in and out: used in place, whoever made them, and let go of afterwards."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import numpy as np
import pytest
from reference import assert_within_bound, random_case

import corrbank


def test_regions_and_padded_rows_are_used_in_place():
    frame, kernels = random_case((5, 40, 64), (3, 4, 3, 3))
    views = {
        "region": frame[1:, 3:30, 5:50],
        "every other row": frame[:4, ::2],
        "every other channel": np.concatenate([frame, frame])[::2][:4],
        "axes swapped but the last": frame.transpose(1, 0, 2)[:4],
        "one row for all": np.broadcast_to(frame[:4, :1], (4, 40, 64)),
        "one channel for all": np.broadcast_to(frame[:1], (4, 40, 64)),
    }
    for name, view in views.items():
        assert not view.flags.c_contiguous, name
        np.testing.assert_array_equal(
            corrbank.correlate(view, kernels), corrbank.correlate(view.copy(), kernels), err_msg=name
        )


def test_kernels_may_be_views():
    image, kernels = random_case((2, 20, 20), (6, 4, 5, 5))
    view = kernels[::2, 1:3, 1:4, 2:]
    np.testing.assert_array_equal(corrbank.correlate(image, view), corrbank.correlate(image, view.copy()))


def test_an_axis_of_one_has_no_stride():
    image, kernels = random_case((3, 8, 2), (2, 3, 2, 1))
    column = image[:, :, ::2]  # one column, whose neighbour would be two elements away
    np.testing.assert_array_equal(corrbank.correlate(column, kernels), corrbank.correlate(column.copy(), kernels))


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="resident memory is measured on Linux alone")
def test_the_image_is_not_copied():
    channels = 1 << 15
    image = np.broadcast_to(np.ones((1, 32, 32), np.float32), (channels, 32, 32))  # 128 MiB, were it copied
    bank = corrbank.Bank(np.ones((1, channels, 1, 1), np.float32))
    bank.correlate(image)
    Path("/proc/self/clear_refs").write_text("5")
    before = status_bytes("VmRSS")
    responses = bank.correlate(image)
    assert status_bytes("VmHWM") - before < 16 << 20
    np.testing.assert_array_equal(responses, np.full((1, 32, 32), channels))


def status_bytes(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def test_inputs_may_be_read_only():
    image, kernels = random_case((2, 9, 9), (2, 2, 3, 3))
    expected = corrbank.correlate(image, kernels)
    image.flags.writeable = kernels.flags.writeable = False
    np.testing.assert_array_equal(corrbank.correlate(image, kernels), expected)


def test_the_buffer_protocol_alone_is_enough_and_the_buffers_are_released():
    image, kernels = random_case((2, 9, 10), (3, 2, 3, 3))
    expected = corrbank.correlate(image, kernels)
    memory = bytearray(image.tobytes()), bytearray(kernels.tobytes()), bytearray(expected.nbytes)
    views = [memoryview(m).cast("f", shape) for m, shape in zip(memory, ((2, 9, 10), (3, 2, 3, 3), (3, 7, 8)))]
    assert corrbank.correlate(views[0], views[1], out=views[2]) is views[2]
    np.testing.assert_array_equal(np.asarray(views[2]), expected)
    for view in views:
        view.release()  # fails while anyone holds an export
    for block in memory:
        block.append(0)


def test_no_reference_stays_behind():
    image, kernels = random_case((2, 9, 9), (2, 2, 3, 3))
    out = np.empty((2, 7, 7), np.float32)
    counts = [sys.getrefcount(array) for array in (image, kernels, out)]
    for _ in range(10):
        corrbank.correlate(image, kernels, out=out)
        with pytest.raises(ValueError):
            corrbank.correlate(image, kernels, out=out[:1])
    assert [sys.getrefcount(array) for array in (image, kernels, out)] == counts


def test_a_bank_needs_its_kernels_no_more():
    image, kernels = random_case((2, 30, 30), (4, 2, 3, 3))
    bank = corrbank.Bank(kernels)
    expected = bank.correlate(image)
    kernels[:] = np.nan
    del kernels
    gc.collect()
    np.testing.assert_array_equal(bank.correlate(image), expected)


def test_responses_outlive_everything_else():
    image, kernels = random_case((2, 30, 30), (4, 2, 3, 3))
    responses = corrbank.Bank(kernels.copy()).correlate(image.copy())
    gc.collect()
    assert type(responses) is np.ndarray
    assert responses.dtype == np.float32
    assert responses.flags.c_contiguous and responses.flags.writeable
    assert_within_bound(responses, image, kernels)


def test_out_is_written_in_place_and_nothing_beside_it():
    image, kernels = random_case((2, 12, 20), (3, 2, 3, 3))
    frame = np.full((5, 14, 24), 7, np.float32)
    out = frame[1:4, 2:12, 3:21]
    assert corrbank.correlate(image, kernels, out=out) is out
    np.testing.assert_array_equal(out, corrbank.correlate(image, kernels))
    out[:] = 7
    np.testing.assert_array_equal(frame, np.full_like(frame, 7))
