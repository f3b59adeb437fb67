"""Cost against score, the spread over seed blocks and interactions."""

import pytest
from examples import PLANTED, analysis, factorial_page, partial_page, records

from ablation.report.figures import cost, interactions, seed_spread
from ablation.report.palette import arm_styles

ARMS = list(PLANTED)


def front(said, currency="seconds"):
    value = cost.compute(said)
    return [point.arm for point in dict(value.panels)[currency] if point.on_front]


def with_arms(*changes):
    """An analysis of as many arms as there are changes to them."""
    said = analysis(records())
    arms = [arm.model_copy(update=change) for arm, change in zip(said.arms[: len(changes)], changes, strict=True)]
    return said.model_copy(update={"arms": tuple(arms)})


def test_the_front_holds_the_arms_that_none_beats_at_less_cost():
    said = with_arms(
        {"seconds": 1.0, "accuracy": 0.5}, {"seconds": 2.0, "accuracy": 0.7}, {"seconds": 3.0, "accuracy": 0.6}
    )
    assert front(said) == ["baseline", "crop=without"]
    loss = [{"seconds": 1.0, "loss": 0.5}, {"seconds": 2.0, "loss": 0.7}, {"seconds": 3.0, "loss": 0.4}]
    assert front(with_arms(*loss).model_copy(update={"metric": "loss"})) == ["baseline", "flip=without"]


def test_equal_arms_are_both_on_the_front():
    same = {"seconds": 2.0, "accuracy": 0.7}
    assert len(front(with_arms({"seconds": 3.0, "accuracy": 0.6}, same, same))) == 2


def test_a_cost_that_all_share_is_told_instead_of_drawn():
    value = cost.compute(analysis(records()))
    assert [currency for currency, _ in value.panels] == ["seconds"]
    assert "Every arm has 278k parameters." in cost.draw(value, arm_styles(ARMS, "baseline")).caption
    assert cost.compute(with_arms(*[{"seconds": None, "parameters": None}] * 5)) is None


def test_every_trial_is_a_dot_and_a_block_one_line():
    said = analysis(records())
    value = seed_spread.compute(records(), said, ARMS)
    assert len(value.dots) == 25
    assert "0.71" in seed_spread.draw(value, arm_styles(ARMS, "baseline")).caption
    drawing = seed_spread.draw(value, arm_styles(ARMS, "baseline"))
    threads = [trace for trace in drawing.figure.data if trace.mode == "lines"]
    assert [len(thread.x) for thread in threads] == [5] * 5
    first = [dot.score * 100 for dot in value.dots if dot.block == 0]
    assert list(threads[0].x) == pytest.approx(first)


def test_a_diverged_trial_is_a_cross_that_does_not_squeeze_the_rest():
    page = partial_page()
    value = seed_spread.compute(page.records, page.analysis, ARMS)
    assert sum(dot.diverged for dot in value.dots) == 1
    assert value.span[0] > 0.5
    drawing = seed_spread.draw(value, arm_styles(ARMS, "baseline"))
    cross = drawing.figure.data[-1]
    assert cross.marker.symbol == "x"
    assert value.span[0] * 100 < cross.x[0] < value.span[1] * 100
    assert seed_spread.compute([], page.analysis, ARMS) is None


def test_lines_that_are_not_parallel_come_first():
    value = interactions.compute(factorial_page().analysis)
    assert (value.pairs[0].first, value.pairs[0].second) == ("crop", "flip")
    assert value.pairs[0].unevenness == pytest.approx(0.02, abs=0.006)
    assert value.pairs[0].unevenness > 2 * value.pairs[1].unevenness
    assert len(value.pairs) == 3
    arms = [arm for arm in factorial_page().analysis.arms if arm.levels["crop"] == arm.levels["flip"] == "without"]
    assert value.pairs[0].means[1][1] == pytest.approx(sum(arm.accuracy for arm in arms) / 3)


def test_arms_that_are_not_crossed_have_no_interaction():
    assert interactions.compute(analysis(records())) is None


def test_bars_of_an_accuracy_leave_neither_nothing_nor_all():
    axis = cost.draw(
        cost.compute(analysis(records())), arm_styles(ARMS, "baseline")
    ).figure.layout.yaxis.autorangeoptions
    assert (axis.clipmin, axis.clipmax) == (0, 100)
