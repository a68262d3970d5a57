"""Tests of the tuner that need no build and no timing."""

import json
import math
import random

import blocks
import build
import choose
import coefficients
import measuring
import pytest
import shapes
import space
import specialise


@pytest.mark.parametrize("target", space.targets().values(), ids=lambda target: target.name)
def test_the_space_holds_what_a_target_must_have(target):
    rows = space.everything(target)
    tuned = json.loads((space.TUNED / f"{target.name}.json").read_text())
    assert rows.keys() == tuned["kernels"].keys()
    assert {row.split()[2] for row in rows["direct"] if row.startswith("rows")} >= {"1", "2", "4", "8"}
    for kind in build.SEARCHED:
        assert len(rows[kind]) == len(set(rows[kind]))
    costs = space.starting_costs(target, rows, 100.0)
    for (model, member), kind in space.BY_ROW.items():
        assert list(costs[model][member]) == rows[kind]
        assert list(tuned[model][member]) == tuned["kernels"][kind]
    assert {model: set(members) for model, members in costs.items()} == {
        model: set(tuned[model]) for model in ("direct", "winograd", "fft")
    }
    sizes = {str(size) for size in rows["fft_sizes"]}
    assert sizes == set(costs["fft"]["rows_forward"])
    assert {str(size) for size in tuned["kernels"]["fft_sizes"]} == set(tuned["fft"]["rows_forward"]) <= sizes
    assert tuned["blocks"].keys() == blocks.START.keys()


def test_rows_fit_the_registers():
    for target in space.targets().values():
        for row in space.direct_rows(target):
            positions, kernels = map(int, row.split()[1:3])
            assert positions * kernels < target.registers, row


def test_names_of_ways_are_rows():
    assert choose.row_of("direct/rows_3x8") == "rows 3 8"
    assert choose.row_of("direct/strips_4x2_size3") == "strips 4 2 3"
    assert choose.row_of("winograd/6x6/tiles_1x25") == "tiles 1 25"
    assert choose.row_of("fft/64x48/kernels_3x4/many") == "kernels 3 4"
    assert choose.row_of("direct/rows_3x8_width194_inner_taps9") == "rows 3 8 width=194 inner_taps=9"
    assert choose.row_of("winograd/6x6/tiles_2x10_channels128_tile_count96") == "tiles 2 10 channels=128 tile_count=96"


def test_a_specialised_library_has_what_its_shape_needs():
    shape = shapes.Shape("128x200x200x50x3x3", [128, 200, 200, 50, 3, 3])
    ways = [
        measuring.Way("direct/rows_9x1", 0, 16, 1, "width=198"),
        measuring.Way("direct/pixels_9x1", 0, 16, 16),
        measuring.Way("direct/rows_3x8", 0, 16, 8, "width=198"),
        measuring.Way("winograd/6x6/tiles_2x10", 0, 50, 0, "channels=128,tile_count=96"),
        measuring.Way("winograd/4x4/tiles_1x8", 0, 50, 0, "channels=128,tile_count=80"),
    ]
    times = {way.name: (1e6 * (1 if "2x10" in way.name else 2), way.kernels, way.tile_kernels) for way in ways}
    target = space.targets()["x86_avx512"]
    general, constant = specialise.kernels(target, shape.extents, times, ways)
    assert general["winograd_variants"] == ["6 3 6 3"] and general["winograd_products"] == ["tiles 2 10"]
    assert constant["winograd_products"] == ["tiles 2 10 channels=128 tile_count=96"]
    assert constant["direct"] == general["direct"] == ["pixels 4 1"]
    assert constant["fft_sizes"] == constant["fft_products"] == []
    times["direct/rows_3x8"] = (1e3, 16, 8)
    times["direct/rows_9x1"] = (2e3, 16, 1)
    general, constant = specialise.kernels(target, shape.extents, times, ways)
    assert constant["direct"] == ["rows 3 8 width=198", "rows 9 1 width=198", "pixels 4 1"]
    assert general["direct"] == ["rows 3 8", "rows 9 1", "pixels 4 1"]
    assert general["unpack_side"] == constant["unpack_side"] == 1
    assert constant["winograd_variants"] == constant["winograd_products"] == []


def test_kernels_are_covered_by_the_cheapest_tiles():
    times = {
        "direct/rows_3x8": (20.0, 16, 8),  # 10 a tile
        "direct/rows_8x2": (24.0, 16, 2),  # 3 a tile
        "direct/rows_5x5": (12.0, 15, 5),  # 4 a tile, but no part of a block
        "direct/pixels_5x2": (35.0, 32, 32),
    }
    rows = frozenset(map(choose.row_of, times))
    assert choose.direct_time(times, rows, 16) == 20
    assert choose.direct_time(times, rows, 32) == 35
    assert choose.direct_time(times, rows, 48 + 7) == 55 + 4 + 3
    assert choose.direct_time(times, rows - {"rows 8 2"}, 7) == math.inf


