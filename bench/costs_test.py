"""Tests of costs.py that need no timing."""

import json

import costs


def test_each_target_has_the_factors_that_update_changes():
    files = [file for file in costs.TUNED.glob("*.json") if file.stem != "cuda"]  # which has no costs
    assert files
    for file in files:
        tuned = json.loads(file.read_text())
        assert all(tuned[algorithm][factor] > 0 for algorithm, factor in costs.FACTORS.items()), file
        assert file.read_text() == json.dumps(tuned, indent=2) + "\n", f"{file}: --update would lay it out anew"


def test_update_changes_the_factors_alone(tmp_path, monkeypatch):
    source = costs.TUNED / "portable.json"
    (tmp_path / source.name).write_text(source.read_text())
    monkeypatch.setattr(costs, "TUNED", tmp_path)
    costs.update("portable", {"direct": 2.0, "winograd": 0.5})
    before, after = json.loads(source.read_text()), json.loads((tmp_path / source.name).read_text())
    assert after["direct"].pop("cycle_ns") == 2 * before["direct"].pop("cycle_ns")
    assert after["winograd"].pop("scale") == before["winograd"].pop("scale") / 2
    assert {**after, "date": ""} == {**before, "date": ""}


def test_the_best_call_counts():
    waits = iter([0.0, 0.02, 0.001, *[0.01] * 1000])
    seconds = costs.best_seconds(lambda: costs.time.sleep(next(waits)), 0.05)
    assert 0.001 <= seconds < 0.01
