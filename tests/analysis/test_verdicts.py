"""How many seed blocks an open question takes: what a plan that is extended, or a new one, would really need."""

import math

import numpy as np
import pytest
from simulated import World

from ablation.analysis.estimates import Estimate
from ablation.analysis.growing import Plan, replay
from ablation.analysis.routes import Rule, choose_route
from ablation.analysis.verdicts import blocks_wanted

WORLD = World(arms=4, blocks=5)
SCORES = next(WORLD.studies(1))
ANYTIME = Rule(anytime=True, contrasts=3)


def wanted(effect: float, *, extended: bool) -> int | None:
    estimate = Estimate(effect, 5, block_sd=math.sqrt(2))
    return blocks_wanted(estimate, 0.01, choose_route(SCORES, 0).bound_at(WORLD.contrasts, extended=extended))


def test_a_plan_that_is_extended_takes_about_twice_as_many_blocks_as_a_new_one() -> None:
    assert [wanted(effect, extended=True) for effect in (0.8, 1.2, 2.0)] == [62, 28, 11]
    assert [wanted(effect, extended=False) for effect in (0.8, 1.2, 2.0)] == [33, 16, 7]


def test_so_many_blocks_find_the_effect_in_four_of_five_extended_studies() -> None:
    blocks = wanted(1.2, extended=True)
    assert blocks is not None
    world, studies, found = World(4, blocks, effects=(1.2,)), 300, 0
    for scores in world.studies(studies):
        interval = choose_route(scores, 0, ANYTIME).estimate(world.contrasts)[0].interval
        found += interval is not None and interval.low > 0
    assert found / studies == pytest.approx(0.8, abs=3 * math.sqrt(0.16 / studies))


def test_effects_at_both_ends_of_the_margin_are_seldom_told_to_lie_inside_it() -> None:
    """Errors on one side of each contrast add up there: the two-sided interval of 90 % would be wrong more often."""
    generator, studies, wrong = np.random.default_rng(3), 4000, 0
    world = World(3, 10, effects=(1.5, -1.5))
    for _ in range(studies):
        scores = generator.standard_normal((3, 10)) + np.array([0, *world.effects])[:, None]
        intervals = [one.equivalence for one in choose_route(scores, 0).estimate(world.contrasts)]
        wrong += any(one is not None and one.within(1.5) for one in intervals)
    assert wrong / studies < 0.05 + 2 * math.sqrt(0.05 * 0.95 / studies)


def test_a_look_shares_the_error_of_equivalence_out_over_both_sides() -> None:
    """The interval of a growing plan at its only look is the one-sided quantile of a share, not the two-sided one."""
    scores = np.random.default_rng(1).standard_normal((3, 8))
    whole = np.ones_like(scores, dtype=bool)
    contrasts = World(3, 8).contrasts
    grown = replay(scores, whole, contrasts, Plan(8, 8, margin=1e-6, baseline=0))
    for one in grown.estimates:
        assert one.interval is not None
        assert one.equivalence is not None
        assert one.interval.low < one.equivalence.low < one.equivalence.high < one.interval.high
