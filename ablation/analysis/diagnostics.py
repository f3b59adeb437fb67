"""Does the blocked model fit? Equal variances, what the pairing gained, and how noisy an arm is. Knows only arrays.

All read the residuals of the blocked model (arms x seed blocks), so a seed block's own luck is taken out before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special, stats

from ablation.analysis.moments import fit_blocked

Floats = NDArray[np.float64]

_ROUNDING = 1e-12


def brown_forsythe(scores: Floats) -> float | None:
    """The p of Brown and Forsythe's test of equal variances (1974, doi.org/10.1080/01621459.1974.10482955).

    None where residuals cannot differ in spread by construction: fewer than three arms or blocks, or no spread.
    """
    if min(scores.shape) < 3:
        return None
    residuals = fit_blocked(scores).residuals
    away = np.abs(residuals - np.median(residuals, axis=1, keepdims=True))
    if away.std(axis=1).max() <= _ROUNDING * np.abs(scores).max():
        return None
    return float(stats.levene(*residuals, center="median").pvalue)


def noisier(scores: Floats) -> Floats | None:
    """For each arm the p of an F test that its error variance exceeds that of the others, which are taken as equal.

    Brown-Forsythe sees one noisy arm late. In closed form from the residuals: with a arms, a / (a - 1) times the sum of
    squares of an arm's residuals is its part of the sum of all, and independent of the others' own. None with fewer
    than three arms or two blocks; 1 where the others have no spread.
    """
    arms, blocks = scores.shape
    if arms < 3 or blocks < 2:
        return None
    squares = (fit_blocked(scores).residuals ** 2).sum(axis=1)
    part = squares * arms / (arms - 1)
    rest = np.maximum(squares.sum() - part, 0.0)
    told = rest > (arms - 2) * (blocks - 1) * (_ROUNDING * np.abs(scores).max()) ** 2
    ratio = np.divide(part * (arms - 2), rest, out=np.zeros(arms), where=told)
    return np.asarray(special.fdtrc(blocks - 1, (arms - 2) * (blocks - 1), ratio), dtype=np.float64)


def correlation_between_arms(scores: Floats) -> float | None:
    """The correlation of two arms over the seed blocks: the share of a score's variance that its block explains.

    From the mean squares of the blocked model; negative where blocks differ less than chance would have it.
    """
    arms = scores.shape[0]
    if min(scores.shape) < 2:
        return None
    error = fit_blocked(scores).error_sd ** 2
    between = arms * scores.mean(axis=0).var(ddof=1)
    total = between + (arms - 1) * error
    if total <= (_ROUNDING * np.abs(scores).max()) ** 2:
        return None
    return float((between - error) / total)


def variance_ratio(scores: Floats) -> float | None:
    """Largest over smallest variance of the arms' residuals.

    None where two arms mirror each other or one has no spread.
    """
    if scores.shape[0] < 3 or scores.shape[1] < 2:
        return None
    variances = fit_blocked(scores).residuals.var(axis=1)
    smallest = float(variances.min())
    return float(variances.max()) / smallest if smallest > (_ROUNDING * np.abs(scores).max()) ** 2 else None


def residual_sd(scores: Floats) -> float | None:
    """Standard deviation of one trial's score within its seed block, None without a degree of freedom."""
    fit = fit_blocked(scores)
    return fit.error_sd if fit.freedom else None
