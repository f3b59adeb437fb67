"""What a trial is said to cost is what it then takes, counted in processor seconds: other processes do not count."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from calibration import SHIPPED, STUDIES, Foretold, scale_of
from small_studies import SMALL, StudyWriter, load

from ablation import calibration, designs
from ablation.calibration import measure_trial
from ablation.cli.planning.rates import BETWEEN_TRIALS, ENDING, Known, known_costs, remember_cost
from ablation.run_folder import RunFolder
from ablation.trial import Answer, Assignment, Cost, Epoch, Outcome, Record, Trial
from ablation.worker import run_trial


class Link:
    """A driver without wishes."""

    def report(self, epoch: Epoch) -> Answer:
        return "proceed"

    def stopping(self) -> bool:
        return False

    def side_by_side(self) -> int:
        return 1


def first_trial(path: Path) -> Trial:
    return designs.planned_trials(load(path))[0]


def cost_of(seconds: float) -> Cost:
    return Cost(seconds=seconds, images_per_second=1.0, parameters=1, peak_memory_bytes=1)


def test_a_calibration_leaves_nothing(write_study: StudyWriter, tmp_path: Path) -> None:
    trial = first_trial(write_study())
    (tmp_path / "measuring").mkdir()
    found = measure_trial(Assignment(trial=trial, folder=tmp_path / "measuring", data_root=tmp_path), Link())
    assert found.cost.seconds > 0
    assert found.cost.images_per_second > 0
    assert found.cost.parameters > 0
    assert found.began <= time.time()
    assert found.loading >= 0
    assert list((tmp_path / "measuring").iterdir()) == []


@pytest.mark.parametrize(
    ("images", "epochs", "moment"), [(96, 20, 0.1), (1500, 3, 0.03)], ids=["whole epochs", "a piece of an epoch"]
)
def test_a_calibration_is_within_a_quarter_of_what_the_trial_takes(
    images: int, epochs: int, moment: float, write_study: StudyWriter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SMALL.replace("train_size: 96", f"train_size: {images}").replace("epochs: 3", f"epochs: {epochs}")
    trial = first_trial(write_study(text))
    monkeypatch.setattr(time, "perf_counter", time.process_time)
    monkeypatch.setattr(calibration, "CALIBRATION_SECONDS", moment)
    folder = RunFolder(tmp_path)
    given = Assignment(trial=trial, folder=folder.open_trial(trial), data_root=tmp_path)
    ratios = []
    for _ in range(3):
        measured = measure_trial(given, Link()).cost.seconds
        started = time.process_time()
        assert isinstance(run_trial(given, Link()), Outcome)
        ratios.append(measured / (time.process_time() - started))
    assert sorted(ratios)[1] == pytest.approx(1, abs=0.25)


def test_a_trial_that_diverges_is_measured_all_the_same(write_study: StudyWriter, tmp_path: Path) -> None:
    trial = first_trial(write_study(SMALL.replace("learning_rate: 0.05", "learning_rate: 1.0e+30")))
    found = measure_trial(Assignment(trial=trial, folder=tmp_path, data_root=tmp_path), Link())
    assert 0 < found.cost.seconds < 60


def test_a_study_takes_its_trials_in_rounds_between_its_start_and_its_end(write_study: StudyWriter) -> None:
    arms = designs.arms(load(write_study()))
    costs = {arm.settings.signature(): cost_of(10.0 * (at + 1)) for at, arm in enumerate(arms)}
    known = Known(costs, starting=5.0, slots=2)
    assert known.seconds(arms, 15) == pytest.approx(5 + 8 * (20 + BETWEEN_TRIALS) + ENDING)
    assert known.seconds(arms, 3) == pytest.approx(5 + 2 * (20 + BETWEEN_TRIALS) + ENDING)
    costs.pop(arms[1].settings.signature())
    assert Known(costs, 5.0, 2).seconds(arms, 15) is None


def test_the_last_calibration_counts_and_a_studys_own_trials_before_it(
    write_study: StudyWriter, tmp_path: Path
) -> None:
    study = load(write_study())
    arms, trials = designs.arms(study), designs.planned_trials(study)
    for seconds in (3.0, 4.0):
        for arm in arms:
            remember_cost(arm, cost_of(seconds), tmp_path, 2, starting=seconds)
    remember_cost(arms[0], cost_of(99.0), tmp_path, 1, starting=99.0)  # not with as many side by side
    known = known_costs(arms, (), tmp_path, 2)
    assert {cost.seconds for cost in known.costs.values()} == {4.0}
    assert known.starting == 4.0
    own = [trial for trial in trials if trial.arm.baseline]
    records = [
        Record(trial=trial, outcome=Outcome(status="complete", cost=cost_of(seconds)))
        for trial, seconds in zip([*own, own[0]], (50.0, 7.0, 8.0), strict=True)
    ]
    costs = known_costs(arms, records, tmp_path, 2).costs
    assert [costs[arm.settings.signature()].seconds for arm in arms] == [8.0, 4.0, 4.0]


def test_the_benchmark_measures_every_shipped_study_at_the_scale_of_a_laptop() -> None:
    assert len(SHIPPED) >= 10
    scales = {name: scale_of(STUDIES / f"{name}.yaml") for name in SHIPPED}
    assert scales == dict.fromkeys(SHIPPED, "laptop") | {"quickstart": "full"}
    assert Foretold("quickstart", "full", "2", 40, planned_seconds=30.0, real_seconds=40.0).ratio == 0.75
