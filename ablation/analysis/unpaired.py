"""Differences of two samples that share no seed block: Welch's t. Knows only arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

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
    parts = np.array([one.var(ddof=1) / len(one), two.var(ddof=1) / len(two)])
    error = float(np.sqrt(parts.sum()))
    freedom = float(parts.sum() ** 2 / (parts**2 / (np.array([len(one), len(two)]) - 1)).sum())
    reaches = [float(special.stdtrit(freedom, 1 - (1 - level) / (2 * count))) * error for level in _LEVELS]
    interval, equivalence = (Interval(effect - reach, effect + reach) for reach in reaches)
    p = float(2 * special.stdtr(freedom, -abs(effect) / error))
    return Estimate(effect, blocks, interval, equivalence, p=min(1.0, count * p))
