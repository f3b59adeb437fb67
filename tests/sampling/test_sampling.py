"""Trials in the order of the design, with the real Optuna on SQLite as their index."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from small_studies import SMALL, StudyWriter, load

from ablation import designs
from ablation.addresses import sqlite_uri
from ablation.errors import InputError, PausedError
from ablation.run_folder import Beginning, RunFolder
from ablation.sampling import Sampling, open_sampling
from ablation.sampling.pausing import PausingSampling
from ablation.study import Change, Search, Study
from ablation.trial import Outcome, Scores, Trial
from ablation.trial_files import write_outcome


def outcome(trial: Trial, status: str = "complete") -> Outcome:
    """A score that depends on the trial alone."""
    if status == "failed":
        return Outcome(status="failed", reason="made to")
    rate = trial.arm.settings.recipe.learning_rate
    scores = Scores(loss=1 + rate, accuracy=0.9 - abs(rate - 0.1) / 2 - 0.01 * trial.block)
    return Outcome.model_validate({"status": status, "validation": scores, "test": scores})


def close(folder: RunFolder, sampling: Sampling, trial: Trial, status: str = "complete") -> None:
    write_outcome(folder.open_trial(trial), outcome(trial, status))
    sampling.tell(trial, outcome(trial, status))


def run_all(study: Study, folder: RunFolder) -> Iterator[Trial]:
    sampling = open_sampling(study, folder)
    while (trial := sampling.ask()) is not None:
        yield trial
        close(folder, sampling, trial)


def index_of(folder: RunFolder, study: Study) -> list[optuna.trial.FrozenTrial]:
    return optuna.load_study(study_name=study.folder_name, storage=sqlite_uri(folder.path / "study.db")).trials


def test_a_plan_is_run_once_and_stands_in_optuna(small_study: Study, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "50 % ü#?")
    folder.path.mkdir()
    trials = list(run_all(small_study, folder))
    assert len({trial.id for trial in trials}) == 6
    assert sorted((trial.arm.name, trial.block) for trial in trials) == [
        (name, block) for name in ("baseline", "crop=shifted", "flip=flipped") for block in (0, 1)
    ]
    assert list(run_all(small_study, folder)) == []
    stored = index_of(folder, small_study)
    named = optuna.load_study(study_name="small", storage=sqlite_uri(folder.path / "study.db"))
    assert named.metric_names == ["test accuracy"]
    assert [trial.state.name for trial in stored] == ["COMPLETE"] * 6
    for trial, seen in zip(trials, stored, strict=True):
        assert seen.params == trial.arm.levels
        assert seen.number == trial.number
        assert seen.user_attrs == {"trial": trial.id, "arm": trial.arm.name, "seed block": trial.block}
        assert seen.value == pytest.approx(0.9 - abs(0.05 - 0.1) / 2 - 0.01 * trial.block)


def test_a_trial_that_diverged_or_failed_says_so_in_optuna_also_when_the_index_was_lost(
    small_study: Study, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    sampling = open_sampling(small_study, folder)
    for status in ("diverged", "failed"):
        trial = sampling.ask()
        assert trial is not None
        close(folder, sampling, trial, status)
    for _ in range(2):
        told = [{"status": None, "reason": None} | seen.user_attrs for seen in index_of(folder, small_study)]
        assert [(attrs["status"], attrs["reason"]) for attrs in told] == [("diverged", None), (None, "made to")]
        (tmp_path / "study.db").unlink()
        open_sampling(small_study, folder)


def test_a_trial_without_an_outcome_comes_again_under_its_number(small_study: Study, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    sampling = open_sampling(small_study, folder)
    first, second = sampling.ask(), sampling.ask()
    assert first is not None
    assert second is not None
    folder.open_trial(first)
    close(folder, sampling, second)  # the first one's driver is killed here
    again = open_sampling(small_study, folder).ask()
    assert again == first
    list(run_all(small_study, folder))
    assert [trial.state.name for trial in index_of(folder, small_study)] == ["COMPLETE"] * 6


def test_an_outcome_that_optuna_never_heard_of_is_told(small_study: Study, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    trial = open_sampling(small_study, folder).ask()
    assert trial is not None
    write_outcome(folder.open_trial(trial), outcome(trial))  # killed between outcome and tell
    assert len(list(run_all(small_study, folder))) == 5
    assert [seen.state.name for seen in index_of(folder, small_study)] == ["COMPLETE"] * 6


def test_a_lost_index_is_rebuilt_from_the_run_folder(small_study: Study, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    list(run_all(small_study, folder))
    before = [(seen.params, seen.value, seen.user_attrs) for seen in index_of(folder, small_study)]
    (tmp_path / "study.db").unlink()
    assert list(run_all(small_study, folder)) == []
    assert [(seen.params, seen.value, seen.user_attrs) for seen in index_of(folder, small_study)] == before


@pytest.mark.parametrize("asked", [False, True])
def test_what_a_driver_left_in_the_queue_when_it_ended_is_done_again(
    small_study: Study, tmp_path: Path, asked: bool
) -> None:
    folder = RunFolder(tmp_path)
    sampling = open_sampling(small_study, folder)
    for _ in range(2):
        trial = sampling.ask()
        assert trial is not None
        close(folder, sampling, trial)
    if asked:
        sampling.ask()  # the driver is killed before it opens the trial
    else:  # or before it takes the trial out of Optuna's queue
        third = designs.planned_trials(small_study)[2]
        index = optuna.load_study(study_name=small_study.folder_name, storage=f"sqlite:///{tmp_path / 'study.db'}")
        index.enqueue_trial(dict(third.arm.levels), user_attrs={"trial": third.id})
    assert len(index_of(folder, small_study)) == 3
    assert [trial.number for trial in run_all(small_study, folder)] == [2, 3, 4, 5]
    assert [seen.state.name for seen in index_of(folder, small_study)] == ["COMPLETE"] * 6


@pytest.mark.parametrize(("status", "state"), [("failed", "FAIL"), ("pruned", "PRUNED"), ("diverged", "COMPLETE")])
def test_each_outcome_has_its_state_in_optuna(small_study: Study, tmp_path: Path, status: str, state: str) -> None:
    folder = RunFolder(tmp_path)
    sampling = open_sampling(small_study, folder)
    trial = sampling.ask()
    assert trial is not None
    close(folder, sampling, trial, status)
    assert index_of(folder, small_study)[0].state.name == state


@pytest.mark.parametrize("index_is_lost", [False, True])
def test_a_trial_that_was_queued_again_runs_under_a_new_number(
    small_study: Study, tmp_path: Path, index_is_lost: bool
) -> None:
    folder = RunFolder(tmp_path)
    sampling = open_sampling(small_study, folder)
    failed = sampling.ask()
    assert failed is not None
    close(folder, sampling, failed, "failed")
    assert len(list(run_all(small_study, folder))) == 5
    folder.queue_again(failed.id)
    if index_is_lost:
        (tmp_path / "study.db").unlink()
    (again,) = run_all(small_study, folder)
    assert again == failed.model_copy(update={"number": again.number})
    states = [trial.state.name for trial in index_of(folder, small_study)]
    assert states == ["COMPLETE"] * 6 if index_is_lost else ["FAIL", *["COMPLETE"] * 6]
    assert list(run_all(small_study, folder)) == []
    assert len(index_of(folder, small_study)) == len(states)


@pytest.mark.parametrize("killed", ["before it is opened", "before its outcome", "before Optuna hears"])
def test_a_queued_trial_whose_driver_is_killed_keeps_its_new_number(
    small_study: Study, tmp_path: Path, killed: str
) -> None:
    folder = RunFolder(tmp_path)
    sampling = open_sampling(small_study, folder)
    failed = sampling.ask()
    assert failed is not None
    close(folder, sampling, failed, "failed")
    folder.queue_again(failed.id)
    again = open_sampling(small_study, folder).ask()
    assert again is not None
    if killed != "before it is opened":
        folder.open_trial(again)
    if killed == "before Optuna hears":
        write_outcome(folder.trial_folder(again.id), outcome(again))
    list(run_all(small_study, folder))
    assert [trial.state.name for trial in index_of(folder, small_study)] == ["FAIL", *["COMPLETE"] * 6]


@pytest.mark.parametrize("index_is_lost", [False, True])
def test_a_search_trial_that_was_queued_again_moves_no_other_draw(
    search_study: Study, tmp_path: Path, index_is_lost: bool
) -> None:
    study = search_study.model_copy(update={"design": Search(trials=4, sampler="random")})
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    for folder in (whole, broken):
        folder.path.mkdir()
    expected = {trial.id: trial.arm for trial in run_all(study, whole)}
    sampling = open_sampling(study, broken)
    for status in ("complete", "failed", "complete"):
        trial = sampling.ask()
        assert trial is not None
        close(broken, sampling, trial, status)
    broken.queue_again("00001")
    if index_is_lost:
        (broken.path / "study.db").unlink()
    ran = [trial.id for trial in run_all(study, broken)]
    assert ran == ["00001", "00003"]
    assert {record.trial.id: record.trial.arm for record in broken.records()} == expected
    assert list(run_all(study, broken)) == []
    completes = [trial for trial in index_of(broken, study) if trial.state.name == "COMPLETE"]
    assert sorted(trial.user_attrs["trial"] for trial in completes) == sorted(expected)


def test_a_search_draws_within_its_ranges_and_reads_validation(search_study: Study, tmp_path: Path) -> None:
    trials = list(run_all(search_study, RunFolder(tmp_path)))
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4]
    assert [trial.block for trial in trials] == [0, 1, 0, 1, 0]
    assert {trial.evaluate_on for trial in trials} == {"validation"}
    rates = [trial.arm.settings.recipe.learning_rate for trial in trials]
    assert len(set(rates)) == 5
    assert all(1e-3 <= rate <= 1 for rate in rates)
    assert rates == [trial.arm.levels["rate"] for trial in trials]


def test_a_search_that_was_interrupted_draws_what_an_unbroken_one_draws(search_study: Study, tmp_path: Path) -> None:
    longer = search_study.model_copy(update={"design": Search(trials=14)})
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    for folder in (whole, broken):
        folder.path.mkdir()
    expected = [trial.arm for trial in run_all(longer, whole)]
    for stop in (2, 4, 7, 14):  # each driver is killed right after a draw
        for trial in run_all(longer, broken):
            if trial.number == stop:
                break
    assert [record.trial.arm for record in broken.records()] == expected
    assert [seen.state.name for seen in index_of(broken, longer)] == ["COMPLETE"] * 14


def test_an_interrupted_search_trial_keeps_its_number_when_the_index_is_lost(
    search_study: Study, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    sampling = open_sampling(search_study, folder)
    first, second = sampling.ask(), sampling.ask()
    assert first is not None
    assert second is not None
    folder.open_trial(first)
    close(folder, sampling, second)
    (tmp_path / "study.db").unlink()
    assert [trial.number for trial in run_all(search_study, folder)] == [0, 2, 3, 4]


def test_a_repeated_arm_in_the_same_block_is_told_its_stored_value(search_study: Study, tmp_path: Path) -> None:
    factors = {name: factor for name, factor in search_study.factors.items() if name != "rate"}
    design = Search(trials=30, sampler="random")
    study = search_study.model_copy(update={"factors": factors, "design": design})
    folder = RunFolder(tmp_path)
    trained = list(run_all(study, folder))
    assert len(trained) == 8  # two by two levels in two blocks
    assert len(folder.records()) == 30
    copied = [record for record in folder.records() if record.outcome and "not trained again" in record.outcome.reason]
    assert len(copied) == 22
    assert len(index_of(folder, study)) == 30


def test_a_draw_reads_no_other_trials(search_study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a search of a thousand trials would read half a million files to find its repeated arms."""
    sampling = open_sampling(search_study, RunFolder(tmp_path))
    monkeypatch.delattr(RunFolder, "records")
    for _ in range(3):
        trial = sampling.ask()
        assert trial is not None
        close(RunFolder(tmp_path), sampling, trial)