def test_a_target_always_has_rows_for_any_shape():
    times = {
        "direct/rows_6x1": (9.0, 16, 1),
        "direct/rows_8x1": (8.0, 16, 1),
        "direct/pixels_4x1": (7.0, 16, 16),
        "direct/pixels_8x1": (5.0, 16, 16),
        "direct/pixels_5x2": (1.0, 32, 32),
    }
    rows = list(map(choose.row_of, times))
    assert choose.fixed_direct({"a": (times, 16)}, rows) == ["rows 8 1", "pixels 8 1"]


def test_the_fewest_rows_that_lose_little_are_chosen():
    fast, near, slow = "winograd/6x6/tiles_1x8", "winograd/6x6/tiles_1x10", "winograd/6x6/kernels_4x4"
    times = {
        "a": ({fast: (100.0, 50, 0), near: (100.5, 50, 0), slow: (150.0, 50, 0)}, 50),
        "b": ({fast: (210.0, 8, 0), near: (205.0, 8, 0), slow: (200.0, 8, 0)}, 8),
    }
    rows = ["tiles 1 8", "tiles 1 10", "kernels 4 4"]
    assert set(choose.choose(times, "winograd", rows, [])) == {"tiles 1 10", "kernels 4 4"}
    assert choose.choose({"a": times["a"]}, "winograd", rows, []) == ["tiles 1 8"]


def test_sizes_that_win_nothing_are_left_out():
    small, large = "fft/16x32/tiles_1x4/many", "fft/64x64/tiles_1x2/few"
    times = {
        "3x3": ({small: (100.0, 8, 0), "fft/48x32/tiles_1x4/many": (99.5, 8, 0), large: (150.0, 8, 0)}, 8),
        "31x31": ({large: (100.0, 8, 0), "fft/128x128/tiles_1x2/few": (120.0, 8, 0), "fft/256x256/tiles_1x2/few": (110.0, 8, 0)}, 8),
    }
    assert choose.sizes(times, [16, 32, 48, 64, 128, 256]) == [16, 32, 64, 256]
    assert choose.sizes_of("winograd/6x6/tiles_1x25") == choose.sizes_of("direct/rows_3x8") == set()


class FakeCaches:
    """Plans whose time falls with one size, up to `best`, and has nothing to do with the others."""

    def __init__(self, size, best, noise=0.0, l2=None):
        self.l2 = l2
        self.size, self.best, self.noise, self.set = f"blocks.{size}", best, noise, {}
        self.random = random.Random(1)

    def ask(self, command, *words):
        if command == "cost":
            self.set[words[0]] = words[1]
        if command == "l2":
            return [["l2", str(self.l2)]] if self.l2 else []
        if command == "time":
            return [["time", name, "1000" if name == "plan/winograd" else "2000", "0"] for name in words[1:]]
        if command != "vary":
            return []
        turns, _, name, *values = words
        return [["vary", *[str(self.time(name, value)) for _ in range(turns)]] for value in values]

    def time(self, name, value):
        disturbance = self.noise * 1000 * self.random.random()
        if self.random.random() < self.noise:
            disturbance += 500
        return 1000 * (1 + 0.1 * abs(math.log2(value / self.best)) * (name == self.size)) + disturbance


def test_sizes_of_blocks_move_to_where_calls_are_shortest():
    program = FakeCaches("winograd_tiles_bytes", 64 << 10)
    chosen, trials = blocks.search(program, shapes.parse_shapes("seed,res56"), 1, 60, lambda text: None)
    assert chosen == {**blocks.START, "winograd_tiles_bytes": 64 << 10}
    assert program.set == {"blocks.winograd_tiles_bytes": 64 << 10}
    searched = {trial.name: trial for trial in trials}
    assert searched.keys() == {n for n in blocks.START if "winograd" in blocks.algorithms_of(n)} - set(blocks.OF_THREADS)
    found = searched["winograd_tiles_bytes"].savings
    assert found[64 << 10] == max(found.values()) > 0.1 and found[512 << 10] == 0


def test_sizes_of_blocks_stay_where_there_is_but_noise():
    program = FakeCaches("fft_places", 1, noise=0.02)
    chosen, trials = blocks.search(program, shapes.parse_shapes("seed,res56,vgg"), 2, 60, lambda text: None)
    assert chosen == blocks.START
    assert "winograd_pieces_per_thread" in {trial.name for trial in trials}


