"""Does the blocked model fit? Equal variances, what the pairing gained, and how noisy an arm is. Knows only arrays.

All read the residuals of the blocked model (arms x seed blocks), so a seed block's own luck is taken out before.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

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
    within = ((away - away.mean(axis=1, keepdims=True)) ** 2).sum()
    if within <= (_ROUNDING * np.abs(scores).max()) ** 2:
        return None
    arms, blocks = scores.shape
    between = blocks * ((away.mean(axis=1) - away.mean()) ** 2).sum()
    ratio = (between / (arms - 1)) / (within / (arms * (blocks - 1)))
    return float(special.fdtrc(arms - 1, arms * (blocks - 1), ratio))


def noisier_baseline(scores: Floats, baseline: int) -> float | None:
    """The p of an F test that the baseline's error variance exceeds that of the other arms, which are taken as equal.

    Every contrast reads the baseline, and Brown-Forsythe sees one noisy arm late: with a baseline of 3.5 times the
    variance, four contrasts and five blocks, pooled intervals alone give 10 % of studies a false finding. None with
    fewer than two other arms or blocks, or without spread among the others.
    """
    others = np.delete(scores, baseline, axis=0)
    if min(others.shape) < 2:
        return None
    fit = fit_blocked(others)
    if fit.error_sd <= _ROUNDING * np.abs(scores).max():
        return None
    against_mean = scores[baseline] - others.mean(axis=0)
    variance = against_mean.var(ddof=1) / (1 + 1 / len(others))
    return float(special.fdtrc(scores.shape[1] - 1, fit.freedom, variance / fit.error_sd**2))


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