def test_a_storage_that_holds_another_study_is_refused(small_study: Study, tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'shared.db'}"
    open_sampling(small_study, RunFolder(tmp_path / "a"), storage)
    with pytest.raises(InputError, match="another digest"):
        open_sampling(small_study.model_copy(update={"seeds": 3}), RunFolder(tmp_path / "b"), storage)


def test_an_unknown_sampler_is_told(search_study: Study, tmp_path: Path) -> None:
    study = search_study.model_copy(update={"design": Search(trials=2, sampler="optuna.samplers.Wrong")})
    with pytest.raises(InputError, match="allowed are tpe, random"):
        open_sampling(study, RunFolder(tmp_path)).ask()


def test_a_named_sampler_is_used(search_study: Study, tmp_path: Path) -> None:
    study = search_study.model_copy(update={"design": Search(trials=2, sampler="optuna.samplers.QMCSampler")})
    assert len(list(run_all(study, RunFolder(tmp_path)))) == 2


def begin(folder: RunFolder, study: Study) -> Beginning:
    beginning = Beginning(study=study, digest=study.digest(), scale_reason="", started="", source="small.yaml")
    folder.begin(beginning, "")
    return beginning


def extend(folder: RunFolder, begun: Beginning, study: Study) -> None:
    before = begun.study.digest()
    change = Change(when="", declared=before, resolved=before, extended=("more",), ended=6, planned=6)
    folder.revise(begun.model_copy(update={"study": study, "changes": (*begun.changes, change)}), "")


