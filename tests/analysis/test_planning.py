"""What a plan is said to see, against power.py, statsmodels and simulated studies."""

import time

import numpy as np
import pytest
from made_tables import factorial_arms, fractional_arms, one_factor_arms
from statsmodels.stats.power import TTestPower

from ablation.analysis.amounts import amount_text, parse_amount
from ablation.analysis.estimates import family_of
from ablation.analysis.families import family
from ablation.analysis.planning import can_be_foreseen, foresee
from ablation.analysis.power import blocks_needed, detectable_effect

TWO_LEVELS = {letter: (f"{letter}0", f"{letter}1") for letter in "abcde"}
THREE_BY_TWO = {"a": ("a0", "a1", "a2"), "b": ("b0", "b1")}


def contrasts_of(design, factors, resolution=5):
    arms = {
        "contrasts": one_factor_arms,
        "factorial": factorial_arms,
        "fractional": lambda names: fractional_arms(names, resolution),
    }[design](factors)
    return family(design, arms, next(iter(arms)), factors)


@pytest.mark.parametrize("blocks", [2, 3, 5, 10])
def test_contrasts_against_one_baseline_are_as_in_power(blocks):
    for one in foresee(contrasts_of("contrasts", TWO_LEVELS), 0.003, blocks, 0.004):
        assert one.detectable == pytest.approx(detectable_effect(5, blocks, 0.003), rel=1e-6)
        assert one.blocks_needed == blocks_needed(0.004, 5, 0.003)


def test_main_effects_of_a_factorial_are_as_in_power_and_interactions_take_twice_the_effect():
    seen = foresee(contrasts_of("factorial", TWO_LEVELS), 0.003, 3, 0.002)
    mains, pairs = [one for one in seen if one.contrast.kind == "main"], seen[5:]
    assert {round(one.detectable, 9) for one in mains} == {round(detectable_effect(15, 3, 0.003, num_arms=32), 9)}
    assert [one.detectable for one in pairs] == pytest.approx([2 * mains[0].detectable] * 10)
    assert {one.blocks_needed for one in mains} == {blocks_needed(0.002, 15, 0.003, num_arms=32)}
    assert {one.blocks_needed for one in pairs} == {blocks_needed(0.001, 15, 0.003, num_arms=32)}


def test_one_contrast_is_a_paired_t_test():
    (one,) = foresee(contrasts_of("contrasts", {"a": ("a0", "a1")}), 0.01, 6)
    expected = 0.01 * np.sqrt(2) * TTestPower().solve_power(None, nobs=6, alpha=0.05, power=0.8)
    assert one.detectable == pytest.approx(expected, rel=1e-3)
    assert one.blocks_needed is None


@pytest.mark.parametrize(
    ("design", "factors", "resolution"),
    [
        ("contrasts", TWO_LEVELS, 5),
        ("factorial", THREE_BY_TWO, 5),
        ("fractional", TWO_LEVELS, 5),
        ("fractional", TWO_LEVELS, 3),
    ],
)
def test_simulated_studies_find_the_detectable_effect_of_any_contrast_in_four_of_five(design, factors, resolution):
    contrasts = contrasts_of(design, factors, resolution)
    weights, studies, blocks = np.array([one.weights for one in contrasts]), 10_000, 4
    arms = weights.shape[1]
    freedom = (arms - 1) * (blocks - 1)
    critical, generator = family_of(weights, freedom).critical(0.95), np.random.default_rng(3)
    noise = generator.standard_normal((studies, arms, blocks)) + 3 * generator.standard_normal((studies, 1, blocks))
    for at in (0, len(contrasts) - 1):
        seen, row = foresee(contrasts, 1.0, blocks)[at], weights[at]
        scores = noise + (row * seen.detectable / (row @ row))[:, None]  # the least means whose contrast is the effect
        residuals = scores - scores.mean(1, keepdims=True) - scores.mean(2, keepdims=True)
        residuals += scores.mean((1, 2), keepdims=True)
        error = np.sqrt((residuals**2).sum((1, 2)) / freedom * (row @ row) / blocks)
        assert ((scores.mean(2) @ row) / error > critical).mean() == pytest.approx(0.8, abs=0.015)


def test_the_blocks_needed_are_the_fewest():
    contrasts = contrasts_of("factorial", THREE_BY_TWO)
    for at, one in enumerate(foresee(contrasts, 0.004, 3, 0.005)):
        assert foresee(contrasts, 0.004, one.blocks_needed)[at].detectable <= 0.005
        assert foresee(contrasts, 0.004, one.blocks_needed - 1)[at].detectable > 0.005


def test_one_seed_block_sees_nothing_and_nobody_trains_for_ever():
    (one,) = foresee(contrasts_of("contrasts", {"a": ("a0", "a1")}), 0.01, 1, 1e-7)
    assert (one.detectable, one.blocks_needed) == (None, None)
    assert foresee([], 0.01, 5) == ()


def test_a_large_plan_is_foreseen_in_a_moment_and_one_too_large_is_known_unlisted():
    names = {f"f{at}": ("0", "1") for at in range(10)}
    started = time.process_time()
    assert can_be_foreseen("factorial", 1024, names)
    assert len(foresee(contrasts_of("factorial", names), 0.01, 5, 0.001)) == 55
    assert time.process_time() - started < 3
    assert not can_be_foreseen(
        "factorial", 22_500, {"a": tuple(map(str, range(150))), "b": tuple(map(str, range(150)))}
    )
    assert not can_be_foreseen("contrasts", 5000, {"a": tuple(map(str, range(300)))})


def test_more_contrasts_than_are_integrated_share_the_error_rate_out():
    few, many = ({"a": tuple(map(str, range(levels)))} for levels in (200, 203))
    detectable = [foresee(contrasts_of("contrasts", names), 0.01, 5)[0].detectable for names in (few, many)]
    assert detectable[0] < detectable[1] < 1.1 * detectable[0]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.3pp", ("accuracy", 0.003)),
        ("0.3 PP", ("accuracy", 0.003)),
        (" .5pp ", ("accuracy", 0.005)),
        ("0.02nats", ("loss", 0.02)),
        ("2 nats", ("loss", 2.0)),
        *(
            (text, None)
            for text in ("", "0.3", "pp", "0.3%", "-1pp", "1e-3pp", "0.3pp of it", "nanpp", "٣pp", "0.3.1pp")
        ),
    ],
)
def test_amounts_are_read_with_their_unit(text, amount):
    got = parse_amount(text)
    assert got == (None if amount is None else (amount[0], pytest.approx(amount[1])))


def test_amounts_are_written_with_their_unit():
    assert (amount_text(0.003, "accuracy"), amount_text(0.02, "loss")) == ("0.30 pp", "0.020 nats")
