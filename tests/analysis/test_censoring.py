"""Pruned and failed trials are counted by level, and a difference in their rates is told."""

import html
from pathlib import Path

import numpy as np
import pytest
from made_tables import made_table, noise

from ablation.analysis.analyse import analyse
from ablation.analysis.censoring import censoring_notes, outcomes_by_level
from ablation.analysis.writing import write_findings
from ablation.findings import LevelOutcomes
from ablation.report import render
from ablation.report.page import Page
from ablation.settings import Part, Settings
from ablation.study import LevelsFactor, RangeFactor, Search, Study
from ablation.trial import Arm, Level, Outcome, Record, Scores, Trial

BASE = Settings(dataset=Part(name="digits"), model=Part(name="small"))
STUDY = Study(
    name="search",
    scale="full",
    question="?",
    baseline=BASE,
    factors={
        "optimizer": LevelsFactor(levels={"sgd": {}, "adamw": {"recipe.optimizer": "adamw"}}),
        "rate": RangeFactor(sets="recipe.learning_rate", range=[0.1, 1.0]),
    },
    design=Search(trials=50),
    seeds=2,
    margin=0.01,
)


def record(status: str | None, **levels: Level) -> Record:
    arm = Arm(name="arm", levels=dict(levels), settings=BASE)
    scores = Scores(loss=1.0, accuracy=0.5)
    outcome = Outcome.model_validate({"status": status, "validation": scores}) if status else None
    return Record(trial=Trial(id="0", arm=arm, block=0), outcome=outcome)


def counted(level: str, **outcomes: int) -> LevelOutcomes:
    return LevelOutcomes(factor="optimizer", level=level, outcomes=outcomes)


def test_trials_are_counted_by_level_and_ranges_by_halves() -> None:
    done = [
        record("complete", optimizer="sgd", rate=0.1),
        record("pruned", optimizer="adamw", rate=0.2),
        record("complete", optimizer="sgd", rate=0.6),
        record("failed", optimizer="sgd"),
        record(None, optimizer="sgd", rate=0.9),
    ]
    found = [(one.factor, one.level, one.outcomes) for one in outcomes_by_level(STUDY, done)]
    assert found == [
        ("optimizer", "sgd", {"complete": 2, "failed": 1}),
        ("optimizer", "adamw", {"pruned": 1}),
        ("rate", "up to 0.2", {"complete": 1, "pruned": 1}),
        ("rate", "above 0.2", {"complete": 1}),
    ]


@pytest.mark.parametrize("status", ["pruned", "failed", "diverged"])
def test_rates_that_differ_are_told_once_with_the_level_that_loses_more(status: str) -> None:
    levels = [counted("sgd", complete=12, **{status: 1}), counted("adamw", complete=2, **{status: 9})]
    (note,) = censoring_notes(levels)
    assert note.startswith(
        f"{status.capitalize()} trials differ in number by level of optimizer: 9 of 11 at adamw, 1 of 13 at the others"
    )


def test_rates_that_may_be_equal_are_not_told() -> None:
    assert censoring_notes([counted("sgd", complete=6, pruned=4), counted("adamw", complete=4, pruned=6)]) == ()
    assert censoring_notes([counted("sgd", pruned=9)]) == ()
    assert censoring_notes([]) == ()


def test_many_levels_have_to_differ_more() -> None:
    """Fisher's p of one level against the others is 0.03, which is no news among four levels."""
    four = [counted("a", complete=5, pruned=5), *(counted(each, complete=9, pruned=1) for each in "bcd")]
    assert censoring_notes(four) == ()
    assert censoring_notes([four[0], counted("rest", complete=27, pruned=3)])


def test_a_planned_study_lists_and_warns_of_what_its_levels_lose(tmp_path: Path) -> None:
    """Four of five trials without crop fail, and none of the other fifteen."""
    scores = noise(4, 5)
    scores[1, 1:] = np.nan
    factors = {"crop": ["with", "without"], "flip": ["with", "without"], "color": ["none", "mild"]}
    found = analyse(made_table(scores, factors))
    crop = [(one.level, one.outcomes) for one in found.levels if one.factor == "crop"]
    assert crop == [("with", {"complete": 15}), ("without", {"complete": 1, "failed": 4})]
    (warning,) = [note for note in found.notes if "differ in number" in note]
    assert warning.startswith(
        "Failed trials differ in number by level of crop: 4 of 5 at without, 0 of 15 at the others"
    )
    write_findings(found, tmp_path)
    told = (tmp_path / "findings.md").read_text("utf-8")
    assert "## Trials by level\n| factor | level | ended | failed |\n" in told
    assert "| crop | without | 5 | 4 |\n| flip | with | 15 | 4 |\n" in told
    assert warning in told
    page = render(Page(title="made", analysis=found, created="", command=""))
    assert "Trials by level" in page
    assert warning in html.unescape(page)


def test_levels_at_which_all_complete_are_not_listed(tmp_path: Path) -> None:
    found = analyse(made_table(noise(3, 4)))
    assert found.levels
    write_findings(found, tmp_path)
    assert "by level" not in (tmp_path / "findings.md").read_text("utf-8")
    assert "by level" not in render(Page(title="made", analysis=found, created="", command=""))
