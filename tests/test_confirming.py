"""From the records of a search to a planned study of its best arms."""

from pathlib import Path

import pytest
from small_studies import SEARCH, StudyWriter, load

from ablation import designs, study_file
from ablation.confirming import baseline_score, candidates, confirmation_of
from ablation.errors import InputError
from ablation.study import Explicit, LevelsFactor, RangeFactor, Study
from ablation.study_file.writing import text_of
from ablation.trial import Level, Outcome, Record, Scores, Trial

CONDITIONAL = SEARCH.replace(
    "  rate: {sets: recipe.learning_rate, range: [1.0e-3, 1.0], scale: log}",
    """\
  optimizer: {sgd: {}, adamw: {recipe.optimizer: {name: adamw}}}
  sgd rate: {sets: recipe.learning_rate, range: [0.001, 1.0], scale: log, when: {optimizer: sgd}}
  adamw rate: {sets: recipe.learning_rate, range: [1.0e-4, 0.1], scale: log, when: {optimizer: adamw}}
  momentum: {sets: recipe.optimizer.momentum, range: [0.5, 0.99], when: {optimizer: [sgd]}}
  length: {sets: recipe.epochs, range: [2, 9], integer: true}""",
)


@pytest.fixture
def search(write_study: StudyWriter) -> Study:
    return load(write_study(CONDITIONAL, "search.yaml"))


def record(study: Study, number: int, score: float, status: str = "complete", **levels: Level) -> Record:
    """A trial of the levels given; underscores stand for the spaces of factors' names."""
    arm = designs.arm_of(study, {name.replace("_", " "): level for name, level in levels.items()})
    block = number % len(study.seed_blocks)
    trial = Trial(id=f"{number:05d}", arm=arm, block=block, evaluate_on="validation", number=number)
    scores = Scores(loss=1 - score, accuracy=score)
    outcome = Outcome.model_validate({"status": status, "validation": None if status == "failed" else scores})
    return Record(trial=trial, outcome=outcome)


def names(study: Study, records: list[Record], top: int = 9) -> list[str]:
    return [one.name for one in candidates(study, records, top)]


def test_the_best_come_first_and_no_more_than_asked_for(search: Study) -> None:
    done = [record(search, at, score, sgd_rate=0.1 + at / 10) for at, score in enumerate((0.5, 0.9, 0.7, 0.8))]
    assert names(search, done) == ["trial 1", "trial 3", "trial 2", "trial 0"]
    assert names(search, done, top=2) == ["trial 1", "trial 3"]
    loss = search.model_copy(update={"metric": "loss"})
    assert names(loss, done) == ["trial 1", "trial 3", "trial 2", "trial 0"]
    assert candidates(loss, done, 1)[0].validation == pytest.approx(0.1)


def test_an_arm_counts_by_its_mean_over_seed_blocks_and_a_repetition_once(search: Study) -> None:
    done = [
        *(record(search, at, score, crop="shifted") for at, score in enumerate((0.9, 0.5, 0.9))),
        record(search, 3, 0.8, flip="flipped"),
    ]
    best, second = candidates(search, done, 9)
    assert (best.name, second.name) == ("trial 3", "trial 0")
    assert second.validation == pytest.approx(0.7)
    assert second.trials == ("00000", "00001")


def test_ties_go_to_more_seed_blocks_then_to_the_one_drawn_first(search: Study) -> None:
    done = [
        record(search, 0, 0.75, flip="flipped"), record(search, 1, 0.75, sgd_rate=0.7),
        record(search, 2, 0.5, crop="shifted"), record(search, 3, 1.0, crop="shifted"),
    ]  # fmt: skip
    assert names(search, done) == ["trial 2", "trial 0", "trial 1"]


@pytest.mark.parametrize("status", ["pruned", "diverged"])
def test_an_arm_that_was_pruned_or_diverged_once_is_no_candidate(search: Study, status: str) -> None:
    done = [record(search, 0, 0.9, crop="shifted"), record(search, 1, 0.99, status, crop="shifted")]
    done += [record(search, 2, 0.2, flip="flipped"), record(search, 3, 0.99, "failed", flip="flipped")]
    assert names(search, done) == ["trial 2"]


