"""Costs are held against each other only where the trials ran alike: one rule for findings, arms and comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_tables import made_table, noise

from ablation.analysis.analyse import analyse
from ablation.analysis.comparable import alike, apart, circumstances, in_words, most_comparable
from ablation.analysis.csv_table import from_csv, write_csv
from ablation.analysis.results import ResultsTable
from ablation.analysis.writing import markdown
from ablation.findings import Analysis
from ablation.report.figures import cost
from ablation.trial import Stamp

STAMP = Stamp(versions={}, device="Xeon; 2 GHz", slots=4)
TWO, FOUR = (circumstances(STAMP.model_copy(update={"slots": slots})) for slots in (2, 4))


def ran(under: Sequence[Sequence[str]], seconds: Sequence[Sequence[float]]) -> ResultsTable:
    """Two arms, or more, whose trials took so long under these circumstances."""
    table = made_table(noise(len(seconds), len(seconds[0])), {"part": [f"level{at}" for at in range(len(seconds))]})
    texts = [text for row in under for text in row]
    frame = table.frame.assign(seconds=np.array(seconds, dtype=float).ravel(), circumstances=texts)
    return replace(table, frame=frame.assign(peak_memory_bytes=frame["seconds"] * 1e6))


def found(under: Sequence[Sequence[str]], seconds: Sequence[Sequence[float]]) -> Analysis:
    return analyse(ran(under, seconds))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "Xeon, 2 GHz with 1 thread a trial, 4 side by side"),
        ({"busy": 1}, "Xeon, 2 GHz with 1 thread a trial, 1 side by side"),
        ({"threads": 2, "compiled": True}, "Xeon, 2 GHz with 2 threads a trial, 4 side by side, steps compiled"),
        ({"slots": None}, "Xeon, 2 GHz with 1 thread a trial, an unknown number side by side"),
    ],
)
def test_circumstances_are_all_that_a_cost_hangs_on_beside_the_arm(change: dict, words: str) -> None:
    text = circumstances(STAMP.model_copy(update=change))
    assert in_words(text) == words
    assert alike([text, circumstances(STAMP)]) is (change == {})


def test_what_is_not_known_is_like_nothing_and_what_a_table_does_not_say_is_taken_on_trust() -> None:
    unknown = circumstances(STAMP.model_copy(update={"slots": None}))
    assert not alike([unknown, unknown])
    assert alike(["", ""])
    assert not alike(["", TWO])


def test_only_what_tells_them_apart_is_told() -> None:
    compiled = circumstances(STAMP.model_copy(update={"slots": 2, "compiled": True}))
    assert apart([TWO, FOUR, TWO]) == "2 side by side or 4 side by side"
    assert apart([TWO, compiled]) == "steps compiled or steps not compiled"


def test_a_study_that_went_on_with_other_slots_is_compared_within_each_seed_block() -> None:
    """Twice as many side by side take twice as long, in both arms."""
    analysis = found([[TWO, TWO, FOUR, FOUR]] * 2, [[10, 10.1, 20, 20.2], [8, 8.1, 16, 16.1]])
    (finding,) = analysis.findings
    assert finding.seconds is not None
    assert finding.seconds.value == pytest.approx(0.8, rel=0.01)
    assert "at -20 % training time" in finding.sentence
    assert analysis.cost_note.endswith(
        "are not comparable with those of the others, and left out: 2 side by side or 4 side by side."
    )
    assert [arm.seconds for arm in analysis.arms] == pytest.approx([10.05, 8.05])  # those of one of the two
    assert analysis.cost_note not in analysis.notes  # every arm has its time


def test_a_seed_block_whose_arms_did_not_run_alike_is_left_out() -> None:
    (finding,) = found([[TWO, TWO, TWO], [TWO, TWO, FOUR]], [[10, 10, 10], [8, 8.1, 30]]).findings
    assert finding.seconds is not None
    assert finding.seconds.value == pytest.approx(0.805, rel=0.01)


def test_arms_that_never_ran_alike_are_not_comparable_and_it_says_why() -> None:
    analysis = found([[TWO] * 4, [FOUR] * 4], [[10, 10.1, 10.2, 10], [8, 8.1, 8.2, 8]])
    (finding,) = analysis.findings
    assert (finding.seconds, finding.time_note) == (None, "2 side by side or 4 side by side")
    assert "training time not comparable: 2 side by side or 4 side by side" in finding.sentence
    assert "| not comparable |" in markdown(analysis)
    assert sorted(arm.seconds is None for arm in analysis.arms) == [False, True]
    assert sorted(arm.peak_memory is None for arm in analysis.arms) == [False, True]
    assert "Times and memory of 4 trials are not comparable" in analysis.cost_note
    assert analysis.cost_note in analysis.notes
    assert cost.compute(analysis) is None


def test_the_cost_figure_says_whose_costs_it_leaves_out() -> None:
    under = [[TWO] * 3, [TWO] * 3, [TWO, TWO, FOUR]]
    value = cost.compute(found(under, [[10, 10, 10], [12, 12, 12], [8, 8, 30]]))
    assert value is not None
    seconds = dict(value.panels)["seconds"]
    assert [point.cost for point in seconds] == [10, 12, 8]
    assert "Times and memory of 1 trial are not comparable" in value.left_out


def test_those_are_kept_that_most_arms_share() -> None:
    kept = most_comparable([("a", FOUR), ("a", FOUR), ("a", FOUR), ("a", TWO), ("b", TWO)])
    assert kept.circumstances == TWO
    unknown = circumstances(STAMP.model_copy(update={"slots": None}))
    assert most_comparable([("a", unknown)]).note.endswith("it is not known how many trials ran side by side.")
    assert most_comparable([]).note == ""


def test_a_written_table_keeps_the_circumstances(tmp_path: Path) -> None:
    table = ran([[TWO] * 3, [FOUR] * 3], [[10, 10, 10], [8, 8, 8]])
    write_csv(table, tmp_path / "results.csv")
    (finding,) = analyse(from_csv(tmp_path / "results.csv", "accuracy")).findings
    assert finding.time_note == "2 side by side or 4 side by side"
