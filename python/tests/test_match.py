"""Matching from Python: definitions, element types, peaks, augmentation, refusals, and `corrbank find`."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import corrbank
from corrbank import demo_templates
from corrbank.cli import main
from corrbank.matching import Templates

METHODS = ("ccorr", "ccorr_normed", "sqdiff", "sqdiff_normed", "ccoeff", "ccoeff_normed", "zncc")
SEED = 20261125


def scene(dtype=np.uint8, channels=3, size=(7, 9)):
    rng = np.random.default_rng(SEED)
    image = rng.integers(0, 200, (channels, 60, 70)).astype(dtype)
    places = [(12, 30), (40, 5)]
    return image, np.stack([image[:, y : y + size[0], x : x + size[1]] for y, x in places]), places


def definition(image, templates, method, mask=None):
    """Scores in float64, in two passes."""
    image, templates = image.astype(np.float64), templates.astype(np.float64)
    m = np.ones(templates.shape) if mask is None else np.broadcast_to(mask, templates.shape).astype(np.float64)
    m, t = m[:, :, None, None], templates[:, :, None, None]
    w = np.lib.stride_tricks.sliding_window_view(image, templates.shape[2:], axis=(1, 2))[None]
    every = (1, 4, 5)
    if method in ("ccoeff", "ccoeff_normed", "zncc"):
        axes = every if method == "zncc" else (4, 5)
        weight = (m * np.ones_like(t)).sum(axes, keepdims=True)
        t = t - (m * t).sum(axes, keepdims=True) / weight
        w = w - (m * w).sum(axes, keepdims=True) / weight
    score = (m * m * (t - w) ** 2).sum(every) if method.startswith("sqdiff") else (m * m * t * w).sum(every)
    if method.endswith("normed") or method == "zncc":
        score = score / np.sqrt((m * m * t * t).sum(every) * (m * m * w * w).sum(every))
    return score


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_scores_are_the_definitions(method, dtype):
    image, templates, _ = scene(dtype)
    for mask in (None, (np.arange(63).reshape(7, 9) % 4 > 0).astype(np.uint8)):
        scores = corrbank.match(image, templates, method=method, mask=mask)
        expected = definition(image, templates, method, mask)
        assert scores.shape == expected.shape
        if dtype == np.uint8 and method in ("ccorr", "sqdiff"):
            assert scores.dtype == np.int32
            assert np.array_equal(scores, expected)
        else:
            assert scores.dtype == np.float32
            scale = 1 if method.endswith("normed") or method == "zncc" else np.abs(expected).max()
            assert np.abs(scores - expected).max() <= 1e-5 * scale


def test_one_plane_and_lists():
    image, templates, places = scene(channels=1)
    one = corrbank.match(image[0], templates[0, 0])
    assert np.array_equal(one, corrbank.match(image, templates[:1]))
    found = corrbank.find(image[0], [t[0] for t in templates])
    assert [(m.y, m.x) for m in found] == places
    assert [m.template for m in found] == [0, 1]
    assert all(m.score == pytest.approx(1, abs=1e-9) for m in found)


def test_validity():
    image, templates, _ = scene(np.float32)
    image[:, :20] = 5
    templates[1] = 3
    scores, valid = corrbank.match(image, templates, return_valid=True)
    assert not valid[1].any() and not valid[0, :14].any() and valid[0, 14:].all()
    assert (scores[~valid] == 0).all()
    assert Templates(templates).valid == [True, False]


@pytest.mark.parametrize("method", METHODS)
def test_find_tells_the_place(method):
    image, templates, places = scene()
    found = corrbank.find(image, templates, method=method, top=1)
    if method != "ccorr":
        assert [(m.y, m.x) for m in found] == places
    scores = definition(image, templates, method)
    for m in found:
        assert m.score == pytest.approx(scores[m.template, m.y, m.x], rel=1e-9)
        best = scores[m.template].min() if method.startswith("sqdiff") else scores[m.template].max()
        assert m.score == pytest.approx(best, rel=1e-9, abs=1e-9)


def test_threshold_region_and_subpixel():
    image, templates, places = scene()
    assert corrbank.find(image, templates, threshold=0.99, top=None)[0].y == places[0][0]
    assert corrbank.find(image, templates, threshold=1.1) == []
    found = corrbank.find(image, templates, region=(35, 0, 25, 70), top=1)
    assert found[1].y == places[1][0] and found[0].y >= 35
    refined = corrbank.find(image, templates, subpixel="parabola")[0]
    assert abs(refined.refined_y - refined.y) <= 0.5 and abs(refined.refined_x - refined.x) <= 0.5


def test_the_best_of_all():
    image, templates, places = scene()
    scores, best = Templates(templates).match_best(image)
    all_scores = corrbank.match(image, templates)
    assert np.array_equal(scores, all_scores.max(axis=0))
    assert best[places[1]] == 1


def test_augmented_templates_bring_angle_and_scale():
    rng = np.random.default_rng(SEED)
    coarse = rng.integers(0, 255, (9, 9))
    template = np.kron(coarse, np.ones((4, 4))).astype(np.uint8)
    copies = corrbank.augment(template, angles=(0, 90, 45), scales=(1, 0.5))
    assert copies.templates.shape[0] == 6 and copies.templates.dtype == np.uint8
    image = np.full((150, 160), 90, np.uint8)
    image[40:76, 50:86] = np.rot90(template)
    best = max(corrbank.find(image, copies), key=lambda m: m.score)
    assert (best.angle, best.scale) == (90, 1)
    assert best.score == pytest.approx(1, abs=1e-9)
    middle = copies.templates.shape[2] / 2
    assert (best.y + middle, best.x + middle) == pytest.approx((58, 68), abs=1)
    unturned = corrbank.augment(template)
    assert np.array_equal(unturned.templates[0, 0], template) and unturned.masks.all()


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda i, t: corrbank.match(i, t, method="best"), ValueError, "method"),
        (lambda i, t: corrbank.match(i[:, :5], t), ValueError, "smaller than the templates"),
        (lambda i, t: corrbank.match(i, t[:0]), ValueError, "count"),
        (lambda i, t: corrbank.match(i, []), ValueError, "empty"),
        (lambda i, t: corrbank.match(i, t, mask=np.ones((3, 3), np.uint8)), ValueError, "masks.height"),
        (lambda i, t: corrbank.match(i[:1], t), ValueError, "channels"),
        (lambda i, t: corrbank.match(i.astype(np.float64), t), TypeError, "float64"),
        (lambda i, t: corrbank.find(i, t, top=0), ValueError, "top"),
        (lambda i, t: corrbank.find(i, t, top=None), ValueError, "threshold"),
        (lambda i, t: corrbank.find(i, t, subpixel="cubic"), ValueError, "subpixel"),
        (lambda i, t: corrbank.find(i, t, region=(0, 0, 3, 3)), ValueError, "region"),
        (lambda i, t: corrbank.augment(t[0], scales=(0,)), ValueError, "scales"),
    ],
)
def test_refusals(call, error, message):
    image, templates, _ = scene()
    with pytest.raises(error, match=message):
        call(image, templates)


def test_the_demo_finds_what_it_cut_out():
    with Image.open(Path(corrbank.__file__).parent / "data" / "coffee.jpg") as file:
        photograph = file.convert("RGB")
    parts = demo_templates.parts_of(photograph)
    pixels = np.asarray(photograph).transpose(2, 0, 1).copy()
    places = [(m.y, m.x) for m in corrbank.find(pixels, parts)]
    found = corrbank.find(demo_templates.second_view(photograph), parts)
    for (y, x), match in zip(places, found):
        # Turned by 2 degrees about the middle, and moved.
        assert abs(match.y + 11 - y) <= 12 and abs(match.x + 17 - x) <= 12 and match.score > 0.7


def picture(path, planes):
    Image.fromarray(planes.transpose(1, 2, 0)).save(path)
    return str(path)


def test_the_command_finds(tmp_path, capsys):
    image, templates, places = scene()
    paths = [picture(tmp_path / "image.png", image)]
    paths += [picture(tmp_path / f"t{k}.png", t) for k, t in enumerate(templates)]
    out = tmp_path / "found.png"
    assert main(["find", *paths, "-o", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[1].split()[:3] == ["t0.png", "12.00", "30.00"]
    assert Image.open(out).size == (70, 60)
    assert main(["find", *paths, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["y"], row["x"]) for row in rows] == places


def test_the_command_uses_alpha_as_mask(tmp_path, capsys):
    image, templates, places = scene()
    rgba = np.concatenate([templates[0], np.full((1, 7, 9), 255, np.uint8)])
    rgba[:3, :, :3] = 255 - rgba[:3, :, :3]
    rgba[3, :, :3] = 0
    paths = [picture(tmp_path / "image.png", image), picture(tmp_path / "t.png", rgba)]
    assert main(["find", *paths, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)[0]
    assert (row["y"], row["x"]) == places[0] and row["score"] == pytest.approx(1, abs=1e-9)


def test_the_command_refuses(tmp_path, capsys):
    image, templates, _ = scene()
    path = picture(tmp_path / "t.png", templates[0])
    assert main(["find", path, picture(tmp_path / "image.png", image)]) == 2
    assert "smaller" in capsys.readouterr().err
    assert main(["find", path, path, "--top", "0"]) == 2
    assert "top" in capsys.readouterr().err
    assert main(["find", path, path, "-o", path]) == 2
    assert "overwrite" in capsys.readouterr().err
    assert main(["find", path, picture(tmp_path / "flat.png", np.full((5, 5, 3), 9, np.uint8).transpose(2, 0, 1))]) == 2
    assert "flat.png: no score is possible" in capsys.readouterr().err
    np.save(tmp_path / "five.npy", np.ones((5, 4, 4), np.float32))
    assert main(["find", path, str(tmp_path / "five.npy")]) == 2
    assert "five.npy 5" in capsys.readouterr().err


def test_dark_windows_of_integers():
    """An offset that is given back to correlations of integers rounds off what windows near black have."""
    rng = np.random.default_rng(SEED)
    image = np.concatenate([rng.random((3, 60, 30)) < 0.03, rng.integers(200, 256, (3, 60, 60))], axis=2).astype(np.uint8)
    templates = image[None, :, 10:41, 45:76].copy()
    scores = corrbank.match(image, templates, method="ccorr_normed", algorithm="direct")
    assert np.abs(scores - definition(image, templates, "ccorr_normed")).max() <= 2e-6


@pytest.mark.parametrize("algorithm", ["direct", "fft", "winograd"])
def test_templates_darker_than_others(algorithm):
    """Of normed distances: where means are taken off dark templates, they have larger norms than before."""
    rng = np.random.default_rng(SEED)
    image = np.concatenate([rng.integers(3, 7, (3, 60, 40)), rng.integers(100, 256, (3, 60, 40))], axis=2).astype(np.float32)
    templates = np.stack([image[:, 20:25, x : x + 5] for x in (10, 60)])
    scores = corrbank.match(image, templates, method="sqdiff_normed", algorithm=algorithm)
    expected = definition(image, templates, "sqdiff_normed")
    assert (np.abs(scores - expected) / np.maximum(expected, 1)).max() <= 1e-5


def test_long_direct_sums():
    """Products that are alike err to the same side: f32 sums of thousands of them were off by 5e-5."""
    y, x = np.mgrid[:100, :110]
    image = np.where((y // 25 + x // 25) % 2 == 0, 27.7, 228.3).astype(np.float32)
    templates = np.stack([image[5:68, 5:68], image[37:100, 40:103]])[:, None]
    for method in ("ccoeff_normed", "ccorr_normed", "sqdiff_normed"):
        scores = corrbank.match(image, templates, method=method, algorithm="direct")
        assert np.abs(scores - definition(image[None], templates, method)).max() <= 1e-5