def test_sizes_of_blocks_move_in_spite_of_noise():
    program = FakeCaches("winograd_tiles_bytes", 256 << 10, noise=0.05)
    chosen, _ = blocks.search(program, shapes.parse_shapes("seed,res56,vgg"), 1, 60, lambda text: None)
    assert chosen == {**blocks.START, "winograd_tiles_bytes": 256 << 10}


def test_sizes_of_blocks_start_from_the_second_cache():
    program = FakeCaches("fft_places", 1, l2=256 << 10)
    chosen, _ = blocks.search(program, shapes.parse_shapes("seed"), 1, -1, lambda text: None)
    assert chosen == {**blocks.START, "winograd_tiles_bytes": 128 << 10, "direct_chunk_bytes": 128 << 10}
    assert program.set["blocks.winograd_tiles_bytes"] == 128 << 10


def test_a_search_of_blocks_ends_in_time():
    said = []
    chosen, trials = blocks.search(FakeCaches("fft_places", 1), shapes.parse_shapes("seed"), 1, -1, said.append)
    assert chosen == blocks.START and not trials and "no time is left" in said[0]


def test_what_is_no_tuned_file_is_refused(tmp_path):
    target = space.targets()["x86_avx2"]
    for text, reason in (("{", "no tuned file"), ("[]", "no tuned file"), ('{"target": "cuda"}', "of cuda, not of x86_avx2")):
        path = tmp_path / "tuned.json"
        path.write_text(text)
        with pytest.raises(build.Failed, match=reason):
            build.read(path, target)


class FakeProgram:
    """Answers "time" with given times, the first call of each way twice as slow."""

    def __init__(self, times):
        self.times, self.calls = times, dict.fromkeys(times, 0)

    def ask(self, command, calls, *names):
        assert command == "time"
        answer = []
        for name in names:
            slow = 2 if self.calls[name] + calls == 1 else 1
            self.calls[name] += calls
            answer.append(["time", name, str(self.times[name] * slow), "0"])
        return answer


def test_the_fastest_are_called_most_and_none_is_lost():
    times = {f"winograd/6x6/tiles_1x{n}": 100.0 + n for n in range(1, 33)}
    program = FakeProgram(times)
    found = measuring.halve(program, [measuring.Way(name, 0.0, 50, 0) for name in times], 0.5)
    assert found.keys() == times.keys()
    best, worst = min(times, key=times.get), max(times, key=times.get)
    assert found[best][0] == times[best]
    assert program.calls[best] > 8 * program.calls[worst]


def test_measurements_survive_a_stop(tmp_path):
    path = tmp_path / "measurements.json"
    measuring.Measurements(path).put("seed", {"direct/rows_3x8": (12.5, 16, 8)})
    again = measuring.Measurements(path)
    assert again.has("seed") and not again.has("vgg")
    assert again.of("seed") == {"direct/rows_3x8": (12.5, 16, 8)}


def test_costs_follow_the_rows():
    target = space.targets()["x86_avx2"]
    rows = space.everything(target)
    costs = space.starting_costs(target, rows, 100.0)
    costs["winograd"]["product"]["tiles 2 6"] = 0.5
    few = {**rows, "winograd_products": ["tiles 2 6 channels=128", "tiles 2 5"], "fft_sizes": [16]}
    kept = coefficients.of(few, costs)
    assert list(kept["winograd"]["product"]) == few["winograd_products"]
    assert kept["winograd"]["product"]["tiles 2 6 channels=128"] == 0.5
    assert list(kept["fft"]["rows_forward"]) == ["16"]
    assert kept["direct"] == costs["direct"]


def test_shapes_come_by_name_by_extents_and_from_a_record(tmp_path):
    found = shapes.parse_shapes("seed,3x20x30x5x3x4")
    assert [shape.extents for shape in found] == [[128, 200, 200, 50, 3, 3], [3, 20, 30, 5, 3, 4]]
    record = tmp_path / "calls"
    record.write_text("3x20x30x5x3x4\n3x20x30x5x3x4\n1x9x9x2x3x3\n")
    assert [shape.name for shape in shapes.parse_shapes(f"@{record}")] == ["3x20x30x5x3x4", "1x9x9x2x3x3"]
    record.write_text("")
    with pytest.raises(SystemExit, match="no shapes"):
        shapes.parse_shapes(f"@{record}")


@pytest.mark.parametrize("text", ["nothing", "3x20x30", "3x2x30x5x3x4", "0x20x30x5x3x4"])
def test_what_is_no_shape_is_refused(text):
    with pytest.raises(SystemExit, match="tune: "):
        shapes.parse_shapes(text)
