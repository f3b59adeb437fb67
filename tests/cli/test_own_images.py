"""A study of one's own images, from `ablate data` to the report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import ablate
from encoded_images import encoded

STUDY = """\
question: Does mirroring help to tell dark from bright?
dataset: {name: image_folder, path: photos, size: 12}
model: {name: small, width: 4}
preprocessing: {normalize: {}}
recipe: {epochs: 1, batch_size: 16, learning_rate: 0.05}
factors:
  flip: {without: {}, with: {augmentations.flip: {}}}
design: one-factor
seeds: 1
margin: 0.1
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a study, and elsewhere a data root with photographs of several sizes."""
    monkeypatch.delenv("ABLATE_DATA", raising=False)
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    for name, light in (("bright", 130), ("<dark> & \u5927", 20)):
        folder = tmp_path / "my data" / "photos" / name
        folder.mkdir(parents=True)
        for number in range(40):
            pixels = rng.integers(light, light + 100, (rng.integers(14, 30), 20, 3), dtype=np.uint8)
            (folder / f"{number}.jpg").write_bytes(encoded(pixels, kind="JPEG"))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "light.yaml").write_text(STUDY)
    return tmp_path / "work"


def test_a_study_of_own_images_shows_them_in_its_report(place: Path) -> None:
    root = place.parent / "my data"
    done = ablate("run", "light.yaml", "--data-dir", str(root), "--no-tracking", "--slots", "1", cwd=place)
    assert done.returncode == 0, done.stderr
    page = (place / "runs" / "light" / "report.html").read_text("utf-8")
    assert "not at hand" not in page
    assert "&lt;dark&gt; &amp; \u5927" in page
    assert "<dark>" not in page.replace("\\u003cdark\\u003e", "")
    for options, at_hand in ((), False), (("--data-dir", str(root)), True):
        assert ablate("report", "light.yaml", *options, cwd=place).returncode == 0
        assert ("not at hand" not in (place / "runs" / "light" / "report.html").read_text("utf-8")) == at_hand
    prints = {
        json.loads(path.read_text())["stamp"]["data_fingerprint"]
        for path in (place / "runs" / "light" / "trials").glob("*/outcome.json")
    }
    shown = ablate("data", "light.yaml", "--data-dir", str(root), "--json", cwd=place)
    assert prints == {json.loads(shown.stdout)["fingerprint"]}


def test_broken_images_are_named_before_a_study_begins(place: Path) -> None:
    photos = place.parent / "my data" / "photos"
    (photos / "bright" / "3.jpg").write_bytes(b"no image")
    (photos / "bright" / "7.jpg").write_bytes((photos / "bright" / "7.jpg").read_bytes()[:200])
    done = ablate("run", "light.yaml", "--data-dir", str(photos.parent), cwd=place)
    assert done.returncode == 2
    for name in ("3.jpg", "7.jpg"):
        assert f"{Path('bright', name)} cannot be read as PNG, JPEG, WEBP, BMP or PPM" in done.stderr.replace("\n", " ")
    assert not (place / "runs" / "light" / "study.json").exists()


def test_a_model_that_cannot_take_the_size_says_so_before_a_study_begins(place: Path) -> None:
    options = ("--set", "model={name: vgg, width: 4}", "--set", "dataset.size=28")
    done = ablate("run", "light.yaml", "--data-dir", str(place.parent / "my data"), *options, cwd=place)
    assert done.returncode == 2
    assert "needs images of at least 32 x 32 pixels, these have 28 x 28" in done.stderr
