"""Statistics over images and classes, held against statsmodels, scipy and plain formulas."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar as reference_mcnemar

from ablation.analysis.images import mcnemar, over_classes, over_images


def two_models(num_images: int, seed: int, accuracies: tuple[float, float] = (0.9, 0.88)):
    draws = np.random.default_rng(seed).random((2, num_images))
    return draws[0] < accuracies[0], draws[1] < accuracies[1]


@pytest.mark.parametrize(("num_images", "seed"), [(12, 0), (60, 1), (500, 2), (10_000, 3)])
def test_mcnemar_is_that_of_statsmodels(num_images, seed):
    first, second = two_models(num_images, seed)
    table = [[(one & two).sum() for two in (second, ~second)] for one in (first, ~first)]
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (table[0][1], table[1][0])
    assert found.p == pytest.approx(reference_mcnemar(table, exact=True).pvalue, rel=1e-9)


def test_models_that_never_differ_have_no_evidence_against_them():
    right = np.array([True, False, True])
    assert mcnemar(right, right).p == 1


def test_mcnemar_of_two_equal_models_is_rarely_small():
    """The exact test never exceeds its level."""
    small = sum(mcnemar(*two_models(400, seed, (0.8, 0.8))).p < 0.05 for seed in range(300))
    assert small / 300 < 0.05 + 2 * np.sqrt(0.05 * 0.95 / 300)


def test_the_error_over_images_is_that_of_a_mean_of_one_value_an_image():
    values = np.random.default_rng(4).choice([-1.0, -0.5, 0.0, 0.5], size=2000, p=[0.02, 0.05, 0.9, 0.03])
    found = over_images(values, 2)
    expected = stats.ttest_1samp(values, 0)
    interval = expected.confidence_interval(0.95)
    assert (found.effect, found.standard_error) == pytest.approx((values.mean(), stats.sem(values)))
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert (found.gained, found.lost) == ((values > 0).sum(), (values < 0).sum())
    assert (found.images, found.seed_blocks) == (2000, 2)


def test_more_seeds_on_the_same_images_are_not_more_images():
    """Ten copies of one block's differences leave the error over images as it is."""
    one_block = np.random.default_rng(5).choice([-1.0, 0.0, 1.0], size=1000, p=[0.06, 0.9, 0.04])
    ten_blocks = np.mean([one_block] * 10, axis=0)
    assert over_images(ten_blocks, 10).standard_error == pytest.approx(over_images(one_block, 1).standard_error)


def test_rounding_is_neither_gain_nor_loss():
    third = 1 / 3
    assert over_images(np.array([3 * third - 1, 0.1 + 0.2 - 0.3, 0.5]), 3).gained == 1


def test_one_image_has_no_error():
    assert over_images(np.array([1.0]), 3) is None


def test_a_class_is_a_paired_t_corrected_over_the_classes():
    differences = np.random.default_rng(6).normal(0.02, 0.03, (4, 6))
    for row, found in zip(differences, over_classes(differences), strict=True):
        alone = stats.ttest_1samp(row, 0)
        interval = alone.confidence_interval(1 - 0.05 / 4)
        assert found.p == pytest.approx(min(1, 4 * alone.pvalue))
        assert (found.interval.low, found.interval.high) == pytest.approx((interval.low, interval.high))


def test_a_class_without_images_or_without_spread_is_not_tested_and_takes_nothing_from_the_others():
    nothing, same = np.full(5, np.nan), np.full(5, 0.1)
    spread = np.array([0.01, 0.02, 0.03, 0.02, np.nan])
    empty, level, tested = over_classes(np.array([nothing, same, spread]))
    assert (empty.effect, empty.blocks) == (None, 0)
    assert (level.effect, level.interval) == (pytest.approx(0.1), None)
    assert tested.blocks == 4
    assert tested.p == pytest.approx(stats.ttest_1samp(spread[:4], 0).pvalue)  # alone in its family


def test_without_any_class_there_is_nothing():
    assert over_classes(np.empty((0, 3))) == []
    assert [one.effect for one in over_classes(np.full((2, 0), np.nan))] == [None, None]
