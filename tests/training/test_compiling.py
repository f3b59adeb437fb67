"""What is compiled and when, on the CPU, where the same code runs. Whether it pays on CUDA only CUDA can show."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from small_studies import SMALL, StudyWriter, load

from ablation import designs
from ablation.run_folder import RunFolder
from ablation.training.compiling import Compilation
from ablation.trial import Answer, Assignment, Epoch, Outcome
from ablation.worker import run_trial

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="torch compiles with g++; this machine has none")


class Unheard:
    def report(self, epoch: Epoch) -> Answer:
        return "proceed"

    def stopping(self) -> bool:
        return False

    def side_by_side(self) -> int:
        return 1


def trained(study: Path, runs: Path, compilations: Path | None) -> Outcome:
    trial, run = designs.planned_trials(load(study))[0], RunFolder(runs)
    given = Assignment(trial=trial, folder=run.open_trial(trial), data_root=runs, compilations=compilations)
    outcome = run_trial(given, Unheard())
    assert isinstance(outcome, Outcome), outcome
    return outcome


def decision_in(folder: Path) -> Path:
    (file,) = folder.glob("*.json")
    return file


@pytest.mark.parametrize(
    ("steps", "compiling", "compiled", "reason", "pays"),
    [
        (1000, 40.0, 0.05, "", True),
        (100, 40.0, 0.05, "", False),  # 5 s saved
        (1000, 40.0, 0.2, "", False),
        (1000, 0.0, 0.05, "no compiler", False),
    ],
    ids=["a long trial", "a short one", "slower steps", "none to be had"],
)
def test_compiling_pays_where_the_trial_that_compiles_ends_earlier(
    steps: int, compiling: float, compiled: float, reason: str, pays: bool
) -> None:
    found = Compilation(steps=steps, compiling=compiling, eager=0.1, compiled=compiled, reason=reason)
    assert found.pays is pays


def test_it_is_measured_once_and_a_trial_goes_the_way_that_was_found(write_study: StudyWriter, tmp_path: Path) -> None:
    study, kept = write_study(), tmp_path / "compiled"
    alone = trained(study, tmp_path / "alone", None)
    first = trained(study, tmp_path / "first", kept)
    file = decision_in(kept)
    found = Compilation.model_validate_json(file.read_bytes())
    assert not found.reason
    assert min(found.compiling, found.eager, found.compiled) > 0
    assert found.compiling > found.eager * found.steps  # a trial of a second never pays
    assert first.test == alone.test  # to the last bit: measuring moved neither weights nor draws
    assert first.stamp is not None
    assert first.stamp.compiled is False

    file.write_text(found.model_copy(update={"eager": 1e6}).model_dump_json(), encoding="utf-8")
    said = file.read_bytes()
    second, third = (trained(study, tmp_path / name, kept) for name in ("second", "third"))
    assert file.read_bytes() == said
    assert second.stamp is not None
    assert second.stamp.compiled is True
    assert second.test == third.test
    assert second.test is not None
    assert alone.test is not None
    assert second.test.loss == pytest.approx(alone.test.loss, rel=1e-3)
    assert any((kept / "cache").rglob("*.cpp"))


def test_where_nothing_can_be_compiled_trials_run_as_they_are(
    write_study: StudyWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(model: object, **choices: object) -> None:
        raise RuntimeError("no compiler is here")

    study, kept = write_study(), tmp_path / "compiled"
    alone = trained(study, tmp_path / "alone", None)
    monkeypatch.setattr(torch, "compile", refuse)
    assert trained(study, tmp_path / "tried", kept).test == alone.test
    found = Compilation.model_validate_json(decision_in(kept).read_bytes())
    assert found.reason == "RuntimeError: no compiler is here"


def test_a_trial_without_a_whole_batch_is_not_measured(write_study: StudyWriter, tmp_path: Path) -> None:
    kept = tmp_path / "compiled"
    trained(write_study(SMALL.replace("batch_size: 32", "batch_size: 4096")), tmp_path, kept)
    assert not kept.exists()
