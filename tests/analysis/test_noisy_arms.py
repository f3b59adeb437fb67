"""One arm that is noisier than the others: its contrast has an error of its own, and the others keep the pooled one."""

import math

import numpy as np
import pytest
from simulated import NOISY, World, rates

from ablation.analysis.moments import pooled, with_noisy_arms
from ablation.analysis.routes import choose_route

WORLD = World(5, 8)
WEIGHTS = np.array([contrast.weights for contrast in WORLD.contrasts])


def scores_with(sd: float) -> np.ndarray:
    scores = next(WORLD.studies(1)).copy()
    scores[4] += sd * np.array([1, -1, 1, -1, 1, -1, 1, -1])
    return scores


def test_a_noisy_arm_has_a_larger_error_and_the_others_keep_theirs() -> None:
    scores = scores_with(6.0)
    together, apart = pooled(scores, WEIGHTS), with_noisy_arms(scores, WEIGHTS, [4])
    assert apart[:3] == together[:3]
    assert apart[3].effect == together[3].effect
    assert apart[3].error > together[3].error
    assert 7 <= apart[3].freedom < 15
    difference = scores[4] - scores[0]
    assert apart[3].error == pytest.approx(difference.std(ddof=1) / math.sqrt(8), rel=0.3)


def test_an_arm_that_is_not_noisier_keeps_the_pooled_error() -> None:
    scores = scores_with(0.0)
    for one, other in zip(with_noisy_arms(scores, WEIGHTS, [1]), pooled(scores, WEIGHTS), strict=True):
        assert one.error >= other.error


def test_the_report_names_the_noisy_arm_s_way() -> None:
    route = choose_route(scores_with(2.0), 0)
    assert route.correction == "Dunnett, noisy arm"
    assert "one arm is noisier than the others (F test" in route.method


@pytest.mark.parametrize(("arms", "blocks"), [(9, 5), (9, 10)])
def test_ten_times_the_variance_of_one_arm_gives_no_more_false_findings(
    arms: int, blocks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pooled error alone gives about 11 % at five seed blocks."""
    monkeypatch.setattr("simulated.NOISY", NOISY * math.sqrt(10 / 3.5))
    studies = 500
    assert rates(World(arms, blocks, noisy_arm=arms - 1), studies).false < 0.05 + 3 * math.sqrt(0.05 * 0.95 / studies)
