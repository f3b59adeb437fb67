import numpy as np
import pytest
from scipy import stats
from trainer_accuracy import equivalence


def test_two_one_sided_tests_are_those_of_scipy() -> None:
    differences = np.random.default_rng(0).normal(0.004, 0.01, 9)
    tested = equivalence(differences.tolist(), 0.015)
    sides = (
        stats.ttest_1samp(differences, -0.015, alternative="greater"),
        stats.ttest_1samp(differences, 0.015, alternative="less"),
    )
    assert tested["p"] == pytest.approx(max(side.pvalue for side in sides))
    interval = stats.ttest_1samp(differences, 0).confidence_interval(0.90)
    assert (tested["low"], tested["high"]) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize(("shift", "equivalent"), [(0.0, True), (0.012, False), (0.03, False)])
def test_equivalent_is_said_where_the_interval_lies_inside_the_margin(shift: float, equivalent: bool) -> None:
    tested = equivalence([shift + each for each in (-0.006, -0.002, 0.0, 0.002, 0.006)], 0.015)
    assert tested["equivalent"] is equivalent
    assert (tested["low"] > -0.015 and tested["high"] < 0.015) is equivalent
