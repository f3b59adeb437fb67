"""Differences of two samples that share no seed block: Welch's t, by scipy. Knows only arrays."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ablation.analysis.estimates import EQUIVALENCE_LEVEL, LEVEL, Estimate, Interval

Floats = NDArray[np.float64]

_LEVELS = (LEVEL, EQUIVALENCE_LEVEL)
_ROUNDING = 1e-12  # spread below this part of the scores' size is rounding, not noise


def welch(first: Floats, second: Floats) -> list[Estimate]:
    """Each row of `second` minus that of `first`, by Welch's t with Bonferroni's correction over the rows (1947).

    Rows x blocks, NaN where a block has no value; the number of blocks of an estimate is that of both together. Rows
    with fewer than two blocks on a side, or without spread, are not tested.
    """
    rows = [(one[np.isfinite(one)], two[np.isfinite(two)]) for one, two in zip(first, second, strict=True)]
    count = sum(_can_be_tested(one, two) for one, two in rows)
    return [_difference(one, two, count) for one, two in rows]


def _can_be_tested(one: Floats, two: Floats) -> bool:
    if min(len(one), len(two)) < 2:
        return False
    return float(max(one.std(), two.std())) > _ROUNDING * float(max(np.abs(one).max(), np.abs(two).max()))


def _difference(one: Floats, two: Floats, count: int) -> Estimate:
    blocks = len(one) + len(two)
    effect = float(two.mean() - one.mean()) if len(one) and len(two) else None
    if effect is None or not _can_be_tested(one, two):
        return Estimate(effect, blocks)
    with warnings.catch_warnings():  # scipy's, of a side without spread: the other one has some
        warnings.simplefilter("ignore", RuntimeWarning)
        tested = stats.ttest_ind(two, one, equal_var=False)
    ends = [tested.confidence_interval(1 - (1 - level) / count) for level in _LEVELS]
    interval, equivalence = (Interval(float(each.low), float(each.high)) for each in ends)
    return Estimate(effect, blocks, interval, equivalence, p=min(1.0, count * float(tested.pvalue)))
