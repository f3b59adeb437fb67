"""Bounds for many looks: what they spend in all, and that p and interval agree."""

import numpy as np
import pytest
from scipy import special

from ablation.analysis.looks import Looks, anytime_bound, anytime_p, look_numbers


def simulated(components: int, paths: int = 20_000) -> np.ndarray:
    """Two-sided p of a mean after each of 20 seed blocks without any effect, the error having so many components."""
    generator = np.random.default_rng(components)
    scores = generator.standard_normal((paths, 20, components))
    number = np.arange(1, 21)
    mean = scores.cumsum(axis=1) / number[:, None]
    squares = ((scores**2).cumsum(axis=1) - number[:, None] * mean**2).sum(axis=2)
    freedom = components * (number - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.abs(mean[:, :, 0]) * np.sqrt(number * freedom / squares)
    return 2 * special.stdtr(freedom, -t)


def test_looks_are_at_every_block_and_from_twenty_on_at_every_tenth_part() -> None:
    assert list(look_numbers(3, 8)) == [3, 4, 5, 6, 7, 8]
    assert list(look_numbers(19, 27)) == [19, 20, 22, 24, 26, 27]


@pytest.mark.parametrize("components", [1, 4])
@pytest.mark.parametrize("rate", [0.05, 0.0125])
def test_all_looks_together_spend_the_error_rate_and_no_more(components: int, rate: float) -> None:
    looks = Looks(3, 20, components)
    p = simulated(components)
    crossed = np.zeros(len(p), dtype=bool)
    for number in looks.numbers():
        crossed |= p[:, number - 1] < looks.level(number, rate)
    error = np.sqrt(rate / len(p))
    assert crossed.mean() < rate + 2 * error
    assert crossed.mean() > 0.8 * rate - 3 * error


def test_the_first_look_spends_little_and_each_later_one_asks_less() -> None:
    looks = Looks(3, 20, 4)
    levels = [looks.level(number, 0.05) for number in looks.numbers()]
    assert levels == sorted(levels)
    assert levels[0] < 0.05 * (3 / 20) ** 2.5
    assert 0.015 < levels[-1] < 0.05


@pytest.mark.parametrize("p", [1e-6, 0.001, 0.004, 0.02])
def test_the_p_of_a_look_is_the_rate_at_which_it_just_rejects(p: float) -> None:
    looks = Looks(3, 20, 4)
    assert looks.level(10, looks.error_rate(10, p)) == pytest.approx(p, rel=1e-9)


def test_beyond_what_is_tabulated_p_is_at_its_ends() -> None:
    looks = Looks(3, 20, 1)
    assert looks.error_rate(10, 0.0) == looks.error_rate(10, 1e-300) < 1e-7
    assert looks.error_rate(10, 1.0) == 1.0


@pytest.mark.parametrize(("blocks", "freedom"), [(6, 20), (8, 28), (30, 29)])
def test_the_anytime_bound_is_where_its_p_is_the_rate(blocks: int, freedom: int) -> None:
    bound = anytime_bound(0.0125, blocks, freedom)
    assert bound is not None
    assert anytime_p(bound, blocks, freedom) == pytest.approx(0.0125)
    assert anytime_p(-2 * bound, blocks, freedom) < 0.0125
    assert bound > special.stdtrit(freedom, 1 - 0.0125 / 2)


def test_so_few_blocks_that_nothing_is_enough_have_no_bound() -> None:
    assert anytime_bound(0.05, 3, 2) is None
    assert anytime_p(1e9, 3, 2) > 0.05


def test_looking_whenever_one_likes_seldom_finds_what_is_not_there() -> None:
    p = simulated(1)
    t = special.stdtrit(np.arange(1, 20), 1 - p[:, 1:] / 2)
    found = np.zeros(len(p), dtype=bool)
    for number in range(3, 21):
        bound = anytime_bound(0.05, number, number - 1)
        if bound is not None:
            found |= t[:, number - 2] > bound
    assert 0.002 < found.mean() < 0.05
