"""`ablate data`: the summary, the page, and when the page is opened."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import ablate

from ablation.datasets import cifar10, digits
from ablation.previews.stages import channel_statistics

STUDY = """\
question: Does noise help?
dataset: {name: digits, train_size: 200}
model: small
preprocessing: {normalize: {statistics: image}}
augmentations: {crop: {padding: 1}}
factors:
  noise: {none: {}, some: {augmentations: {lab.noise: {levels: 20.0}}}}
design: one-factor
seeds: 2
margin: 0.01
"""
NOISE = '''
import torch


def build(*, levels: float = 8.0):
    """Add noise."""
    def augment(images, targets, generator):
        noise = torch.randn(images.shape, generator=generator) * levels
        return (images + noise).round().clamp(0, 255).to(torch.uint8), targets
    return augment
'''
DATA = '''
from pathlib import Path

from ablation.datasets import synthetic
from ablation.splits import Splits


def build(root: Path, *, classes: int = 3) -> Splits:
    """Glyphs with a test image that was trained on."""
    made = synthetic.build(root, num_classes=classes, image_size=32)
    made.test.images[5] = made.train.images[17]
    return made
'''


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a study and components of its own."""
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "noise.py").write_text(NOISE)
    (tmp_path / "lab" / "glyphs.py").write_text(DATA)
    (tmp_path / "noise.yaml").write_text(STUDY)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_data_set_is_summed_up_and_its_page_written(place: Path) -> None:
    done = ablate("data", "digits", cwd=place)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    splits = digits.build(place)
    means, deviations = channel_statistics(splits.train)
    assert lines[:4] == [
        "data        digits: 1,200 training and 597 test images, 8 x 8 pixels, 1 channel",
        "classes     10: 116 to 122 training and 58 to 61 test images each",
        f"mean        {means[0]:.4f} (training images, by channel; black is 0, white 1)",
        f"std         {deviations[0]:.4f}",
    ]
    assert [line.split()[0] for line in lines[4:]] == ["brightness", "contrast", "equal", "near"]
    assert "page: data-digits.html" in done.stderr
    page = (place / "data-digits.html").read_text("utf-8")
    assert "What is in digits?" in page
    assert "ablate data digits" in page
    assert splits.fingerprint in page


def test_choices_are_set_and_the_page_is_the_same_each_time(place: Path) -> None:
    asked = ("data", "synthetic", "--set", "num_classes=3", "--set", "dataset.image_size=16", "--out", "pages")
    done = ablate(*asked, cwd=place)
    assert "data        synthetic (num_classes=3, image_size=16): 256 training" in done.stdout
    first = (place / "pages" / "data-synthetic.html").read_bytes()
    assert ablate(*asked, cwd=place).stdout == done.stdout
    assert (place / "pages" / "data-synthetic.html").read_bytes() == first


