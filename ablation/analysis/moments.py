"""Contrasts with their standard errors, in one of three ways. Knows only arrays, no study and no words.

Scores are an array of arms x seed blocks, NaN where a trial gave no score; weights one of contrasts x arms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_ROUNDING = 1e-12  # spread below this part of the scores' size is rounding, not noise


@dataclass(frozen=True, slots=True)
class Moments:
    """What the scores say of one contrast, before anything is made of it."""

    effect: float | None
    blocks: int
    error: float | None = None
    """Standard error; None where nothing can be tested: fewer than two blocks, or no spread between them."""
    freedom: float = 0.0
    """Degrees of freedom of the error."""

    @property
    def t(self) -> float:
        """The effect in standard errors."""
        assert self.effect is not None
        assert self.error is not None, "only what has a spread is tested"
        return self.effect / self.error

    @property
    def block_sd(self) -> float | None:
        """Standard deviation of the contrast in one seed block."""
        return None if self.error is None else self.error * math.sqrt(self.blocks)


@dataclass(frozen=True, slots=True)
class BlockedFit:
    """The least squares fit of score = arm + seed block + error to a complete table."""

    means: Floats
    residuals: Floats
    freedom: int

    @property
    def error_sd(self) -> float:
        """Standard deviation of the error, NaN where no degree of freedom is left."""
        return float(np.sqrt((self.residuals**2).sum() / self.freedom)) if self.freedom else float("nan")


def fit_blocked(scores: Floats) -> BlockedFit:
    """Fit a complete table of at least one arm and one block.

    In closed form, which a complete table has; the golden tables hold it to the least squares of statsmodels, whose
    import takes a second, and whose fit a thousand times as long.
    """
    means, blocks = scores.mean(axis=1), scores.mean(axis=0)
    residuals = scores - means[:, None] - blocks + scores.mean()
    return BlockedFit(means, residuals, (scores.shape[0] - 1) * (scores.shape[1] - 1))


def pooled(scores: Floats, weights: Floats) -> list[Moments]:
    """With the one error of the blocked linear model. The table is complete."""
    fit, blocks = fit_blocked(scores), scores.shape[1]
    effects = weights @ fit.means
    if not fit.freedom or fit.error_sd <= _ROUNDING * np.abs(scores).max():
        return [Moments(float(effect), blocks) for effect in effects]
    errors = fit.error_sd * np.sqrt((weights**2).sum(axis=1)) / np.sqrt(blocks)
    return [
        Moments(effect, blocks, error, fit.freedom)
        for effect, error in zip(effects.tolist(), errors.tolist(), strict=True)
    ]


def with_noisy_baseline(scores: Floats, weights: Floats, baseline: int) -> list[Moments]:
    """With an error of the baseline's own beside the one of all other arms, whose sum Satterthwaite's freedom judges.

    Each contrast is a level's part, whose weights add up to one, minus the baseline. It is split into what the baseline
    is away from the other arms' mean and what those differ by among themselves: two independent parts. The table is
    complete, with three or more arms and two or more blocks (Satterthwaite 1946, doi.org/10.2307/3002019).
    """
    others, own = np.delete(scores, baseline, axis=0), np.delete(weights, baseline, axis=1)
    fit, (arms, blocks) = fit_blocked(others), others.shape
    away = (scores[baseline] - others.mean(axis=0)).var(ddof=1)
    among = fit.error_sd**2 * ((own - 1 / arms) ** 2).sum(axis=1)
    freedom = (away + among) ** 2 / (away**2 / (blocks - 1) + among**2 / fit.freedom)
    errors = np.sqrt((away + among) / blocks)
    effects = weights @ scores.mean(axis=1)
    rows = zip(effects.tolist(), errors.tolist(), freedom.tolist(), strict=True)
    # Rounded down to a tenth, so that few distributions are integrated.
    return [Moments(effect, blocks, error, math.floor(10 * free) / 10) for effect, error, free in rows]


def with_noisy_arms(scores: Floats, weights: Floats, noisy: Sequence[int]) -> list[Moments]:
    """With the pooled error, and an error of its own, if that is larger, where a contrast reads one of these arms.

    Each contrast is one arm minus another one. The noisy ones stay in the pooled error: taken out because they looked
    noisy, they would leave one that is too small.
    """
    found = pooled(scores, weights)
    for arm in noisy:
        turned = with_noisy_baseline(scores, -weights, arm)
        for at in np.flatnonzero(weights[:, arm] > 0).tolist():
            found[at] = max(found[at], replace(turned[at], effect=found[at].effect), key=_error)
    return found


def _error(measured: Moments) -> float:
    return measured.error or 0.0


def paired_differences(scores: Floats, weights: Floats) -> list[Moments]:
    """With an error of each contrast's own, over the blocks that have all of its arms.

    The paired t of scipy's `ttest_1samp`, which the golden tables hold it to. Written out, since scipy takes ten times
    as long, and growing plans and simulated studies come here at every look.
    """
    return [_of_values(in_each_block(scores, row), scores) for row in weights]


def in_each_block(scores: Floats, weights: Floats) -> Floats:
    """One contrast in every block that has all arms it reads."""
    arms = weights != 0
    complete = np.isfinite(scores[arms]).all(axis=0)
    return np.asarray(weights[arms] @ scores[arms][:, complete], dtype=np.float64)


def _of_values(values: Floats, scores: Floats) -> Moments:
    effect = float(values.mean()) if values.size else None
    if values.size < 2 or float(values.std(ddof=1)) <= _ROUNDING * float(np.nanmax(np.abs(scores))):
        return Moments(effect, values.size)
    return Moments(effect, values.size, float(values.std(ddof=1)) / math.sqrt(values.size), values.size - 1)
