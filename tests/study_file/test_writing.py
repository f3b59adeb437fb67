"""A study that is written is read back as it was."""

from pathlib import Path

import pytest
from small_studies import SEARCH, SMALL, StudyWriter, load
from source_tree import ROOT

from ablation.study import LevelsFactor, Study
from ablation.study_file.writing import text_of

STUDIES = sorted((ROOT / "studies").glob("*.yaml"))


def read_back(study: Study, tmp_path: Path) -> None:
    written = tmp_path / "again" / f"{study.name}.yaml"
    written.parent.mkdir(exist_ok=True)
    written.write_text(text_of(study), "utf-8")
    assert load(written) == study
    assert text_of(load(written)) == written.read_text("utf-8")


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_the_shipped_studies_come_back(path: Path, tmp_path: Path) -> None:
    read_back(load(path), tmp_path)


@pytest.mark.parametrize(
    "name", ["off", "1e-3", "012", "~", "a: b", "- x", "#1", "ü é", "'", '"', "{}", "levels", "when"]
)
def test_names_that_yaml_would_take_for_something_else_come_back(
    write_study: StudyWriter, tmp_path: Path, name: str
) -> None:
    study = load(write_study())
    crop = LevelsFactor(levels={name: {}, "other": {"augmentations.crop": {"padding": 2}}})
    factors = {name: crop, "flip": study.factors["flip"].model_copy(update={"when": {name: [name, "other"]}})}
    read_back(study.model_copy(update={"question": name, "factors": factors}), tmp_path)


@pytest.mark.parametrize("seeds", ["3", "{start: 3, max: 9, until: decided}"])
def test_seeds_searches_and_conditions_come_back(write_study: StudyWriter, tmp_path: Path, seeds: str) -> None:
    read_back(load(write_study(SEARCH, "search.yaml")), tmp_path)
    read_back(load(write_study(SMALL.replace("seeds: 2", f"seeds: {seeds}"))), tmp_path)
