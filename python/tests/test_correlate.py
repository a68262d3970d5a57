"""The responses: right, exact where they can be, and the same for any number of threads."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from reference import CPU_TARGETS, assert_within_bound, expected_responses, integer_case, random_case

import corrbank

SHAPES = [  # image, kernels
    ((1, 1, 1), (1, 1, 1, 1)),
    ((2, 5, 10), (3, 2, 3, 3)),
    ((3, 17, 33), (7, 3, 5, 2)),
    ((5, 9, 70), (17, 5, 1, 7)),
    ((1, 40, 67), (9, 1, 11, 11)),
    ((33, 12, 21), (50, 33, 3, 3)),
    ((2, 8, 13), (4, 2, 8, 13)),
]


@pytest.mark.parametrize("target", CPU_TARGETS)
@pytest.mark.parametrize(("image_shape", "kernels_shape"), SHAPES)
def test_random_data_within_the_published_bound(target, image_shape, kernels_shape):
    image, kernels = random_case(image_shape, kernels_shape)
    responses = corrbank.correlate(image, kernels, exactness="direct", target=target)
    assert_within_bound(responses, image, kernels)


@pytest.mark.parametrize("target", CPU_TARGETS)
@pytest.mark.parametrize(("image_shape", "kernels_shape"), SHAPES)
def test_integers_are_exact(target, image_shape, kernels_shape):
    image, kernels = integer_case(image_shape, kernels_shape)
    np.testing.assert_array_equal(
        corrbank.correlate(image, kernels, exactness="direct", target=target), expected_responses(image, kernels)
    )


def test_a_pattern_and_its_multiples_in_three_small_images():
    pattern = np.arange(1, 19, dtype=np.float32).reshape(2, 3, 3)
    bank = corrbank.Bank(np.stack([pattern, 2 * pattern, 3 * pattern]))
    images = integer_case((3, 2, 5, 10), (1,))[0]
    images[1] = 0
    images[1, :, 1:4, 4:7] = pattern
    for image in images:
        responses = bank.correlate(image)
        assert responses.shape == (3, 3, 8)
        np.testing.assert_array_equal(responses[0], expected_responses(image, pattern[None])[0])
        np.testing.assert_array_equal(responses[1], 2 * responses[0])
        np.testing.assert_array_equal(responses[2], 3 * responses[0])
    found = bank.correlate(images[1])[0]
    assert np.unravel_index(found.argmax(), found.shape) == (1, 4)
    assert found.max() == (pattern**2).sum()


def test_kernels_are_not_flipped():
    image = np.zeros((1, 3, 4), np.float32)
    image[0, 2, 1] = 1
    kernels = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(corrbank.correlate(image, kernels)[0], [[0, 0, 0], [3, 2, 0]])


def test_a_plane_is_an_image_of_one_channel():
    image, kernels = random_case((1, 9, 11), (2, 1, 3, 3))
    np.testing.assert_array_equal(corrbank.correlate(image[0], kernels), corrbank.correlate(image, kernels))


def test_a_bank_gives_what_correlate_gives():
    image, kernels = random_case((3, 20, 30), (5, 3, 3, 3))
    bank = corrbank.Bank(kernels, algorithm="direct")
    for _ in range(2):
        expected = corrbank.correlate(image, kernels, algorithm="direct")
        np.testing.assert_array_equal(bank.correlate(image), expected)


@pytest.mark.parametrize("target", CPU_TARGETS)
def test_threads_do_not_change_a_bit(target):
    image, kernels = random_case((7, 61, 83), (13, 7, 3, 5))
    bank = corrbank.Bank(kernels, target=target)
    alone = bank.correlate(image)
    for threads in (None, 1, 2, 3, 8, np.int64(64)):
        np.testing.assert_array_equal(bank.correlate(image, threads=threads).view(np.uint32), alone.view(np.uint32))


def test_python_threads_may_share_a_bank():
    image, kernels = random_case((4, 50, 60), (6, 4, 3, 3))
    bank = corrbank.Bank(kernels)
    images = [image * scale for scale in (1, 2, 4, 8)] * 4
    with ThreadPoolExecutor(4) as pool:
        for scaled, responses in zip(images, pool.map(lambda one: bank.correlate(one, threads=2), images)):
            np.testing.assert_array_equal(responses, bank.correlate(scaled))


def test_the_interpreter_lock_is_released():
    """Another thread makes progress during a call.

    The interpreter never takes the lock away here (switch interval), so only the call itself can have given it up.
    """
    image, kernels = random_case((32, 200, 200), (32, 32, 5, 5))
    bank = corrbank.Bank(kernels)
    out = np.empty((32, 196, 196), np.float32)
    progress = 0
    done = threading.Event()
    seen = []

    def compute():
        for _ in range(50):  # more than one call: the machine may give the other thread no core for a while
            before = progress
            bank.correlate(image, out=out)
            seen.append(progress - before)
            if seen[-1] > 0:
                break
        done.set()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    try:
        worker = threading.Thread(target=compute)
        worker.start()
        while not done.is_set():
            progress += 1
            time.sleep(0)  # gives the lock up
        worker.join()
    finally:
        sys.setswitchinterval(interval)
    assert seen[-1] > 0
