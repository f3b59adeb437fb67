"""Contrasts with simultaneous intervals and adjusted p: what was measured, held to a yardstick for its family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy import special

from ablation.analysis.looks import Looks, anytime_bound, anytime_p
from ablation.analysis.moments import Floats, Moments, paired_differences, pooled
from ablation.analysis.multiplicity import Correlation, Family, holm

LEVEL = 0.95
_KNOWN = 1e6  # so many degrees of freedom are as good as a known error
EQUIVALENCE_LEVEL = 0.90  # two one-sided tests at 5 % are one 90 % interval
_ERROR_RATE = 1 - LEVEL
_BOTH_SIDES = 1 - EQUIVALENCE_LEVEL


@dataclass(frozen=True, slots=True)
class Interval:
    """Both ends, in the metric's own unit."""

    low: float
    high: float

    def within(self, margin: float) -> bool:
        """Whether every value inside is smaller than the margin in size."""
        return -margin < self.low and self.high < margin


@dataclass(frozen=True, slots=True)
class Estimate:
    """One contrast. Without `interval` nothing is decided: no spread to judge by, or too few blocks for it."""

    effect: float | None
    blocks: int
    interval: Interval | None = None
    equivalence: Interval | None = None
    """The 90 % interval that two one-sided tests compare with the margin; each has its share of 5 % on each side."""
    p: float | None = None
    """Adjusted, from the distribution that the interval comes from."""
    p_holm: float | None = None
    """Of the unadjusted p, None where looks are many: it knows of one."""
    block_sd: float | None = None
    """Standard deviation of the contrast in one seed block."""


class Yardstick(Protocol):
    """What a t statistic must reach in a family of contrasts, and how rare it is. Both agree to the last digit."""

    def bound(self, measured: Moments) -> float | None:
        """The half width of the 95 % interval in standard errors; None where it has no end."""
        ...

    def equivalence_bound(self, measured: Moments) -> float | None:
        """The same for two one-sided tests: at most 5 % of families have an effect that is wrongly inside the margin.

        Effects may lie at both ends of the margin, where errors on one side of each add up (the two-sided interval of
        90 % then gives up to 6.1 %), so the 5 % are shared out evenly. No stricter than `bound`, which would do too.
        """
        ...

    def p(self, measured: Moments) -> float:
        """The adjusted p."""
        ...


@dataclass(frozen=True, slots=True)
class SingleStep:
    """The largest |t| of a family whose estimates are correlated like this."""

    correlation: Correlation

    def bound(self, measured: Moments) -> float:
        """The quantile of that distribution."""
        return Family(self.correlation, measured.freedom).critical(LEVEL)

    def equivalence_bound(self, measured: Moments) -> float:
        """The quantile at the share of one contrast."""
        return min(self.bound(measured), _quantile(_BOTH_SIDES / len(self.correlation), measured))

    def p(self, measured: Moments) -> float:
        """How often chance alone gives as large a one."""
        return Family(self.correlation, measured.freedom).p(measured.t)


@dataclass(frozen=True, slots=True)
class Bonferroni:
    """Student's t, its error rate shared out evenly."""

    count: int

    def bound(self, measured: Moments) -> float:
        """The quantile at the share of one contrast."""
        return _quantile(_ERROR_RATE / self.count, measured)

    def equivalence_bound(self, measured: Moments) -> float:
        """The quantile at the share of one contrast, on each side."""
        return _quantile(_BOTH_SIDES / self.count, measured)

    def p(self, measured: Moments) -> float:
        """The count times the unadjusted p."""
        return min(1.0, self.count * unadjusted(measured))