def test_a_plan_with_a_new_level_and_a_new_factor_has_an_index_of_its_own_again(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    folder, small = RunFolder(tmp_path / "runs"), load(write_study())
    begun = begin(folder, small)
    first = list(run_all(small, folder))
    more = SMALL.replace("{padding: 2}}}", "{padding: 2}}, wide: {augmentations.crop: {padding: 4}}}")
    more = more.replace("design:", "  size: {narrow: {}, broad: {model.width: 8}}\ndesign:")
    grown = load(write_study(more))
    with pytest.raises(InputError, match="another digest"):  # nothing says that the study was extended
        open_sampling(grown, folder)
    extend(folder, begun, grown)
    second = list(run_all(grown, folder))
    assert sorted(trial.arm.name for trial in second) == ["crop=wide", "crop=wide", "size=broad", "size=broad"]
    stored = index_of(folder, grown)
    assert [trial.user_attrs["trial"] for trial in stored] == [trial.id for trial in (*first, *second)]
    assert [trial.number for trial in second] == [6, 7, 8, 9]
    assert {trial.state.name for trial in stored} == {"COMPLETE"}
    assert [trial.params["size"] for trial in stored] == ["narrow"] * 6 + [trial.arm.levels["size"] for trial in second]
    assert stored[0].distributions["crop"].choices == ("none", "shifted", "wide")
    assert list(run_all(grown, folder)) == []


def test_a_search_with_more_trials_goes_on_as_if_it_had_been_planned_so(search_study: Study, tmp_path: Path) -> None:
    def with_trials(count: int) -> Study:
        return search_study.model_copy(update={"design": search_study.design.model_copy(update={"trials": count})})

    unbroken = [trial.arm.levels for trial in run_all(with_trials(7), RunFolder(tmp_path))]
    folder = RunFolder(tmp_path / "runs")
    begun = begin(folder, with_trials(4))
    first = [trial.arm.levels for trial in run_all(with_trials(4), folder)]
    extend(folder, begun, with_trials(7))
    assert first + [trial.arm.levels for trial in run_all(with_trials(7), folder)] == unbroken


def test_a_storage_that_is_locked_while_the_study_runs_pauses_it_and_tells_no_secret(
    small_study: Study, tmp_path: Path
) -> None:
    database = tmp_path / "optuna.db"
    address = f"sqlite:///file:{database}?uri=true&timeout=0.1&password=hunter3"
    sampling = open_sampling(small_study, RunFolder(tmp_path), address)
    trial = sampling.ask()
    assert trial is not None
    RunFolder(tmp_path).open_trial(trial)
    with contextlib.closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("begin exclusive")
        for call in (sampling.ask, lambda: sampling.tell(trial, outcome(trial))):
            with pytest.raises(PausedError, match=r"database is locked.*run the same command again") as caught:
                call()
            assert "hunter3" not in str(caught.value)
        other.rollback()
    sampling.tell(trial, outcome(trial))


def test_a_mistake_in_the_sampling_is_none_of_the_storage() -> None:
    class Wrong:
        def ask(self) -> Trial | None:
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        PausingSampling(Wrong(), "sqlite://").ask()  # type: ignore[arg-type]
