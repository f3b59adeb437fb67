"""A growing plan replayed from its scores: what its looks decide, which trials come next, and how often it errs."""

import numpy as np
import pytest
from numpy.typing import NDArray

from ablation.analysis.contrasts import against_baseline
from ablation.analysis.growing import Grown, Plan, replay

ARMS, MOST = 3, 12
NAMES = {f"arm{index}": {"f": f"arm{index}"} for index in range(ARMS)}
CONTRASTS = against_baseline(NAMES, "arm0", {"f": tuple(NAMES)})
PLAN = Plan(3, MOST, margin=1.0, baseline=0)

Floats = NDArray[np.float64]


def scores_of(seed: int, *effects: float) -> Floats:
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal((ARMS, MOST)) + generator.standard_normal(MOST)
    return noise + np.array([0.0, *effects])[:, None]


def whole(scores: Floats) -> Grown:
    """As if every trial had ended beforehand: the looks read no more than they would have had."""
    return replay(scores, np.ones_like(scores, dtype=bool), CONTRASTS, PLAN)


def step_by_step(scores: Floats, order: int = 1) -> tuple[Grown, NDArray[np.bool_]]:
    """Only what is wanted is run, one trial after the other."""
    ended = np.zeros_like(scores, dtype=bool)
    while (grown := replay(np.where(ended, scores, np.nan), ended, CONTRASTS, PLAN)).wanted:
        for cell in grown.wanted[::order]:
            ended[cell] = True
    return grown, ended


def test_the_first_look_wants_every_arm_in_every_block_before_it() -> None:
    nothing = np.full((ARMS, MOST), np.nan)
    grown = replay(nothing, np.isfinite(nothing), CONTRASTS, PLAN)
    assert set(grown.wanted) == {(arm, block) for arm in range(ARMS) for block in range(3)}
    assert not any(grown.decided)


def test_an_arm_that_is_decided_is_run_no_more_and_keeps_its_estimate() -> None:
    scores = scores_of(1, 12.0, 0.6)
    grown, ended = step_by_step(scores)
    large, small = grown.estimates
    assert grown.decided[0]
    assert large.blocks == ended[1].sum() == 3
    assert small.blocks == ended[2].sum() == ended[0].sum() > 3
    assert large.effect == pytest.approx((scores[1, :3] - scores[0, :3]).mean())


@pytest.mark.parametrize("seed", range(5))
def test_what_is_run_in_whatever_order_gives_what_the_whole_table_gives(seed: int) -> None:
    scores = scores_of(seed, 1.5, 0.0)
    forward, ran = step_by_step(scores)
    backward, ran_backward = step_by_step(scores, order=-1)
    assert forward.estimates == backward.estimates == whole(scores).estimates
    assert forward.decided == whole(scores).decided
    assert (ran == ran_backward).all()


def test_an_arm_without_any_score_is_given_up_and_the_others_go_on() -> None:
    scores = scores_of(2, 0.0, 12.0)
    scores[1] = np.nan
    grown = whole(scores)
    assert grown.estimates[0].effect is None
    assert grown.decided == (False, True)
    assert grown.wanted == ()


def test_nothing_is_wanted_beyond_the_last_look_however_open_it_is() -> None:
    scores = scores_of(3, 0.9, 0.9)
    grown = replay(scores, np.ones_like(scores, dtype=bool), CONTRASTS, Plan(3, MOST, margin=1e-6, baseline=0))
    assert grown.wanted == ()
    assert not all(grown.decided)


def test_equal_arms_are_found_equivalent_and_end_the_study_early() -> None:
    scores = scores_of(4, 0.0, 0.0)
    grown = replay(scores, np.ones_like(scores, dtype=bool), CONTRASTS, Plan(3, MOST, margin=6.0, baseline=0))
    assert grown.decided == (True, True)
    assert max(estimate.blocks for estimate in grown.estimates) < MOST


def test_growing_studies_of_nothing_seldom_find_anything() -> None:
    studies, found = 300, 0
    for seed in range(studies):
        intervals = [estimate.interval for estimate in whole(scores_of(seed, 0.0, 0.0)).estimates]
        found += any(one is not None and (one.low > 0 or one.high < 0) for one in intervals)
    assert found / studies < 0.05 + 2 * np.sqrt(0.05 * 0.95 / studies)


def test_what_the_last_look_would_hardly_decide_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an effect and with a margin too small to be shown, most studies end early; none finds more for it."""
    plan, ended = Plan(3, MOST, margin=1e-6, baseline=0), np.ones((ARMS, MOST), dtype=bool)
    drawn = [scores_of(seed, 0.0, 0.0) for seed in range(20)]
    given_up = [replay(scores, ended, CONTRASTS, plan) for scores in drawn]
    monkeypatch.setattr("ablation.analysis.growing._HOPELESS", 0.0)
    to_the_end = [replay(scores, ended, CONTRASTS, plan) for scores in drawn]
    assert np.mean([one.blocks < MOST for grown in given_up for one in grown.estimates]) > 0.7
    for few, all_ in zip(given_up, to_the_end, strict=True):
        assert few.wanted == ()
        assert set(np.flatnonzero(few.decided)) <= set(np.flatnonzero(all_.decided))
