"""What the index says is what the files say, whatever happened to either."""

import shutil
from pathlib import Path

import pytest
from made_runs import Planted, made_run

from ablation import outcome_index
from ablation.errors import DamagedFileError
from ablation.run_folder import RunFolder
from ablation.study import Study
from ablation.trial import Outcome
from ablation.trial_files import write_outcome


@pytest.fixture
def folder(tmp_path: Path, small_study: Study) -> RunFolder:
    """Six trials, one of them diverged, one failed, one without an outcome; all that have one stand in the index."""
    planted = Planted(
        {}, statuses={("baseline", 0): "diverged", ("baseline", 1): "failed", ("flip=flipped", 1): "missing"}
    )
    made = made_run(tmp_path / "run", small_study, planted)
    made.statuses(remember=True)
    return made


def by_files(folder: RunFolder) -> dict[str, str | None]:
    return {each.trial.id: each.outcome.status if each.outcome else None for each in folder.records()}


def complete(folder: RunFolder) -> str:
    return next(trial for trial, status in folder.statuses().items() if status == "complete")


def test_it_says_what_the_files_say(folder: RunFolder) -> None:
    assert sorted(map(str, folder.statuses().values())) == ["None", *["complete"] * 3, "diverged", "failed"]
    assert folder.statuses() == by_files(folder)


def test_files_that_it_vouches_for_are_not_opened(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(RunFolder, "record", lambda self, trial: opened.append(trial))
    folder.statuses()
    assert len(opened) == 1  # that of the trial without an outcome


def test_an_outcome_that_was_changed_is_read_anew(folder: RunFolder) -> None:
    trial = complete(folder)
    write_outcome(folder.trial_folder(trial), Outcome(status="failed", reason="by hand"))
    assert folder.statuses()[trial] == "failed"
    assert folder.statuses() == by_files(folder)


def test_a_trial_that_was_queued_again_has_no_outcome(folder: RunFolder) -> None:
    trial = complete(folder)
    folder.queue_again(trial)
    assert folder.statuses()[trial] is None


def test_a_damaged_outcome_is_not_passed_over(folder: RunFolder) -> None:
    (folder.trial_folder(complete(folder)) / "outcome.json").write_text("{")
    with pytest.raises(DamagedFileError):
        folder.statuses()


@pytest.mark.parametrize("torn", ["", "[", '["a"]\n', "null\n", '{"a": 1}\n', "\xff\n", '["x", "complete", null]\n'])
def test_lines_that_are_torn_or_missing_cost_a_look_at_the_files(folder: RunFolder, torn: str) -> None:
    index = folder.path / "outcomes.jsonl"
    index.write_text(torn + "\n".join(index.read_text().splitlines()[:2]), encoding="latin-1")
    assert folder.statuses() == by_files(folder)
    folder.statuses(remember=True)
    assert folder.statuses() == by_files(folder)


def test_only_the_driver_writes_it(folder: RunFolder) -> None:
    (folder.path / "outcomes.jsonl").unlink()
    folder.statuses()
    assert not (folder.path / "outcomes.jsonl").exists()
    folder.statuses(remember=True)
    assert len(outcome_index.read(folder.path / "outcomes.jsonl")) == 5


def test_a_copy_of_the_folder_is_counted_too(folder: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(folder.path, tmp_path / "copy", copy_function=shutil.copy)
    assert RunFolder(tmp_path / "copy").statuses() == by_files(folder)
