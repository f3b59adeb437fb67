"""What a plan can see before it is run: detectable effects, seed blocks needed, and how noisy a trial will be.

Knows only numbers, no study. `sd` is the standard deviation of one trial's score, effects are in the same unit.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from scipy import optimize, special

from ablation.analysis.estimates import LEVEL
from ablation.analysis.multiplicity import Family

POWER = 0.80
POWER_LEFT = {3: 0.61, 5: 0.71, 10: 0.77}
"""What 80 % in theory comes to by seed blocks, where three or more arms are held against one baseline: the tests for
unequal noise, which come before the model, take the rest. Simulated, see docs/explanation/evidence.md."""
MOST_BLOCKS = 10_000
"""Where the count of seed blocks stops: nobody trains more."""

_PUBLISHED = {4: 0.0056, 16: 0.0019, 64: 0.0015}
"""CIFAR-10 test accuracy over seeds by epochs (Jordan 2024, arXiv 2304.01910)."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviation of one trial's score over seeds, and where the figure comes from."""

    sd: float
    source: str


def detectable_effect(
    num_contrasts: int, blocks: int, sd: float, *, correlation: float | None = 0.0, num_arms: int | None = None
) -> float | None:
    """The smallest effect found with 80 % power at simultaneous 95 % intervals. None with fewer than two blocks.

    Without `num_arms` the contrasts are those of `num_contrasts` arms against one baseline; with it they are the
    effects of a two-level factorial of so many arms, and the answer holds for a main effect. `correlation` is that of
    two arms over seed blocks; None: the arms share no blocks.
    """
    plan = _Plan.of(num_contrasts, sd, correlation, num_arms)
    return plan.detectable(blocks) if blocks >= 2 and plan.freedom(blocks) > 0 else None


def blocks_needed(
    effect: float, num_contrasts: int, sd: float, *, correlation: float | None = 0.0, num_arms: int | None = None
) -> int | None:
    """The fewest seed blocks that find the effect with 80 % power; None: more than `MOST_BLOCKS`.

    The other arguments are those of `detectable_effect`.
    """
    plan = _Plan.of(num_contrasts, sd, correlation, num_arms)
    return fewest_blocks(lambda blocks: plan.detectable(blocks) <= abs(effect))


def fewest_blocks(enough: Callable[[int], bool]) -> int | None:
    """The least number of seed blocks, two at least, from which on `enough` holds; None: more than `MOST_BLOCKS`."""
    high = 2
    while not enough(high):
        if high >= MOST_BLOCKS:
            return None
        high = min(2 * high, MOST_BLOCKS)
    low = max(high // 2, 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


@lru_cache(maxsize=4096)
def detectable_shift(critical: float, freedom: float) -> float:
    """The effect, in standard errors, that a two-sided t test with this critical value finds with 80 % power.

    A finding of the wrong sign is not counted as found; at this power its chance is below 0.3 %.
    """
    high = 2.0 * critical
    while special.nctdtr(freedom, high, critical) > 1 - POWER:
        high *= 2
    missed = 1 - POWER
    return float(optimize.brentq(lambda shift: special.nctdtr(freedom, shift, critical) - missed, 0.0, high, xtol=1e-6))


def published_spread(epochs: int, test_images: int, *, expected_accuracy: float = 0.9) -> Spread:
    """What to expect of accuracy before anything was measured: CIFAR-10's figures, and the test set's sampling error.

    The sampling error is an upper bound: it takes every image's correctness as drawn anew for each seed.
    """
    known = sorted(_PUBLISHED.items())
    between_seeds = known[0][1] if epochs <= known[0][0] else known[-1][1]
    for (low, sd_low), (high, sd_high) in itertools.pairwise(known):
        if low < epochs < high or epochs == high:
            share = math.log(epochs / low) / math.log(high / low)
            between_seeds = math.exp((1 - share) * math.log(sd_low) + share * math.log(sd_high))
    sampling = math.sqrt(expected_accuracy * (1 - expected_accuracy) / test_images)
    source = (
        f"assumed: {100 * between_seeds:.2f} pp over seeds, as CIFAR-10 at {epochs} epochs (Jordan 2024), and "
        f"{100 * sampling:.2f} pp sampling error of {test_images:,} test images "
        f"at {100 * expected_accuracy:.0f} % accuracy"
    )
    return Spread(math.hypot(between_seeds, sampling), source)


def measured_spread(residual_sd: float, blocks: int, where: str, *, correlation: float | None = None) -> Spread:
    """The spread that an analysis found, its `residual_sd`.

    Seed blocks are taken out of it already: of the whole variance the correlation between arms is what they explain.
    """
    gained = "" if correlation is None else f"; what pairing gains is in it, correlation between arms {correlation:.2f}"
    return Spread(residual_sd, f"measured: residuals of {blocks} seed blocks of {where}{gained}")


@dataclass(frozen=True, slots=True)
class _Plan:
    """Contrasts of one family and how well one seed block tells them."""

    contrasts: int
    between_contrasts: float
    block_sd: float
    arms: int
    shares_blocks: bool

    @classmethod
    def of(cls, contrasts: int, sd: float, correlation: float | None, arms: int | None) -> _Plan:
        if contrasts < 1 or sd <= 0:
            raise ValueError("A plan needs at least one contrast and a standard deviation above zero.")
        error = sd * math.sqrt(1 - (correlation or 0.0))
        variance_factor, between = (2.0, 0.5) if arms is None else (4.0 / arms, 0.0)
        shares = correlation is not None
        return cls(contrasts, between, error * math.sqrt(variance_factor), arms or contrasts + 1, shares)

    def freedom(self, blocks: int) -> int:
        return (self.arms - 1 if self.shares_blocks else self.arms) * (blocks - 1)

    def detectable(self, blocks: int) -> float:
        family = Family.equicorrelated(self.contrasts, self.between_contrasts, self.freedom(blocks))
        shift = detectable_shift(family.critical(LEVEL), self.freedom(blocks))
        return shift * self.block_sd / math.sqrt(blocks)
