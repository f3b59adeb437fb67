"""Each component is tried once on a few images, and what no trial could use is told with the arm that has it."""

from pathlib import Path

import numpy as np
import pytest
from small_studies import SEARCH, SMALL, load

from ablation import designs, rehearsal
from ablation.rehearsal import Remark, Sample, new_parts, rehearse
from ablation.study import Study

FLIP = "{augmentations.flip: {}}"
COLOURS = SMALL.replace("num_classes: 3", "num_classes: 3, channels: 3")


def study_of(folder: Path, text: str) -> Study:
    path = folder / "small.yaml"
    path.write_text(text)
    return load(path)


def tried(study: Study) -> tuple[Remark, ...]:
    choices = study.baseline.dataset.choices
    shape = (64, choices["channels"], choices["image_size"], choices["image_size"])
    sample = Sample(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8), np.arange(64) % 3, 3)
    arms = designs.first_arms(study)
    return rehearse(new_parts(arms), {arm.settings.dataset.model_dump_json(): sample for arm in arms}, "cpu", 1)


@pytest.mark.parametrize(
    ("before", "after", "path", "says"),
    [
        ("normalize: {}", "normalize: {statistics: given}", ("preprocessing", "normalize"), "needs both mean and std"),
        (FLIP, "{preprocessing.normalize: {statistics: given, mean: [0.5, 0.5], std: [0.5, 0.5]}}",
         ("preprocessing", "normalize"), "the images have 1, mean has 2"),
        (FLIP, "{recipe.schedule: {name: step, milestones: [0.5, 0.2]}}", ("recipe", "schedule"), "must rise"),
        (FLIP, "{recipe.optimizer: {name: sgd, momentum: 0.0, nesterov: true}}", ("recipe", "optimizer"), "nesterov"),
        (FLIP, "{model: {name: vgg, depth: 11}}", ("model",), "needs images of at least 32 x 32"),
        ("{padding: 2}", "{padding: 100, padding_mode: reflect}", ("augmentations", "crop"),
         "no reflection of 100 pixels"),
    ],
)  # fmt: skip
def test_what_no_trial_could_use_is_told(before: str, after: str, path: tuple[str, ...], says: str, tmp_path) -> None:
    (remark,) = tried(study_of(tmp_path, SMALL.replace(before, after)))
    assert remark.refuses
    assert remark.path == path
    assert says in remark.message
    assert remark.levels["flip"] == ("flipped" if before == FLIP else "none")


@pytest.mark.parametrize("text", [SMALL, COLOURS, SEARCH])
def test_what_can_be_used_is_not_remarked_on(text: str, tmp_path: Path) -> None:
    assert tried(study_of(tmp_path, text)) == ()


def test_a_search_is_tried_at_each_level_and_at_the_bounds_of_its_ranges(tmp_path: Path) -> None:
    ranged = SEARCH.replace("flip: {none: {}, flipped: {augmentations.flip: {}}}",
                            "pad: {sets: augmentations.crop.padding, range: [0, 30], integer: true}")  # fmt: skip
    text = ranged.replace(
        "crop: {none: {}, shifted: {augmentations.crop: {padding: 2}}}", "net: {a: {}, b: {model: vgg}}"
    )
    text = text.replace("recipe:", "augmentations: {crop: {padding_mode: reflect}}\nrecipe:")
    refused = [remark for remark in tried(study_of(tmp_path, text)) if remark.refuses]
    assert [(remark.path, remark.levels.get("pad"), remark.levels["net"]) for remark in refused] == [
        (("model",), 4, "b"),
        (("augmentations", "crop"), 30, "a"),
    ]


def test_an_augmentation_that_changes_nothing_is_a_warning(tmp_path: Path) -> None:
    (remark,) = tried(study_of(tmp_path, SMALL.replace(FLIP, "{augmentations.flip: {probability: 0.0}}")))
    assert not remark.refuses
    assert remark.message == "flip changed none of the first 64 images: so it may not matter."


def test_what_another_library_raises_is_told_with_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_model(kind: str, name: str):
        if kind == "model":
            raise KeyError("mine")
        return loaded(kind, name)

    loaded = rehearsal.components.load
    monkeypatch.setattr(rehearsal.components, "load", load_model)
    (remark,) = tried(study_of(tmp_path, SMALL))
    assert remark.message.startswith("the model small fails on the first images: KeyError: 'mine' (")
    assert "test_rehearsal.py:" in remark.message


def test_memory_that_runs_out_is_left_to_the_trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(rehearsal.components, "load", refuse)
    assert tried(study_of(tmp_path, SMALL)) == ()


def test_each_component_is_built_once_however_many_arms_have_it(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = ", ".join(f"e{number}: {{recipe.epochs: {number}}}" for number in range(4, 104))
    study = study_of(
        tmp_path, SMALL.replace("one-factor", "factorial").replace("factors:", f"factors:\n  e: {{{levels}}}")
    )
    calls: list[tuple[str, str]] = []
    loaded = rehearsal.components.load
    monkeypatch.setattr(
        rehearsal.components, "load", lambda kind, name: (calls.append((kind, name)), loaded(kind, name))[1]
    )
    assert len(designs.arms(study)) == 400
    assert len(new_parts(designs.arms(study))) == 3
    assert tried(study) == ()
    assert sorted(calls) == sorted(set(calls))
