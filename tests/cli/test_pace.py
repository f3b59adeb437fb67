"""The time that is left, by hand."""

from __future__ import annotations

import pytest

from ablation.cli.display.pace import Pace, pace_text
from ablation.cli.planning.rates import BETWEEN_TRIALS


def middle(left: tuple[float, float] | None) -> float:
    assert left is not None
    return sum(left) / 2


def test_trials_that_ended_tell_how_long_the_others_take() -> None:
    pace = Pace(slots=2, ended=[10.0 - BETWEEN_TRIALS] * 4)
    left = pace.left(6, [(0.5, 5.0), (0.0, 0.1)])
    assert middle(left) == pytest.approx((6 * 10 + 5 + 10) / 2)
    assert left == pytest.approx((0.9 * 37.5, 1.1 * 37.5))  # equal lengths leave a tenth of doubt


def test_the_more_trials_differ_the_wider_it_is() -> None:
    narrow = Pace(1, [10.0, 10.0, 10.0]).left(10, [])
    wide = Pace(1, [5.0, 10.0, 15.0]).left(10, [])
    assert narrow is not None
    assert wide is not None
    assert wide[1] - wide[0] > 3 * (narrow[1] - narrow[0])
    assert middle(wide) == pytest.approx(middle(narrow))


def test_before_any_has_ended_running_ones_tell_once_a_tenth_is_done() -> None:
    pace = Pace(slots=1)
    assert pace.left(3, [(0.05, 5.0)]) is None
    assert middle(pace.left(0, [(0.25, 5.0)])) == pytest.approx(0.75 * (20 + BETWEEN_TRIALS))


def test_the_last_trial_runs_alone() -> None:
    assert middle(Pace(4, [10.0 - BETWEEN_TRIALS] * 4).left(0, [(0.2, 2.0)])) == pytest.approx(8.0)


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (None, "time left not known yet"),
        ((40.0, 80.2), "about 40 to 80 seconds left"),
        ((300.0, 470.0), "about 5 to 8 minutes left"),
        ((290.0, 310.0), "about 5 minutes left"),
        ((7300.0, 9000.0), "about 2.0 to 2.5 hours left"),
    ],
)
def test_it_is_said_in_the_unit_that_fits(left: tuple[float, float] | None, text: str) -> None:
    assert pace_text(left) == text