def test_the_baseline_is_no_candidate_and_its_score_is_known(search: Study) -> None:
    done = [record(search, 0, 0.9), record(search, 1, 0.7), record(search, 2, 0.1, crop="shifted")]
    assert names(search, done) == ["trial 2"]
    assert baseline_score(search, done) == pytest.approx(0.8)
    assert baseline_score(search, done[2:]) is None


def test_nothing_to_confirm_is_told(search: Study) -> None:
    with pytest.raises(InputError, match="nothing to confirm"):
        candidates(search, [record(search, 0, 0.9), record(search, 1, 0.9, "pruned", crop="shifted")], 3)


def confirmed(search: Study, tmp_path: Path, *done: Record) -> Study:
    """The confirmation of all arms: as it is read from its own file, and with the settings of the search."""
    study = confirmation_of(search, candidates(search, done, 9), 4, "confirmation")
    written = tmp_path / "confirmation.yaml"
    written.write_text(text_of(study))
    read = study_file.load(written, "full", (), lambda: False)
    assert read.model_copy(update={"first_block": study.first_block}) == study
    trained = {arm.settings.signature() for arm in designs.arms(study)}
    searched = (designs.arms(search)[0], *(each.trial.arm for each in done))
    assert trained == {arm.settings.signature() for arm in searched}
    return study


def test_it_is_a_plan_on_the_test_images_in_seed_blocks_of_its_own(search: Study, tmp_path: Path) -> None:
    study = confirmed(search, tmp_path, record(search, 0, 0.9, crop="shifted"))
    assert isinstance(study.design, Explicit)
    assert study.evaluate_on == "test"
    assert list(search.seed_blocks) == [0, 1]
    assert list(study.seed_blocks) == [2, 3, 4, 5]
    assert {trial.block for trial in designs.planned_trials(study)} == {2, 3, 4, 5}
    assert [arm.name for arm in designs.arms(study)] == ["baseline", "trial 0"]
    assert study.baseline == search.baseline
    assert study.question.startswith("Confirming the best arm of the search search: ")


def test_numbers_become_levels_named_by_their_digits(search: Study, tmp_path: Path) -> None:
    study = confirmed(
        search, tmp_path,
        record(search, 0, 0.9, sgd_rate=0.12345678, momentum=0.6, length=7),
        record(search, 1, 0.8, sgd_rate=0.5, momentum=0.6, length=3, flip="flipped"),
    )  # fmt: skip
    levels = {name: list(factor.levels) for name, factor in study.factors.items() if isinstance(factor, LevelsFactor)}
    assert levels == {
        "sgd rate": ["0.05", "0.1235", "0.5"],
        "momentum": ["0.9", "0.6"],
        "length": ["3", "7"],
        "flip": ["none", "flipped"],
    }
    assert not any(isinstance(factor, RangeFactor) or factor.when for factor in study.factors.values())
    assert isinstance(study.design, Explicit)
    assert study.design.arms["trial 0"] == {"sgd rate": "0.1235", "momentum": "0.6", "length": "7"}


def test_numbers_that_look_alike_are_named_in_full(search: Study, tmp_path: Path) -> None:
    study = confirmed(
        search, tmp_path, record(search, 0, 0.9, sgd_rate=0.123456), record(search, 1, 0.8, sgd_rate=0.123457)
    )  # fmt: skip
    assert list(study.factors["sgd rate"].levels) == ["0.05", "0.123456", "0.123457"]  # type: ignore[union-attr]


def test_conditions_stay_where_the_arms_need_them(search: Study, tmp_path: Path) -> None:
    study = confirmed(
        search, tmp_path,
        record(search, 0, 0.9, optimizer="adamw", adamw_rate=0.002),
        record(search, 1, 0.8, sgd_rate=0.3),
    )  # fmt: skip
    assert {name: factor.when for name, factor in study.factors.items()} == {
        "optimizer": {},
        "sgd rate": {"optimizer": "sgd"},
        "adamw rate": {"optimizer": "adamw"},
    }


def test_what_a_reference_changes_is_not_lost(write_study: StudyWriter, tmp_path: Path) -> None:
    text = CONDITIONAL.replace("crop: {none: {}", "crop: {none: {augmentations.crop: {padding: 1}}")
    search = load(write_study(text, "search.yaml"))
    confirmed(search, tmp_path, record(search, 0, 0.9, flip="flipped"))
