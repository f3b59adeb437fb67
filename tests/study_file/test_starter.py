"""`ablate init` writes a study that runs offline, and never over one that is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ablation import designs, study_file
from ablation.errors import InputError
from ablation.study_file.schema import FILE_NAME, schema
from ablation.study_file.starter import init


def test_what_is_written_is_a_study_with_its_schema(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "mine.yaml"
    assert init(path, force=False) == (path, path.with_name(FILE_NAME))
    assert json.loads(path.with_name(FILE_NAME).read_text()) == schema()
    assert "mine.yaml --scale smoke" in path.read_text()
    for scale in ("full", "smoke"):
        study = study_file.load(path, scale, (), lambda: False)
        assert study.baseline.dataset.name == "digits"
        assert len(designs.arms(study)) == 3


def test_a_study_is_never_overwritten_without_force(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"mine\.yaml would be overwritten"):
        init(path, force=False)
    assert path.read_text() == "mine"
    assert not path.with_name(FILE_NAME).exists()
    init(path, force=True)
    assert path.read_text().startswith("# yaml-language-server")


def test_a_second_study_beside_the_first_shares_its_schema(tmp_path: Path) -> None:
    init(tmp_path / "one.yaml", force=False)
    init(tmp_path / "two.yaml", force=False)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["one.yaml", FILE_NAME, "two.yaml"]


def test_another_schema_is_not_overwritten_either(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{}")
    with pytest.raises(InputError, match=r"study\.schema\.json would be overwritten"):
        init(tmp_path / "mine.yaml", force=False)
    assert not (tmp_path / "mine.yaml").exists()


@pytest.mark.parametrize("name", ["my study.yaml", "study.txt", "study", ".yaml"])
def test_a_name_that_no_study_can_have_is_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"give the study a name such as study\.yaml"):
        init(tmp_path / name, force=False)
    assert list(tmp_path.iterdir()) == []