def test_a_data_set_of_ones_own_is_named_by_its_dots(place: Path) -> None:
    done = ablate("data", "lab.glyphs", "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "runs code from outside the package: lab.glyphs" in done.stderr
    found = json.loads(done.stdout)
    assert found["page"] == "data-lab.glyphs.html"
    assert [one["train"] for one in found["classes"]] == [86, 85, 85]
    assert [(one["relation"], one["pairs"], one["images"]) for one in found["equal"]] == [
        ("within training", 0, 0),
        ("within test", 0, 0),
        ("across the splits", 1, 1),
    ]
    assert [[(one["split"], one["image"]) for one in group] for group in found["groups"]] == [
        [("training", 17), ("test", 5)]
    ]


def test_of_a_study_its_own_steps_are_shown(place: Path) -> None:
    done = ablate("data", "noise.yaml", cwd=place)
    assert done.returncode == 0, done.stderr
    assert "runs code from outside the package: lab.noise" in done.stderr
    assert "data        digits (train_size=200): 200 training" in done.stdout
    page = (place / "data-digits.html").read_text("utf-8")
    assert "the baseline of the study noise" in page
    shown = page.partition('id="augmentation-lab.noise"')[2].partition("</figure>")[0]
    assert re.findall(r"<p>(levels [\d.]+)", shown) == ["levels 10.0", "levels 20.0", "levels 40.0"]
    assert re.findall(r"<p>(padding \d+)", page) == ["padding 1", "padding 2", "padding 4"]
    done = ablate("data", "noise.yaml", "--set", "dataset.train_size=100", cwd=place)
    assert "(train_size=100): 100 training" in done.stdout


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (["digit"], 'there is no dataset "digit". Did you mean digits?'),
        (["lab.none"], 'there is no module "lab.none"'),
        (["digits", "--set", "train_sise=5"], 'error: digits has no choice "train_sise". Did you mean train_size?'),
        (["digits", "--set", "train_size=few"], 'error: train_size must be a whole number, not "few".'),
        (["digits", "--set", "train_size"], "write --set path=value"),
        (["digits", "--set", "train_size=5000"], "train_size is 5000; give 10"),
        (["digits", "--scale", "smoke"], "--scale is for a study; digits is a data set."),
        (["absent.yaml"], "absent.yaml cannot be read: No such file or directory."),
        (["lab"], "lab is a folder but no run folder"),
    ],
)
def test_mistakes_are_told(place: Path, asked: list[str], says: str) -> None:
    done = ablate("data", *asked, cwd=place)
    assert done.returncode == 2
    assert says in done.stderr
    assert not list(place.glob("*.html"))


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of Unix")
@pytest.mark.parametrize(
    ("options", "browser", "opened"),
    [((), True, True), (("--no-open",), True, False), (("--json",), True, False), ((), False, False)],
    ids=["opens", "told not to", "data for a program", "no screen"],
)
def test_the_page_is_opened_where_somebody_can_see_it(
    tmp_path: Path, options: tuple[str, ...], browser: bool, opened: bool
) -> None:
    """On a real terminal, with a browser of its own; without a screen even one that is found is not started."""
    viewer = tmp_path / "w3m"
    viewer.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n')
    viewer.chmod(0o755)
    kept = {name: text for name, text in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")}
    environment = {**kept, "PATH": f"{tmp_path}:{os.environ['PATH']}"} | ({"BROWSER": str(viewer)} if browser else {})
    main, other = pty.openpty()
    command = [sys.executable, "-m", "ablation", "data", "digits", "--out", str(tmp_path), *options]
    streams = {"stdin": other, "stdout": subprocess.PIPE, "stderr": other}
    done = subprocess.run(command, cwd=tmp_path, **streams, env=environment, timeout=120, check=False)
    os.close(other)
    os.close(main)
    assert done.returncode == 0
    address = (tmp_path / "opened").read_text().strip() if (tmp_path / "opened").exists() else None
    assert address == ((tmp_path / "data-digits.html").as_uri() if opened else None)


def test_without_a_terminal_nothing_is_opened(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", f"sh -c 'echo %s > {place}/opened'")
    assert ablate("data", "digits", cwd=place).returncode == 0
    assert not (place / "opened").exists()


@pytest.mark.skipif(not os.environ.get("ABLATE_DATA"), reason="ABLATE_DATA does not name a folder with CIFAR-10")
def test_of_the_real_cifar_10(tmp_path: Path) -> None:
    """The known means and deviations; a JPEG copy is a little off. The duplicates are those of a part: it is quick."""
    train = cifar10.build(Path(os.environ["ABLATE_DATA"])).train
    means, deviations = channel_statistics(train)
    assert means == pytest.approx([0.4914, 0.4822, 0.4465], abs=2e-3)
    assert deviations == pytest.approx([0.2470, 0.2435, 0.2616], abs=3e-3)
    values = [train.images[:, channel].astype(np.float64) / 255 for channel in range(3)]
    assert means == pytest.approx([each.mean() for each in values], abs=1e-9)
    assert deviations == pytest.approx([each.std() for each in values], abs=1e-9)
    sizes = ("--set", "train_size=10000", "--set", "test_size=2000")
    done = ablate("data", "cifar10", *sizes, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["train"] for one in found["classes"]] == [1000] * 10
    assert [one["pairs"] for one in found["equal"]] == [0, 0, 0]
    across = found["near"][2]
    assert 5 <= across["images"] <= 30
    assert across["other_class"] == 0
    assert (tmp_path / "data-cifar10.html").stat().st_size < 12e6
