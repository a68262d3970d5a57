"""Plans, targets, banks' properties, version."""

from __future__ import annotations

import importlib.metadata
import math
import re
from pathlib import Path

import numpy as np
import pytest
from reference import CPU_TARGETS, random_case

import corrbank
from corrbank import _core

IMAGE, KERNELS = random_case((6, 40, 50), (5, 6, 3, 7))


@pytest.mark.parametrize("target", CPU_TARGETS)
def test_a_plan_says_what_would_run(target):
    bank = corrbank.Bank(KERNELS, exactness="direct", target=target)
    plan = corrbank.plan(IMAGE, bank, threads=2)
    assert plan.algorithm == "direct"
    assert plan.target == target
    assert 1 <= plan.threads <= 2
    assert plan.tasks >= plan.threads
    assert plan.workspace_bytes >= 0
    assert plan.flops == 2 * KERNELS.size * (40 - 3 + 1) * (50 - 7 + 1)
    assert 0 < plan.predicted_efficiency <= 1
    assert target in str(plan)
    assert plan.predicted_seconds > 0
    assert plan.bank_bytes == bank.nbytes
    assert corrbank.plan(IMAGE, KERNELS, exactness="direct", threads=2, target=target) == plan


def test_a_plan_needs_no_memory_for_the_image():
    image = np.broadcast_to(np.zeros(1 << 15, np.float32), (6, 1 << 15, 1 << 15))
    assert corrbank.plan(image, KERNELS).flops > 1e12


def test_a_plan_refuses_what_the_call_would_refuse():
    bank = corrbank.Bank(KERNELS, target=CPU_TARGETS[-1])
    with pytest.raises(ValueError, match="channel"):
        corrbank.plan(IMAGE[:5], bank)
    with pytest.raises(ValueError, match="threads"):
        corrbank.plan(IMAGE, bank, threads=0)
    with pytest.raises(ValueError, match="target is 'another' but the bank"):
        corrbank.plan(IMAGE, bank, target="another")
    with pytest.raises(TypeError, match="image"):
        corrbank.plan(IMAGE.tolist(), bank)


def test_targets_are_names_best_first(monkeypatch):
    monkeypatch.delenv("CORRBANK_TARGET", raising=False)
    names = corrbank.targets()
    assert names and len(set(names)) == len(names)
    assert names[: len(CPU_TARGETS)] == CPU_TARGETS
    assert corrbank.Bank(KERNELS).target == names[0]


def test_a_bank_stays_on_its_target(monkeypatch):
    names = CPU_TARGETS
    bank = corrbank.Bank(KERNELS, target=names[0])
    expected = bank.correlate(IMAGE)
    monkeypatch.setenv("CORRBANK_TARGET", names[-1])
    assert corrbank.Bank(KERNELS).target == names[-1]
    np.testing.assert_array_equal(bank.correlate(IMAGE), expected)
    assert corrbank.plan(IMAGE, bank).target == names[0]


def test_a_bank_tells_its_shape_and_size():
    bank = corrbank.Bank(KERNELS)
    assert bank.shape == KERNELS.shape
    assert KERNELS.nbytes <= bank.nbytes <= KERNELS.nbytes + 4096
    assert bank.target in repr(bank)
    with pytest.raises(AttributeError):
        bank.target = "another"


def test_the_version_is_the_headers():
    header = (Path(__file__).parents[2] / "include/corrbank/version.hpp").read_text()
    assert corrbank.__version__ == ".".join(re.findall(r"VERSION_(?:MAJOR|MINOR|PATCH) (\d+)", header))


def test_the_version_is_the_installed_packages():
    try:
        installed = importlib.metadata.version("corrbank")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("corrbank is imported from a build tree, not installed")
    assert corrbank.__version__ == installed


@pytest.mark.parametrize("target", CPU_TARGETS)
def test_the_fma_peak_is_a_rate(target):
    peak = _core.fma_peak(target, 0.01)
    assert math.isfinite(peak) and peak > 0


def test_the_fma_peak_refuses_what_cannot_be_measured():
    with pytest.raises(ValueError, match="target"):
        _core.fma_peak("pdp11", 0.01)
    for seconds in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="seconds"):
            _core.fma_peak(CPU_TARGETS[0], seconds)
