"""Fractions of the two-level factorial: the smallest that there are, and what they cannot tell apart."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from ablation.fractions import MOST_FACTORS, Fraction, factors_in, fraction_of, sign_of, smallest_fraction

ALL = [(factors, resolution) for factors in range(1, MOST_FACTORS + 1) for resolution in (3, 4, 5)]
REPEATED = [
    (factors, resolution)
    for factors, resolution in ALL
    if smallest_fraction(factors, resolution).num_arms <= 128 and factors < (16 if resolution == 3 else 17)
]
"""Whose exhaustive search takes Python under a second; 256 arms have millions of fractions."""

PUBLISHED = {
    (5, 8): (2, 1), (6, 8): (4, 3), (7, 8): (7, 7), (6, 16): (0, 3), (7, 16): (0, 7), (8, 16): (0, 14),
    (9, 16): (4, 14), (10, 16): (8, 18), (11, 16): (12, 26), (9, 32): (0, 6), (10, 32): (0, 10), (11, 32): (0, 25),
    (8, 64): (0, 0, 2), (10, 128): (0, 0, 3), (11, 128): (0, 0, 6),
}  # fmt: skip
"""Words of length 3, 4, 5 by factors and arms: Wu and Hamada (2009), Experiments, appendix of chapter 5."""


def word_lengths(columns: Sequence[int]) -> tuple[int, ...]:
    """How many words of each length, from 3 on, by trying every set of factors but those of the free ones alone."""
    sums, lengths = np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    for column in columns:
        sums, lengths = np.concatenate([sums, sums ^ column]), np.concatenate([lengths, lengths + 1])
    counts = np.bincount(lengths[(sums == 0) & (lengths > 0)], minlength=len(columns) + 1)
    assert not counts[:3].any()
    return tuple(map(int, counts[3:]))


def every_fraction(num_free: int, num_factors: int, resolution: int) -> Iterator[tuple[int, ...]]:
    """The columns of every regular fraction of at least this resolution, but for the order of the free factors."""
    free = tuple(1 << at for at in range(num_free))

    def extend(columns: tuple[int, ...], candidates: list[int]) -> Iterator[tuple[int, ...]]:
        if len(columns) == num_factors:
            yield columns
            return
        for at, column in enumerate(candidates[: len(candidates) - (num_factors - len(columns)) + 1]):
            sums = {column, *(column ^ one for one in columns if resolution > 3)}
            if resolution > 4:
                sums |= {column ^ one ^ other for one, other in itertools.combinations(columns, 2)}
            yield from extend((*columns, column), [one for one in candidates[at + 1 :] if one not in sums])

    for weight in range(resolution - 1, num_free + 1):  # the longest generator names the first factors
        first = (1 << weight) - 1
        sums = {first, *(first ^ one for one in free if resolution > 3)}
        if resolution > 4:
            sums |= {first ^ one ^ other for one, other in itertools.combinations(free, 2)}
        rest = [c for c in range(1, 1 << num_free) if resolution - 1 <= c.bit_count() <= weight and c not in sums]
        yield from extend((*free, first), rest)


@pytest.mark.parametrize(("factors", "resolution"), ALL)
def test_a_fraction_has_the_baseline_the_asked_resolution_and_every_arm_once(factors: int, resolution: int) -> None:
    fraction = smallest_fraction(factors, resolution)
    runs = list(fraction.runs())
    assert runs[0] == 0
    assert len(set(runs)) == len(runs) == fraction.num_arms
    assert (fraction.resolution or 99) >= resolution
    # Any resolution - 1 factors see all their combinations equally often: what resolution means for the arms.
    for chosen in itertools.islice(itertools.combinations(range(factors), min(resolution - 1, factors)), 20):
        seen = [tuple(run >> factor & 1 for factor in chosen) for run in runs]
        assert {seen.count(levels) for levels in itertools.product((0, 1), repeat=len(chosen))} == {
            fraction.num_arms >> len(chosen)
        }


@pytest.mark.parametrize(("factors", "resolution"), REPEATED)
def test_no_fraction_is_smaller_or_of_less_aberration(factors: int, resolution: int) -> None:
    fraction = smallest_fraction(factors, resolution)
    if fraction.num_free < factors:
        best = min(map(word_lengths, every_fraction(fraction.num_free, factors, resolution)))
        assert word_lengths(fraction.columns) == best
    assert not any(every_fraction(fraction.num_free - 1, factors, resolution))


@pytest.mark.parametrize(("factors", "arms"), PUBLISHED)
def test_word_lengths_are_those_of_published_tables(factors: int, arms: int) -> None:
    found = {smallest_fraction(factors, resolution) for resolution in (3, 4, 5)}
    (fraction,) = [one for one in found if one.num_arms == arms]
    known = PUBLISHED[factors, arms]
    assert word_lengths(fraction.columns)[: len(known)] == known


@pytest.mark.parametrize(("factors", "arms", "resolution"), [(12, 256, 6), (16, 256, 5), (7, 64, 7), (4, 16, None)])
def test_the_resolution_may_be_more_than_asked(factors: int, arms: int, resolution: int | None) -> None:
    fraction = smallest_fraction(factors, 5)
    assert (fraction.num_arms, fraction.resolution) == (arms, resolution)
    assert fraction.num_combinations == 2**factors


@pytest.mark.parametrize(("factors", "resolution"), [(5, 3), (6, 3), (6, 4), (9, 4), (8, 5), (15, 3)])
def test_the_defining_relation_and_the_aliases_are_what_the_arms_say(factors: int, resolution: int) -> None:
    fraction = smallest_fraction(factors, resolution)
    coded = np.array([[2 * (run >> factor & 1) - 1 for factor in range(factors)] for run in fraction.runs()])
    words = fraction.words()
    assert len(words) == 2 ** (factors - fraction.num_free) - 1
    assert len(set(words)) == len(words)
    for word in words[:50]:
        assert (coded[:, list(factors_in(word))].prod(axis=1) == sign_of(word)).all()
    chains = fraction.aliases()
    assert sorted(effect for chain in chains for effect in chain) == sorted(
        sum(1 << factor for factor in chosen)
        for size in (1, 2)
        for chosen in itertools.combinations(range(factors), size)
    )
    columns = [[coded[:, list(factors_in(effect))].prod(axis=1) for effect in chain] for chain in chains]
    heads = np.array([chain[0] for chain in columns])
    assert (heads @ heads.T == fraction.num_arms * np.eye(len(heads))).all()  # chains are apart, their members are not
    assert all(abs(chain[0] @ other) == fraction.num_arms for chain in columns for other in chain)


@pytest.mark.parametrize(("factors", "resolution"), [(2, 3), (6, 3), (6, 4), (11, 5)])
def test_a_fraction_is_known_again_from_its_arms_in_any_order(factors: int, resolution: int) -> None:
    fraction = smallest_fraction(factors, resolution)
    runs = list(np.random.default_rng(1).permutation(list(fraction.runs())).tolist())
    known = fraction_of(runs, factors)
    assert known is not None
    assert (known.words(), known.aliases()) == (fraction.words(), fraction.aliases())


@pytest.mark.parametrize(
    "runs", [[0, 1, 2], [0, 1, 2, 4], [1, 2, 4, 7], [0, 3, 5, 6, 6], [0, 1, 1, 0], [3, 5, 6]], ids=str
)
def test_arms_that_are_no_regular_fraction_are_none(runs: list[int]) -> None:
    assert fraction_of(runs, 3) is None


def test_more_factors_than_are_listed_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 16 factors"):
        smallest_fraction(MOST_FACTORS + 1, 3)


def test_the_half_of_three_factors_is_written_out() -> None:
    assert smallest_fraction(3, 3) == Fraction(columns=(0b01, 0b10, 0b11), num_free=2)
    assert list(smallest_fraction(3, 3).runs()) == [0b000, 0b101, 0b110, 0b011]
    assert smallest_fraction(3, 3).aliases() == [(0b001, 0b110), (0b010, 0b101), (0b100, 0b011)]
