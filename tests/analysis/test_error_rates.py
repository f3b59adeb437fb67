"""How often findings are wrong, by simulation with fixed seeds. Bounds are three Monte-Carlo standard errors wide.

`benchmarks/evidence.py` counts the same at a larger size, with the same code.
"""

import numpy as np
import pytest
from evidence_factorials import Crossed, interaction
from evidence_growing import savings
from evidence_page import share
from made_tables import noise
from permuted_labels import permuted
from simulated import World, found_by_model, power, rates

from ablation.analysis.power import POWER_LEFT, detectable_effect
from ablation.analysis.routes import choose_route
from ablation.analysis.verdicts import verdict_of

STUDIES = 1000
ARMS = 4
BLOCKS = (3, 5, 10, 20)


def three_errors(rate: float) -> float:
    return 3 * float(np.sqrt(rate * (1 - rate) / STUDIES))


@pytest.mark.parametrize("blocks", BLOCKS)
def test_few_studies_of_nothing_have_a_finding(blocks: int) -> None:
    false = rates(World(ARMS, blocks), STUDIES).false
    assert false < 0.05 + three_errors(0.05)
    assert false > 0.02  # an interval that never excludes anything is no success


@pytest.mark.parametrize("blocks", BLOCKS)
@pytest.mark.parametrize("noisy_arm", [0, ARMS - 1])
def test_nor_where_one_arm_has_several_times_the_variance(blocks: int, noisy_arm: int) -> None:
    """The baseline too, which every contrast reads."""
    assert rates(World(ARMS, blocks, noisy_arm=noisy_arm), STUDIES).false < 0.05 + three_errors(0.05)


@pytest.mark.parametrize("missing", [0.1, 0.25])
def test_nor_where_trials_are_lost(missing: float) -> None:
    got = rates(World(ARMS, 8, missing=missing), STUDIES)
    assert 0.01 < got.false < 0.05 + three_errors(0.05)
    assert got.paired > 0.9


@pytest.mark.parametrize("blocks", BLOCKS)
def test_with_a_true_effect_intervals_cover_and_power_is_that_of_theory(blocks: int) -> None:
    effect = detectable_effect(ARMS - 1, blocks, 1.0)
    world = World(ARMS, blocks, effects=(effect,))
    got, theory = rates(world, STUDIES, stream=1), power(world.contrasts, ARMS, blocks, effect)
    assert theory == pytest.approx(0.8, abs=1e-4)
    margin = three_errors(0.05) / 3
    assert 0.93 - margin < got.covered < 0.97 + margin
    alone = found_by_model(world, STUDIES, stream=1)
    assert alone == pytest.approx(theory, abs=0.03 + three_errors(0.8) / 3)
    # The tests for unequal noise that come before it cost something, most at three blocks.
    assert alone - (0.22 if blocks == 3 else 0.14) < got.found <= alone + 0.01


@pytest.mark.parametrize("blocks", POWER_LEFT)
def test_the_real_route_has_the_power_that_plan_tells(blocks: int) -> None:
    world = World(ARMS, blocks, effects=(detectable_effect(ARMS - 1, blocks, 1.0),))
    got = rates(world, STUDIES, stream=1).found
    assert got == pytest.approx(POWER_LEFT[blocks], abs=0.03 + three_errors(POWER_LEFT[blocks]))


def test_effects_as_large_as_the_margin_are_seldom_told_to_lie_inside_it() -> None:
    margin = 1.5 * detectable_effect(ARMS - 1, 5, 1.0)
    assert rates(World(ARMS, 5, effects=(margin,) * (ARMS - 1)), STUDIES, margin=margin).inside < 0.05 + three_errors(
        0.05
    )
    assert rates(World(ARMS, 5), 100, margin=margin).inside > 0.9


def test_growing_takes_at_most_085_of_an_equally_powerful_fixed_plan_and_half_of_it_at_three_errors() -> None:
    """At 100 studies the part of the trials is known to about 0.03 (two standard errors)."""
    growth = savings(3, 100)
    assert growth.part < 0.85 + 2 * growth.error
    assert growth.part_at_largest < 0.5
    assert growth.found[0] < 0.05


def test_few_factorials_of_nothing_have_a_finding() -> None:
    design, generator, found = Crossed((2, 2), 5), np.random.default_rng(6), 0
    for _ in range(STUDIES):
        estimates = choose_route(design.noise(generator), None).estimate(design.family)
        found += any(verdict_of(one, 0.0, 1) in ("helps", "hurts") for one in estimates)
    assert found / STUDIES == pytest.approx(0.05, abs=three_errors(0.05))


def test_an_interaction_is_found_with_its_sign_and_explained_by_simple_effects() -> None:
    found, theory, wrong, false, explained = (
        float(cell.partition(" ")[0]) for cell in interaction(Crossed((2, 2), 5), 100)[3:]
    )
    assert found / 100 == pytest.approx(theory / 100, abs=0.12)  # three standard errors of a share of 80 %
    assert (wrong, explained) == (0.0, 100.0)
    assert false / 100 < 0.05 + three_errors(0.05)


def test_labels_permuted_within_blocks_seldom_help() -> None:
    generator, helped, world = np.random.default_rng(5), 0, World(ARMS, 5)
    real = noise(ARMS, 5) + np.array([0, 0.004, -0.004, 0.02])[:, None]
    for _ in range(STUDIES):
        estimates = choose_route(generator.permuted(real, axis=0), 0).estimate(world.contrasts)
        helped += any(verdict_of(one, 0.002, 1) == "helps" for one in estimates)
    assert 0 < helped / STUDIES < 0.05 + three_errors(0.05)


def test_the_findings_of_shuffled_trials_are_counted_from_the_files() -> None:
    files, *shares = permuted(12, 1)
    assert files == "12"
    assert all(float(each.partition(" ")[0]) <= 100 for each in shares)


def test_a_share_is_told_with_its_error() -> None:
    assert share(0.05, 10_000) == "5.0 ± 0.4"
    assert share(0.0, 10_000) == "0.0"
