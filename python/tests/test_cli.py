"""The command line: what it writes is compared with NumPy; what it refuses is one line and exit code 2."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from reference import CPU_TARGETS

import corrbank
from corrbank import demo, measure
from corrbank.cli import main
from corrbank.demo_sheet import energy
from corrbank.filters import SIZE, oriented_bank

SEED = 20261123
LUMINANCE = np.array([0.299, 0.587, 0.114])


def reference(image, kernels):
    """Responses and the promised bound on their error, in float64."""
    image, kernels = image.astype(np.float64), kernels.astype(np.float64)
    windows = np.lib.stride_tricks.sliding_window_view(image, kernels.shape[2:], axis=(1, 2))
    n = kernels[0].size
    gamma = n * 2.0**-24 / (1 - n * 2.0**-24)
    exact = np.einsum("cyxij,kcij->kyx", windows, kernels)
    return exact, gamma * np.einsum("cyxij,kcij->kyx", np.abs(windows), np.abs(kernels))


def assert_responses(path, image, kernels, slack=0.0):
    """`slack`: what reading the picture in f32 may add, as a fraction of sum |image * kernel|."""
    responses = np.load(path)
    exact, bound = reference(image, kernels)
    assert responses.dtype == np.float32
    assert responses.shape == exact.shape
    bound = bound + slack * reference(np.abs(image), np.abs(kernels))[0]
    assert (np.abs(responses - exact) <= bound).all(), f"seed {SEED}"


def save(path, array):
    np.save(path, array)
    return str(path)


@pytest.fixture
def rng():
    return np.random.default_rng(SEED)


@pytest.fixture
def run(capsys):
    """Runs the command line and returns its exit code, stdout and stderr."""

    def call(*arguments):
        code = main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def picture(tmp_path, rng):
    """Path and pixels of a colour PNG of 33 rows and 41 columns."""
    pixels = rng.integers(0, 256, (33, 41, 3), dtype=np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path, pixels


# correlate: the numbers


@pytest.mark.parametrize("shape", [(5, 3, 3, 3), (1, 3, 1, 7)])
def test_colour_picture_meets_three_channels(run, tmp_path, rng, picture, shape):
    path, pixels = picture
    kernels = rng.standard_normal(shape).astype(np.float32)
    out = tmp_path / "out.npy"
    code, stdout, stderr = run("correlate", path, "--kernels", save(tmp_path / "k.npy", kernels), "-o", out)
    assert (code, stderr) == (0, "")
    assert "GFLOP/s" in stdout and stdout.count("\n") == 1
    assert_responses(out, pixels.transpose(2, 0, 1) / 255.0, kernels, slack=2.0**-23)


@pytest.mark.parametrize("shape", [(4, 1, 3, 5), (4, 3, 5), (3, 5)])
def test_colour_picture_becomes_luminance_for_one_channel(run, tmp_path, rng, picture, shape):
    path, pixels = picture
    kernels = rng.standard_normal(shape).astype(np.float32)
    out = tmp_path / "out.npy"
    code, _, stderr = run("correlate", path, "--kernels", save(tmp_path / "k.npy", kernels), "-o", out)
    assert (code, stderr) == (0, "")
    luminance = (pixels @ LUMINANCE / 255)[None]
    assert_responses(out, luminance, kernels.reshape(-1, 1, 3, 5), slack=2.0**-21)


@pytest.mark.parametrize("mode", ["L", "1", "LA", "RGBA", "P", "I;16", "F"])
def test_pictures_of_other_modes(run, tmp_path, rng, mode):
    grey = rng.integers(0, 2, (9, 12), dtype=np.uint8) * 255
    expected = grey / 255.0
    if mode == "I;16":
        wide = rng.integers(0, 65536, (9, 12), dtype=np.uint16)
        source, expected = Image.fromarray(wide), wide / 65535.0
    elif mode == "F":
        source = Image.fromarray(expected.astype(np.float32))
    else:
        source = Image.fromarray(grey).convert(mode)
    path = tmp_path / "grey.tif"
    source.save(path)
    kernels = rng.standard_normal((2, 3, 2, 2)).astype(np.float32)
    out = tmp_path / "out.npy"
    code, _, stderr = run("correlate", path, "--kernels", save(tmp_path / "k.npy", kernels), "-o", out)
    assert (code, stderr) == (0, "")
    assert_responses(out, np.stack([expected] * 3), kernels, slack=2.0**-23)


def test_turned_photograph_is_read_upright(run, tmp_path, rng):
    pixels = rng.integers(0, 256, (8, 16), dtype=np.uint8)
    path, out = tmp_path / "turned.png", tmp_path / "out.npy"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise
    Image.fromarray(pixels).save(path, exif=exif)
    code, _, _ = run("correlate", path, "--kernels", save(tmp_path / "k.npy", np.ones((1, 1))), "-o", out)
    assert code == 0
    assert_responses(out, np.rot90(pixels, -1)[None] / 255.0, np.ones((1, 1, 1, 1)), slack=2.0**-23)


@pytest.mark.parametrize("target", CPU_TARGETS)
@pytest.mark.parametrize("channels", [0, 2, 5])  # 0: an array [H, W]
def test_array_image_is_taken_as_it_is(run, tmp_path, rng, channels, target):
    image = rng.integers(-100, 100, (channels, 20, 23) if channels else (20, 23)).astype(np.int16)
    kernels = rng.standard_normal((3, max(channels, 1), 4, 3))  # f64 on purpose
    image_path, kernels_path = save(tmp_path / "i.npy", image), save(tmp_path / "k.npy", kernels)
    out = tmp_path / "out.npy"
    options = ["--threads", 2, "--target", target]
    code, stdout, stderr = run("correlate", image_path, "--kernels", kernels_path, "-o", out, *options)
    assert (code, stderr) == (0, "")
    assert target in stdout
    assert_responses(out, image.reshape(-1, 20, 23), kernels.astype(np.float32))


def test_output_name_may_be_in_capitals(run, tmp_path):
    ones = save(tmp_path / "ones.npy", np.ones((2, 2)))
    out = tmp_path / "OUT.NPY"
    assert run("correlate", ones, "--kernels", ones, "-o", out)[0] == 0
    assert np.load(out) == 4


# correlate: the pictures


def test_picture_of_one_response_has_its_size_and_signs(run, tmp_path):
    image = np.zeros((1, 10, 12))
    image[0, 2, 3], image[0, 6, 8] = 1, -1
    paths = save(tmp_path / "i.npy", image), "--kernels", save(tmp_path / "k.npy", np.ones((2, 3)))
    out = tmp_path / "out.png"
    assert run("correlate", *paths, "-o", out)[0] == 0
    pixels = np.asarray(Image.open(out)).astype(int)
    assert pixels.shape == (9, 10, 3)
    red_over_blue = pixels[..., 0] - pixels[..., 2]
    assert red_over_blue[2, 3] > 50 and red_over_blue[6, 8] < -50
    assert abs(red_over_blue[0, 9]) < 20 and pixels[0, 9].max() < 60


@pytest.mark.parametrize("count", [2, 7, 90])
def test_contact_sheet_shows_every_response(run, tmp_path, rng, count):
    # Each response is constant, so its panel is one colour: positive ones warm, negative ones cold.
    signs = rng.choice([-1.0, 1.0], count)
    kernels = save(tmp_path / "k.npy", signs[:, None, None])
    out = tmp_path / "out.png"
    assert run("correlate", save(tmp_path / "i.npy", np.ones((30, 40))), "--kernels", kernels, "-o", out)[0] == 0
    pixels = np.asarray(Image.open(out)).astype(np.int16)
    warm, cold = np.array([255, 205, 120]), np.array([150, 216, 255])
    areas = [(np.abs(pixels - colour).max(axis=2) <= 2).sum() for colour in (warm, cold)]
    assert sum(areas) > 0
    np.testing.assert_allclose(areas[0] / sum(areas), (signs > 0).mean(), atol=0.002)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_sheet_of_degenerate_responses(run, tmp_path, value):
    image = save(tmp_path / "i.npy", np.full((6, 8), value, np.float32))
    kernels = save(tmp_path / "k.npy", np.ones((2, 2, 2)))
    out = tmp_path / "out.png"
    assert run("correlate", image, "--kernels", kernels, "-o", out)[::2] == (0, "")
    assert Image.open(out).size[0] > 100


# refusals

BAD_INPUT = {
    "no such image": ("missing.png --kernels k.npy -o out.npy", "no such file"),
    "no such kernels": ("photo.png --kernels missing.npy -o out.npy", "no such file"),
    "image is text": ("text.png --kernels k.npy -o out.npy", "not a picture"),
    "image is cut off": ("cut.png --kernels k.npy -o out.npy", "not a picture"),
    "image is a folder": (". --kernels k.npy -o out.npy", "not a picture"),
    "array is text": ("text.npy --kernels k.npy -o out.npy", "not a NumPy array"),
    "array is empty file": ("nothing.npy --kernels k.npy -o out.npy", "not a NumPy array"),
    "kernels are pickled": ("photo.png --kernels pickle.npy -o out.npy", "not a NumPy array"),
    "kernels are several": ("photo.png --kernels several.npz -o out.npy", "several arrays"),
    "kernels are complex": ("photo.png --kernels complex.npy -o out.npy", "complex"),
    "kernels are empty": ("photo.png --kernels empty.npy -o out.npy", "empty"),
    "kernels of 1 dimension": ("photo.png --kernels line.npy -o out.npy", "[9]"),
    "image of 4 dimensions": ("k.npy --kernels k.npy -o out.npy", "[C,H,W]"),
    "picture for 2 channels": ("photo.png --kernels two.npy -o out.npy", "2 channels"),
    "array of other channels": ("stack.npy --kernels k.npy -o out.npy", "4 channels"),
    "kernel above the image": ("photo.png --kernels large.npy -o out.npy", "image"),
    "no such target": ("photo.png --kernels k.npy -o out.npy --target abacus", "abacus"),
    "no threads": ("photo.png --kernels k.npy -o out.npy --threads 0", "--threads"),
    "threads as a word": ("photo.png --kernels k.npy -o out.npy --threads many", "--threads"),
    "too many threads": ("photo.png --kernels k.npy -o out.npy --threads 100000", "thread"),
    "no output": ("photo.png --kernels k.npy", "-o"),
    "output of unknown kind": ("photo.png --kernels k.npy -o out.txt", ".npy or .png"),
    "output in no folder": ("photo.png --kernels k.npy -o nowhere/out.npy", "nowhere"),
    "output is a folder": ("photo.png --kernels k.npy -o folder.npy", "folder"),
    "output over input": ("photo.png --kernels k.npy -o k.npy", "overwrite"),
}


@pytest.fixture
def inputs(tmp_path, picture, monkeypatch):
    """A current folder with the files that BAD_INPUT names."""
    monkeypatch.chdir(tmp_path)
    for name, array in {
        "k": np.ones((2, 3, 3, 3)),
        "two": np.ones((2, 2, 3, 3)),
        "large": np.ones((1, 3, 34, 3)),
        "stack": np.ones((4, 9, 9)),
        "line": np.ones(9),
        "complex": np.ones((3, 3), complex),
        "empty": np.ones((0, 3, 3)),
    }.items():
        np.save(f"{name}.npy", array)
    np.save("pickle.npy", np.array([{}, {}]), allow_pickle=True)
    np.savez("several.npz", a=np.ones(2), b=np.ones(2))
    for name in ("text.png", "text.npy"):
        Path(name).write_text("neither a picture\nnor an array\n")
    Path("nothing.npy").touch()
    Path("cut.png").write_bytes(picture[0].read_bytes()[:2000])
    Path("folder.npy").mkdir()


def assert_refused(result, reason):
    code, stdout, stderr = result
    assert (code, stdout) == (2, "")
    assert stderr.startswith("corrbank: error: ") and stderr.count("\n") == 1
    assert reason in stderr


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line(run, inputs, tmp_path, case):
    arguments, reason = BAD_INPUT[case]
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert_refused(run("correlate", *arguments.split()), reason)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ("", "COMMAND"),
        ("convolve", "convolve"),
        ("targets extra", "extra"),
        ("plan --image 3 9 9", "--kernels"),
        ("plan --image 3 9 --kernels 1 3 3", "--image"),
        ("plan --image 3 9 9 --kernels 1 0 3", "--kernels"),
        ("plan --image 3 9 9 --kernels 1 10 3", "image"),
        ("plan --image 3 9 9 --kernels 1 3 3 --target abacus", "abacus"),
        ("plan --image 9999999999 9999999999 9 --kernels 1 3 3", ""),
        ("demo -o sheet.jpg", ".png"),
        ("demo --target abacus", "abacus"),
        ("demo --threads 100000", "thread"),
    ],
)
def test_bad_command_is_one_line(run, arguments, reason):
    assert_refused(run(*arguments.split()), reason)


def test_failure_while_writing_is_exit_code_1(run, tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full to write to")
    out = tmp_path / "out.npy"
    out.symlink_to("/dev/full")
    ones = save(tmp_path / "ones.npy", np.ones((2, 2)))
    code, _, stderr = run("correlate", ones, "--kernels", ones, "-o", out)
    assert code == 1
    assert stderr.startswith("corrbank: error: ") and stderr.count("\n") == 1


# targets, plan, help


def test_targets_lists_names_and_the_default(run, monkeypatch):
    names = corrbank.targets()
    monkeypatch.delenv("CORRBANK_TARGET", raising=False)
    code, stdout, _ = run("targets")
    assert code == 0
    assert stdout.splitlines() == [f"{names[0]} (default)", *names[1:]]
    monkeypatch.setenv("CORRBANK_TARGET", CPU_TARGETS[-1])
    assert f"{CPU_TARGETS[-1]} (default)" in run("targets")[1].splitlines()


def test_plan_prints_the_plan_of_a_shape(run):
    target = CPU_TARGETS[-1]
    code, stdout, stderr = run(*"plan --image 3 31 37 --kernels 5 4 2 --threads 2 --target".split(), target)
    assert (code, stderr) == (0, "")
    expected = corrbank.plan(
        np.zeros((3, 31, 37), np.float32), np.zeros((5, 3, 4, 2), np.float32), threads=2, target=target
    )
    assert stdout == f"{expected}\n{expected.others}\n" and target in stdout


def test_plan_allocates_no_image(run):
    # Half of the largest image allowed: 4 GB, were it allocated.
    if sys.platform != "linux":
        pytest.skip("resident memory is read from /proc")
    before = measure._resident("VmHWM")
    code, stdout, _ = run(*"plan --image 1024 1024 1000 --kernels 2 3 3".split())
    assert code == 0 and stdout
    assert measure._resident("VmHWM") - before < 64e6


@pytest.mark.parametrize("command", ["demo", "correlate", "targets", "plan"])
def test_help_holds_an_example(run, command):
    code, stdout, _ = run(command, "--help")
    assert code == 0
    assert f"example: corrbank {command}" in " ".join(stdout.split())


def test_version(run):
    assert run("--version")[:2] == (0, f"corrbank {corrbank.__version__}\n")


def test_shapes_of_calls_are_recorded(run, tmp_path, rng, monkeypatch):
    """Of each call that is planned anew, as a tuner reads them."""
    record = tmp_path / "calls"
    monkeypatch.setenv("CORRBANK_RECORD", str(record))
    bank = corrbank.Bank(rng.standard_normal((5, 2, 3, 4), np.float32))
    for height in (20, 20, 31):
        bank.correlate(rng.standard_normal((2, height, 17), np.float32))
    assert record.read_text() == "2x20x17x5x3x4\n2x31x17x5x3x4\n"
    monkeypatch.setenv("CORRBANK_RECORD", str(tmp_path / "no folder" / "calls"))
    bank.correlate(rng.standard_normal((2, 9, 9), np.float32))


def test_process_returns_the_exit_code():
    command = [sys.executable, "-m", "corrbank.cli", "plan", "--image", "1", "1", "1", "--kernels", "1", "2", "2"]
    process = subprocess.run(command, capture_output=True, text=True)
    assert (process.returncode, process.stdout) == (2, "")
    assert process.stderr.count("\n") == 1


# demo


def test_demo_measures_and_draws(run, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "_BUDGET", 0.0)
    sheet = tmp_path / "sheet.png"
    code, stdout, stderr = run("demo", "-o", sheet, "--threads", 2)
    assert (code, stderr) == (0, "")
    assert re.search(r"\d GFLOP/s, \d+\.\d % of the FMA peak", stdout)
    assert "1.02 GB" in stdout and "2 threads" in stdout
    with Image.open(sheet) as picture:
        assert picture.width > 2000
        assert stdout.count("  found ") == 6
        assert demo.found_path(sheet).exists()
        # Drawn upon in every quarter, the lower ones included.
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    for half in np.array_split(pixels, 2, axis=0):
        for quarter in np.array_split(half, 2, axis=1):
            assert quarter.std() > 10


def test_demo_fails_on_a_wrong_response(run, tmp_path, monkeypatch):
    monkeypatch.setattr(demo, "worst_error", lambda *arguments: float("nan"))
    sheet = tmp_path / "sheet.png"
    code, _, stderr = run("demo", "-o", sheet)
    assert code == 1 and "bound" in stderr
    assert not sheet.exists()


def test_spot_check_sees_wrong_and_missing_responses():
    image, kernels = measure.random_case((3, 12, 14), (4, 3, 3, 2))
    responses = reference(image, kernels)[0].astype(np.float32)
    assert measure.worst_error(image, kernels, responses, 500) <= 1
    for wrong in (responses[-1, -1, -1] + 1e-3, np.nan):
        damaged = responses.copy()
        damaged[-1, -1, -1] = wrong
        assert not measure.worst_error(image, kernels, damaged, 500) <= 1


def test_memory_growth_counts_the_responses():
    growth = measure.memory_growth((4, 500, 500), (10, 4, 3, 3), None, None)
    if growth is None:
        pytest.skip("this system does not tell the peak of resident memory")
    assert growth >= 0.95 * 10 * 498 * 498 * 4


def test_memory_growth_reports_a_failed_child():
    with pytest.raises(RuntimeError, match="abacus"):
        measure.memory_growth((1, 9, 9), (1, 1, 3, 3), None, "abacus")


@pytest.mark.parametrize("index", range(8))
def test_filters_answer_to_lines_of_their_angle(index):
    bank = oriented_bank()
    np.testing.assert_allclose(bank.kernels.sum(axis=(1, 2, 3)), 0, atol=1e-6)
    # A line through the middle, of the label's angle as one sees it: anticlockwise from horizontal, rows downwards.
    theta = np.deg2rad(bank.angles[index])
    down, across = np.mgrid[:SIZE, :SIZE] - SIZE // 2
    distance = np.abs(across * np.sin(theta) + down * np.cos(theta))
    image = np.clip(1.5 - distance, 0, 1).astype(np.float32)[None]
    answers = energy(bank.split(corrbank.correlate(image, bank.kernels)))[..., 0, 0]
    assert (answers.argmax(axis=1) == index).all()
