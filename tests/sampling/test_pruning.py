"""Pruners decide by the run folder alone: killed at any moment, its index lost, a search comes out the same."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import optuna
import pytest
from small_studies import SEARCH, StudyWriter, load

from ablation.addresses import sqlite_uri
from ablation.run_folder import RunFolder
from ablation.sampling import Sampling, open_sampling
from ablation.sampling.pruning import most_epochs
from ablation.study import LevelsFactor, RangeFactor, Search, Study
from ablation.trial import Epoch, Outcome, Scores, Trial
from ablation.trial_files import append_epoch, write_epochs, write_outcome

PRUNERS = ("median", "successive-halving", "hyperband")
EPOCHS = 5


@pytest.fixture
def search(write_study: StudyWriter) -> Callable[..., Study]:
    """A search by this pruner."""

    def of(pruner: str, trials: int = 10, sampler: str = "tpe", text: str = SEARCH) -> Study:
        study = load(write_study(text.replace("epochs: 3", f"epochs: {EPOCHS}"), "search.yaml"))
        design = Search.model_validate({"trials": trials, "sampler": sampler, "pruner": pruner})
        return study.model_copy(update={"design": design})

    return of


class KilledError(Exception):
    """The driver's end."""


@dataclass
class Kill:
    """Ends the driver in one trial, before or after an epoch is answered; the next finds `kept` epochs saved."""

    trial: str
    epoch: int
    answered: bool
    kept: int

    def strike(self, trial: Trial, epoch: int, answered: bool) -> None:
        if (trial.id, epoch, answered) == (self.trial, self.epoch, self.answered):
            raise KilledError


NEVER = Kill("", 0, False, 0)


def epoch_of(trial: Trial, number: int) -> Epoch:
    """A curve that rises to what the arm and the seed block are worth."""
    rate = trial.arm.settings.recipe.learning_rate
    reached = (0.9 - abs(rate - 0.1) - 0.01 * trial.block) * (1 - 0.5**number)
    scores = Scores(loss=1 - reached, accuracy=max(reached, 0.0))
    return Epoch(epoch=number, train=scores, validation=scores, learning_rate=0.1, seconds=1.0, images_per_second=1.0)


def train(folder: RunFolder, sampling: Sampling, trial: Trial, kill: Kill) -> Outcome:
    """What a worker and the driver do of a trial, from the checkpoint that an earlier attempt left."""
    record, place = folder.record(trial.id), folder.open_trial(trial)
    begun = [] if record is None else [epoch for epoch in record.epochs if epoch.epoch <= kill.kept]
    write_epochs(place, begun)
    ended = "prune" if begun and sampling.report(trial, begun[-1]) == "prune" else "proceed"
    for number in range(len(begun) + 1, EPOCHS + 1) if ended == "proceed" else ():
        append_epoch(place, epoch_of(trial, number))
        kill.strike(trial, number, answered=False)
        ended = sampling.report(trial, epoch_of(trial, number))
        kill.strike(trial, number, answered=True)
        if ended == "prune":
            break
    record = folder.record(trial.id)
    assert record is not None
    return Outcome(status="pruned" if ended == "prune" else "complete", validation=record.epochs[-1].validation)


def drive(study: Study, folder: RunFolder, kill: Kill = NEVER) -> None:
    folder.path.mkdir(exist_ok=True)
    sampling = open_sampling(study, folder)
    while (trial := sampling.ask()) is not None:
        outcome = train(folder, sampling, trial, kill)
        write_outcome(folder.trial_folder(trial.id), outcome)
        sampling.tell(trial, outcome)


def ends(folder: RunFolder) -> dict[str, tuple[object, ...]]:
    """What was drawn, and how each trial ended after how many epochs."""
    return {
        record.trial.id: (record.trial.arm.levels, record.outcome and record.outcome.status, len(record.epochs))
        for record in folder.records()
    }


def index_of(folder: RunFolder, study: Study) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=study.folder_name, storage=sqlite_uri(folder.path / "study.db")).trials


@pytest.mark.parametrize("pruner", PRUNERS)
def test_each_pruner_ends_some_trials_and_never_at_their_last_epoch(search, tmp_path: Path, pruner: str) -> None:
    study, folder = search(pruner), RunFolder(tmp_path / "run")
    drive(study, folder)
    pruned = [epochs for _, status, epochs in ends(folder).values() if status == "pruned"]
    assert pruned
    assert max(pruned) < EPOCHS
    stored = index_of(folder, study)
    assert [trial.state.name for trial in stored].count("PRUNED") == len(pruned)
    for trial, (_, status, epochs) in zip(stored, ends(folder).values(), strict=True):
        assert len(trial.intermediate_values) == (epochs if status == "pruned" else 0)


