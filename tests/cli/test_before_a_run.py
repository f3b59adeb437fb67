"""What is found out before a study is begun: nothing is left of a study whose data or components cannot be used."""

from pathlib import Path

import pytest
from commands import ablate
from small_studies import SMALL, StudyWriter

from ablation.run_folder import RunFolder

BAD = SMALL.replace("{augmentations.flip: {}}", "{model: {name: vgg, depth: 11}}").replace(
    "learning_rate: 0.05", "optimizer: {name: sgd, momentum: 0.0, nesterov: true}"
)


def test_components_that_cannot_be_used_are_told_with_their_places_and_nothing_is_begun(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    write_study(BAD)
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 2, done.stderr
    assert [line.removeprefix("error: ").partition(": ")[0] for line in done.stderr.splitlines()] == [
        "small.yaml:5:55",
        "small.yaml:8:44",
    ]
    assert "optimizer sgd: nesterov needs a momentum above 0" in done.stderr
    assert not RunFolder(tmp_path / "runs/small").begun()
    write_study()
    assert ablate("run", "small.yaml", "--no-tracking", "--max-hours", "0", cwd=tmp_path).returncode == 7


def test_an_arm_that_is_added_later_is_tried_before_it_is_planned(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study()
    assert ablate("run", "small.yaml", "--no-tracking", "--max-hours", "0", cwd=tmp_path).returncode == 7
    write_study(SMALL.replace("{augmentations.flip: {}}", "{augmentations.flip: {}}, deep: {model: vgg}"))
    done = ablate("run", "small.yaml", "--no-tracking", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: small.yaml:8:69: model vgg (depth 16) needs images of at least 32 x 32")
    assert "flip" in RunFolder(tmp_path / "runs/small").beginning().study.factors
    assert not (tmp_path / "runs/small/study-2.json").exists()


def test_what_changes_nothing_is_a_warning_and_runs(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study(SMALL.replace("{augmentations.flip: {}}", "{augmentations.flip: {probability: 0.0}}"))
    done = ablate("run", "small.yaml", "--no-tracking", "--max-hours", "0", cwd=tmp_path)
    assert done.returncode == 7
    assert "warning: small.yaml:8:30: flip changed none of the first 64 images" in done.stderr


@pytest.mark.parametrize("trial", [[], ["--trial", "baseline"]])
def test_data_that_are_not_there_leave_nothing_begun(
    write_study: StudyWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trial: list[str]
) -> None:
    monkeypatch.setenv("ABLATE_OFFLINE", "1")
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path / "cache"))
    write_study(SMALL.replace("name: synthetic, train_size: 96, test_size: 96, num_classes: 3", "name: cifar10"))
    done = ablate("run", "small.yaml", "--no-tracking", "--data-dir", str(tmp_path / "empty"), *trial, cwd=tmp_path)
    assert done.returncode == 5, done.stderr
    assert not RunFolder(tmp_path / "runs/small").begun()


@pytest.mark.parametrize("command", [["plan"], ["run", "--no-tracking"]])
@pytest.mark.parametrize(("margin", "place"), [("margin: 0.001", "11:9"), ("", "1:1")])
def test_a_margin_below_one_image_has_its_place(
    write_study: StudyWriter, tmp_path: Path, command: list[str], margin: str, place: str
) -> None:
    write_study(SMALL.replace("margin: 0.05", margin))
    done = ablate(*command, "small.yaml", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: small.yaml:{place}: margin 0.00")
    assert "less than one of the 96 test images" in done.stderr
    assert not RunFolder(tmp_path / "runs/small").begun()


def test_an_override_that_cannot_be_used_is_named(write_study: StudyWriter, tmp_path: Path) -> None:
    write_study()
    done = ablate("run", "small.yaml", "--no-tracking", "--set", "model=vgg", cwd=tmp_path)
    assert done.stderr.startswith("error: --set model=vgg: model vgg (depth 16) needs images")
