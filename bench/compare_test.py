"""Tests of compare.py and its cases; no peer is needed."""

import time

import compare
import numpy as np
import pytest
from cases import MAX_ELEMENTS, MAX_FLOPS, MIN_FLOPS, Case, random_cases, reference, shapes


@pytest.mark.parametrize("case", [Case(3, 13, 17, 5, 4, 6), Case(1, 9, 8, 1, 9, 8), Case(2, 7, 7, 2, 1, 1)])
def test_reference_is_the_correlation(case):
    image, kernels = case.arrays()
    chosen, responses = reference(image, kernels)
    assert list(chosen) == list(range(case.kernels))
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(float), kernels.shape[2:], axis=(1, 2))
    np.testing.assert_allclose(responses, np.einsum("cyxij,kcij->kyx", windows, kernels.astype(float)), atol=1e-12)


def test_reference_of_a_big_case_has_first_and_last_kernel():
    image, kernels = np.ones((30, 400, 400), np.float32), np.ones((7, 30, 1, 1), np.float32)
    chosen, responses = reference(image, kernels)
    assert list(chosen) == [0, 3, 6] and responses.shape == (3, 400, 400)


def test_random_cases_are_reproducible_and_bounded():
    cases = random_cases(50, seed=1)
    assert list(cases) == list(random_cases(50, seed=1)) != list(random_cases(50, seed=2))
    for name, case in cases.items():
        assert name == str(case) and MIN_FLOPS <= case.flops <= MAX_FLOPS
        assert case.kernel_height <= case.height and case.kernel_width <= case.width
        assert case.channels * case.height * case.width <= MAX_ELEMENTS


def test_default_cases_exist():
    assert set(compare.DEFAULT_CASES.split(",")) <= set(shapes())


def test_a_slow_way_has_one_turn():
    turns = {"fast": 0, "slow": 0}

    def call(way, seconds):
        turns[way] += 1
        time.sleep(seconds)

    calls = {"fast": [lambda: call("fast", 0.001)], "slow": [lambda: call("slow", 0.1)]}
    seconds = compare.take_turns(calls, reps=3, pause=0.0)
    assert turns["slow"] == 2  # to warm up, and the one that counts
    assert turns["fast"] >= 6 and seconds["fast"] < seconds["slow"]


def test_errors_are_relative_and_infinite_for_nan():
    expected = np.array([2.0, -4.0])
    assert compare.error_of(np.array([2.0, -3.0]), expected) == 0.25
    assert compare.error_of(np.array([2.0, np.nan]), expected) == np.inf