@pytest.mark.parametrize(
    ("pruner", "index_is_lost"), [("median", False), ("successive-halving", True), ("hyperband", False)]
)
def test_killed_around_any_answer_a_search_comes_out_as_an_unbroken_one(
    search, tmp_path: Path, pruner: str, index_is_lost: bool
) -> None:
    study, whole, broken = search(pruner), RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    drive(study, whole)
    expected = ends(whole)
    last_pruned = max(trial for trial, (_, status, _) in expected.items() if status == "pruned")
    at = int(str(expected[last_pruned][2]))
    for kill in (Kill("00002", 1, False, 0), Kill(last_pruned, at, False, 1), Kill(last_pruned, at, True, at - 1)):
        with pytest.raises(KilledError):
            drive(study, broken, kill)
        if index_is_lost:
            (broken.path / "study.db").unlink()
    drive(study, broken, Kill("", 0, False, kept=at))
    assert ends(broken) == expected
    seen = [[(t.params, t.value, t.intermediate_values) for t in index_of(f, study)] for f in (whole, broken)]
    assert seen[0] == seen[1]


def test_epochs_that_come_again_in_one_driver_are_answered_as_before(search, tmp_path: Path) -> None:
    """An accident: the worker died after its answer, and the trial goes on from an earlier checkpoint."""
    study, folder = search("successive-halving", trials=4, sampler="random"), RunFolder(tmp_path / "run")
    folder.path.mkdir()
    sampling = open_sampling(study, folder)
    while (trial := sampling.ask()) is not None:
        folder.open_trial(trial)
        answers = []
        for number in range(1, EPOCHS + 1):
            answers.append(sampling.report(trial, epoch_of(trial, number)))
            if answers[-1] == "prune":
                break
        again = [sampling.report(trial, epoch_of(trial, number)) for number in range(1, len(answers) + 1)]
        assert again == answers
        write_epochs(folder.trial_folder(trial.id), [epoch_of(trial, n) for n in range(1, len(answers) + 1)])
        outcome = Outcome(status="pruned" if "prune" in answers else "complete", validation=Scores(loss=1, accuracy=0))
        write_outcome(folder.trial_folder(trial.id), outcome)
        sampling.tell(trial, outcome)
    assert "pruned" in {status for _, status, _ in ends(folder).values()}


def test_trials_side_by_side_are_pruned_against_each_other(search, tmp_path: Path) -> None:
    study, folder = search("successive-halving", trials=4, sampler="random"), RunFolder(tmp_path / "run")
    folder.path.mkdir()
    sampling = open_sampling(study, folder)
    trials = [sampling.ask() for _ in range(4)]
    ranked = sorted((trial for trial in trials if trial), key=lambda trial: -epoch_of(trial, 1).validation.accuracy)
    assert [sampling.report(trial, epoch_of(trial, 1)) for trial in ranked] == ["proceed", "prune", "prune", "prune"]


def test_a_repeated_arm_has_the_epochs_of_the_first(search, tmp_path: Path) -> None:
    study = search("successive-halving", trials=14, sampler="random")
    factors = {name: factor for name, factor in study.factors.items() if name != "rate"}
    study, folder = study.model_copy(update={"factors": factors}), RunFolder(tmp_path / "run")
    drive(study, folder)
    records = folder.records()
    copies = [record for record in records if record.outcome and "not trained again" in record.outcome.reason]
    assert "pruned" in {record.outcome.status for record in copies if record.outcome}
    assert all(record.epochs for record in copies)


def test_a_trial_whose_folder_was_taken_away_is_drawn_again_under_its_number(search, tmp_path: Path) -> None:
    study, folder = search("median", trials=6), RunFolder(tmp_path / "run")
    drive(study, folder)
    before = ends(folder)
    folder.trial_folder("00003").rename(tmp_path / "away")
    drive(study, folder)
    assert sorted(ends(folder)) == sorted(before)
    assert {name: end for name, end in ends(folder).items() if name != "00003"} == {
        name: end for name, end in before.items() if name != "00003"
    }


def test_the_most_epochs_count_levels_and_ranges(search) -> None:
    study = search("hyperband")
    longer = LevelsFactor(levels={"short": {}, "long": {"recipe.epochs": 30}}, when={"crop": "shifted"})
    drawn = RangeFactor(sets="recipe.epochs", range=[2, 40], integer=True)
    assert most_epochs(study) == EPOCHS
    assert most_epochs(study.model_copy(update={"factors": {**study.factors, "length": longer}})) == 30
    assert most_epochs(study.model_copy(update={"factors": {**study.factors, "length": drawn}})) == 40
