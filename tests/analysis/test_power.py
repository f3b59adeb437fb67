import itertools

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower, TTestPower

from ablation.analysis.power import (
    blocks_needed,
    detectable_effect,
    fewest_blocks,
    measured_spread,
    published_spread,
)

PUBLISHED = {3: 3.07, 5: 2.02, 8: 1.51, 10: 1.32, 15: 1.06, 20: 0.91, 30: 0.74}


@pytest.mark.parametrize(("blocks", "effect"), PUBLISHED.items())
def test_the_table_of_detectable_effects_is_that_of_two_unpaired_arms(blocks, effect):
    got = detectable_effect(1, blocks, 1.0, correlation=None)
    assert got == pytest.approx(effect, abs=0.005)
    assert got == pytest.approx(TTestIndPower().solve_power(None, nobs1=blocks, alpha=0.05, power=0.8), abs=1e-3)


def test_one_paired_contrast_is_a_paired_t_test():
    effect_of_differences = TTestPower().solve_power(None, nobs=6, alpha=0.05, power=0.8)
    for correlation in (0.0, 0.6):
        expected = effect_of_differences * np.sqrt(2 * (1 - correlation))
        assert detectable_effect(1, 6, 1.0, correlation=correlation) == pytest.approx(expected, abs=1e-3)


def test_the_effect_scales_with_the_spread():
    assert detectable_effect(4, 5, 0.002) == pytest.approx(0.002 * detectable_effect(4, 5, 1.0))


def test_a_factorial_sees_smaller_main_effects_than_the_same_trials_one_by_one():
    # 32 trials of three factors: eight arms in four blocks, or a baseline and three arms in eight
    factorial = detectable_effect(6, 4, 1.0, num_arms=8)
    assert factorial < detectable_effect(3, 8, 1.0)


def test_simulated_studies_find_the_detectable_effect_in_four_of_five():
    generator, effect = np.random.default_rng(5), detectable_effect(1, 5, 1.0)
    differences = effect + np.sqrt(2) * generator.standard_normal((4000, 5))
    found = stats.ttest_1samp(differences, 0, axis=1).pvalue < 0.05
    assert found.mean() == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("blocks", [0, 1])
def test_fewer_than_two_blocks_detect_nothing(blocks):
    assert detectable_effect(3, blocks, 0.01) is None


def test_blocks_needed_is_the_least_number_that_detects_the_effect():
    needed = blocks_needed(0.002, 4, 0.0019)
    assert detectable_effect(4, needed, 0.0019) <= 0.002 < detectable_effect(4, needed - 1, 0.0019)
    assert blocks_needed(-0.002, 4, 0.0019) == needed
    assert blocks_needed(1e-9, 4, 0.0019) is None


@pytest.mark.parametrize("least", [2, 3, 4, 5, 63, 64, 65, 9_999, 10_000])
def test_the_search_for_the_fewest_blocks_is_exact(least):
    assert fewest_blocks(lambda blocks: blocks >= least) == least


def test_more_blocks_than_anyone_trains_is_none():
    assert fewest_blocks(lambda blocks: False) is None


@pytest.mark.parametrize(("epochs", "between"), [(1, 0.0056), (4, 0.0056), (16, 0.0019), (64, 0.0015), (200, 0.0015)])
def test_the_published_spread_is_named_and_the_test_sets_own_error_is_added(epochs, between):
    spread = published_spread(epochs, 10_000, expected_accuracy=0.94)
    assert spread.sd == pytest.approx(np.hypot(between, 0.002375), rel=1e-3)
    assert "Jordan 2024" in spread.source
    assert "10,000 test images" in spread.source


def test_between_published_epochs_the_spread_falls_steadily():
    spreads = [published_spread(epochs, 10**9).sd for epochs in range(4, 65)]
    assert all(later < earlier for earlier, later in itertools.pairwise(spreads))


def test_measured_residuals_say_where_they_come_from():
    assert (
        measured_spread(0.003, 5, "runs/augmentation").source
        == "measured: residuals of 5 seed blocks of runs/augmentation"
    )


@pytest.mark.parametrize(("contrasts", "sd"), [(0, 1.0), (2, 0.0)])
def test_a_plan_without_contrasts_or_spread_is_refused(contrasts, sd):
    with pytest.raises(ValueError, match="at least one contrast"):
        detectable_effect(contrasts, 5, sd)
