"""The pictures of a report are the test images that the trials saw, or there is a sentence that says why not."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_runs import Planted, made_run
from PIL import Image
from small_studies import SMALL, StudyWriter, load

from ablation import components, designs
from ablation.loading import load as read_back
from ablation.report.about_data import section
from ablation.run_folder import Beginning, RunFolder
from ablation.seen_images import examples_of, facts_of
from ablation.settings import Part
from ablation.splits import LabelledImages, Splits
from ablation.trial import Answer, Assignment, Epoch, Outcome
from ablation.worker import run_trial


class Unheard:
    def report(self, epoch: Epoch) -> Answer:
        return "proceed"

    def stopping(self) -> bool:
        return False

    def side_by_side(self) -> int:
        return 1


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of real trials, a seed block of each arm."""
    place = tmp_path_factory.mktemp("trained")
    (place / "small.yaml").write_text(SMALL.replace("seeds: 2", "seeds: 1"))
    study = load(place / "small.yaml")
    folder = RunFolder(place / "small")
    folder.begin(Beginning(study=study, digest=study.digest(), scale_reason="", started="", source="small.yaml"), "")
    for trial in designs.planned_trials(study):
        given = Assignment(trial=trial, folder=folder.open_trial(trial), data_root=place)
        assert isinstance(run_trial(given, Unheard()), Outcome)
    return folder.path


def decoded(address: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))))


def test_pictures_are_the_test_images_of_these_numbers(trained: Path) -> None:
    results = read_back(trained)
    seen = results.page.pictures
    assert seen is not None
    splits = components.open_data(load(trained.parent / "small.yaml").baseline.dataset, trained)
    assert seen.images
    for number, address in seen.images.items():
        image = splits.test.images[number]
        expected = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
        np.testing.assert_array_equal(decoded(address), expected)


def test_the_page_holds_them_with_words_for_those_who_do_not_see_them(trained: Path, tmp_path: Path) -> None:
    results = read_back(trained)
    seen = results.page.pictures
    assert seen is not None
    html = results.report(tmp_path / "page.html").read_text("utf-8")
    section = html.split('<section id="pictures"')[1].split("</section>")[0]
    shown = len(seen.gallery.apart) + len(seen.gallery.both_wrong)
    assert len(re.findall(r'<img src="data:image/png;base64,[^"]+" alt="test image \d+"', section)) == shown
    assert section.count('<span class="unseen">baseline: </span>') == shown
    assert f"{seen.gallery.num_both_wrong} image" in section


def test_other_images_than_the_trials_saw_are_not_shown(tmp_path: Path, write_study: StudyWriter) -> None:
    run = made_run(tmp_path / "small", load(write_study()), Planted({"crop=shifted": 0.9}))
    page = read_back(run.path).page
    assert page.pictures is None
    assert page.no_pictures == "The images of synthetic at hand are not those of the trials."


def test_images_that_are_not_at_hand_are_asked_for(
    tmp_path: Path, write_study: StudyWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABLATE_DATA", str(tmp_path / "nothing"))
    dataset = "dataset: {name: synthetic, train_size: 96, test_size: 96, num_classes: 3}"
    study = load(write_study(SMALL.replace(dataset, "dataset: cifar10")))
    page = read_back(made_run(tmp_path / "small", study, Planted({"crop=shifted": 0.9})).path).page
    assert page.no_pictures.startswith("The images of cifar10 are not at hand: find it by --data-dir or ABLATE_DATA")


def test_the_data_set_is_told_in_short(trained: Path, tmp_path: Path) -> None:
    results = read_back(trained)
    html = results.report(tmp_path / "page.html").read_text("utf-8")
    section = html.split('<section id="data"')[1].split("</section>")[0]
    assert "synthetic: 96 training images, of which each seed block holds out 10% of each class" in section
    assert "Each class has 32 training images." in section
    data = results.page.data
    assert data is not None
    splits = components.open_data(load(trained.parent / "small.yaml").baseline.dataset, trained)
    for at, address in enumerate(data.examples):
        first = splits.train.images[np.flatnonzero(splits.train.labels == at)[0]]
        np.testing.assert_array_equal(decoded(address), first[0] if len(first) == 1 else first.transpose(1, 2, 0))


def test_a_class_without_training_images_has_no_picture() -> None:
    images = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    part = LabelledImages(images, np.array([0, 2]))
    splits = Splits(part, part, ("a", "b", "c"), "f00d")
    data = replace(facts_of(Part(name="made"), splits), examples=examples_of(splits))
    shown = section(data, "").pictures[0].items
    assert [one.true for one in shown] == ["a", "c"]
    np.testing.assert_array_equal(decoded(shown[1].address), images[1].transpose(1, 2, 0))