@dataclass(frozen=True, slots=True)
class Spending:
    """The looks of a growing plan: the error rate is shared out over the contrasts, each share spent over the looks."""

    count: int
    looks: Looks
    correlation: float | None
    """That of any two contrasts, 0 to 0.5, which makes shares larger than even ones; None where it is not known."""

    def bound(self, measured: Moments) -> float:
        """The quantile at what this look may spend."""
        return _quantile(self.looks.level(measured.blocks, self._share()), measured)

    def equivalence_bound(self, measured: Moments) -> float:
        """The quantile at what this look may spend of the share of one contrast, on each side."""
        share = _quantile(self.looks.level(measured.blocks, _BOTH_SIDES / self.count), measured)
        return min(self.bound(measured), share)

    def p(self, measured: Moments) -> float:
        """The least error rate for all looks and contrasts at which this look rejects."""
        share = self.looks.error_rate(measured.blocks, unadjusted(measured))
        if self.correlation is None:
            return min(1.0, self.count * share)
        return self._family().p(float(special.ndtri(1 - share / 2)))

    def _share(self) -> float:
        if self.correlation is None:
            return _ERROR_RATE / self.count
        return 2 * float(special.ndtr(-self._family().critical(LEVEL)))

    def _family(self) -> Family:
        """The contrasts as if their error was known: how little that is so is in the looks."""
        return Family.equicorrelated(self.count, self.correlation or 0.0, _KNOWN)


@dataclass(frozen=True, slots=True)
class Anytime:
    """What holds at whatever time one looks, its error rate shared out evenly."""

    count: int

    def bound(self, measured: Moments) -> float | None:
        """The bound of the confidence sequence."""
        return anytime_bound(_ERROR_RATE / self.count, measured.blocks, measured.freedom)

    def equivalence_bound(self, measured: Moments) -> float | None:
        """The bound of the confidence sequence, at the share of one contrast on each side."""
        return anytime_bound(_BOTH_SIDES / self.count, measured.blocks, measured.freedom)

    def p(self, measured: Moments) -> float:
        """The count times the anytime-valid p."""
        return min(1.0, self.count * anytime_p(measured.t, measured.blocks, measured.freedom))


def held_to(yardstick: Yardstick, measured: Sequence[Moments], *, once: bool = True) -> list[Estimate]:
    """Intervals and p of one family; `once`: the scores are looked at once, as Holm's p takes for granted."""
    tested = [one for one in measured if one.error is not None]
    steps = iter(holm([unadjusted(one) for one in tested]))
    return [
        _estimate(yardstick, one, next(steps) if once else None)
        if one.error is not None
        else Estimate(one.effect, one.blocks)
        for one in measured
    ]


def family_of(weights: Floats, freedom: float) -> Family:
    """The family of these contrasts where all arms have one error variance."""
    product = weights @ weights.T
    size = np.sqrt(np.diag(product))
    return Family(tuple(map(tuple, np.round(product / np.outer(size, size), 12).tolist())), freedom)


def single_step(weights: Floats) -> SingleStep:
    """The yardstick of these contrasts where all arms have one error variance."""
    return SingleStep(family_of(weights, 1).correlation)


def bonferroni(measured: Sequence[Moments]) -> Bonferroni:
    """The yardstick of the contrasts among these that can be tested."""
    return Bonferroni(sum(one.error is not None for one in measured))


def blocked(scores: Floats, weights: Floats) -> list[Estimate]:
    """Estimates with the pooled error of the blocked linear model and the family's multivariate t distribution."""
    return held_to(single_step(weights), pooled(scores, weights))


def paired(scores: Floats, weights: Floats) -> list[Estimate]:
    """Each contrast by its own t over the blocks that have all of its arms, with Bonferroni's correction."""
    measured = paired_differences(scores, weights)
    return held_to(bonferroni(measured), measured)


def unadjusted(measured: Moments) -> float:
    """The two-sided p of one t."""
    return float(2 * special.stdtr(measured.freedom, -abs(measured.t)))


def _quantile(error_rate: float, measured: Moments) -> float:
    return float(special.stdtrit(measured.freedom, 1 - error_rate / 2))


def _estimate(yardstick: Yardstick, measured: Moments, p_holm: float | None) -> Estimate:
    return Estimate(
        measured.effect,
        measured.blocks,
        _around(measured, yardstick.bound(measured)),
        _around(measured, yardstick.equivalence_bound(measured)),
        p=yardstick.p(measured),
        p_holm=p_holm,
        block_sd=measured.block_sd,
    )


def _around(measured: Moments, bound: float | None) -> Interval | None:
    if bound is None or measured.effect is None or measured.error is None:
        return None
    return Interval(measured.effect - bound * measured.error, measured.effect + bound * measured.error)
