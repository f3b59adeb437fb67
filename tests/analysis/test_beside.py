"""What stands beside a finding: the other metric by the same rule, and what a level costs."""

import re
from dataclasses import replace

import numpy as np
import pytest
from made_tables import made_table, noise

from ablation.analysis.analyse import analyse
from ablation.analysis.results import ResultsTable
from ablation.analysis.writing import markdown


def both(accuracy: np.ndarray, loss: np.ndarray, **columns: np.ndarray) -> ResultsTable:
    """A table with both metrics; accuracy is the declared one."""
    table = made_table(accuracy, {"part": [f"level{at}" for at in range(len(accuracy))]})
    given = {"loss": loss} | columns
    return replace(table, frame=table.frame.assign(**{name: values.ravel() for name, values in given.items()}))


def test_the_other_metric_is_what_a_study_declared_for_it_would_have_found() -> None:
    accuracy, loss = noise(3, 5, 1), noise(3, 5, 2) * 0.3 + np.array([[0.0], [0.02], [-0.01]])
    table = both(accuracy, loss)
    for one, declared in zip(analyse(table).findings, analyse(replace(table, metric="loss")).findings, strict=True):
        other = one.other
        assert (other.metric, other.seed_blocks, other.method) == ("loss", 5, "Dunnett")
        assert (other.effect, other.low, other.high) == (declared.effect, declared.low, declared.high)
        assert other.p_adjusted == declared.p_adjusted
        assert declared.other.effect == one.effect
        assert "loss" not in one.sentence


def test_each_metric_goes_its_own_way() -> None:
    """The losses of one arm vary far more, its accuracies do not: only the losses are not pooled."""
    loss = noise(4, 12, 3)
    loss[3] += np.where(np.arange(12) % 2, 0.05, -0.05)
    finding = analyse(both(noise(4, 12, 4), loss)).findings[0]
    assert "Dunnett" in finding.sentence
    assert finding.other.method == "paired t, Bonferroni"


def test_before_the_plan_is_complete_there_is_no_p() -> None:
    accuracy, loss = noise(2, 4), noise(2, 4, 5)
    accuracy[1, 3] = loss[1, 3] = np.nan
    table = made_table(accuracy, {"part": ["a", "b"]}, statuses={(1, 3): "missing"})
    finding = analyse(replace(table, frame=table.frame.assign(loss=loss.ravel()))).findings[0]
    assert finding.other.effect == pytest.approx(loss[1, :3].mean() - loss[0, :3].mean())
    assert finding.other.p_adjusted is None


def test_a_table_of_one_metric_has_no_other() -> None:
    assert all(one.other is None for one in analyse(made_table(noise(3, 5))).findings)


@pytest.mark.parametrize(
    ("level", "words"),
    [(1000, "training time. "), (1120, "and +12 % parameters. "), (998, "and -2 parameters. "), (500, "-50 % param")],
)
def test_parameters_are_counted_and_told_where_they_differ(level: int, words: str) -> None:
    parameters = np.array([[1000.0] * 5, [level] * 5])
    finding = analyse(both(noise(2, 5), noise(2, 5), parameters=parameters)).findings[0]
    assert (finding.parameters.level, finding.parameters.reference) == (level, 1000)
    assert words in finding.sentence


def test_a_main_effect_averages_the_parameters_of_its_arms() -> None:
    factors = {"depth": ["8", "18"], "flip": ["with", "without"]}
    table = made_table(noise(4, 5), factors, "factorial")
    counts = np.repeat([100.0, 100.0, 300.0, 320.0], 5)
    depth, _, crossed = analyse(replace(table, frame=table.frame.assign(parameters=counts))).findings
    assert (depth.parameters.level, depth.parameters.reference) == (310, 100)
    assert crossed.parameters is None


def test_parameters_that_nobody_counted_are_not_told() -> None:
    finding = analyse(both(noise(2, 5), noise(2, 5), parameters=np.full((2, 5), np.nan))).findings[0]
    assert finding.parameters is None
    assert "parameters" not in finding.sentence


def test_the_page_of_findings_has_a_table_of_them() -> None:
    parameters = np.array([[1000.0] * 5, [1500.0] * 5])
    analysis = analyse(both(noise(2, 5), noise(2, 5) * 0.1, parameters=parameters))
    (row,) = [
        line for line in markdown(analysis).partition("## Beside")[2].splitlines() if line.startswith("| part: level1")
    ]
    assert re.fullmatch(r"\| part: level1 .* \| [-+\\]+0\.\d+ nats \\\[.*\\\] \| .*10 % .* \| \+500 \|", row), row
    assert "no verdict rests on them" in markdown(analysis)
