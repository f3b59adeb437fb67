"""From an estimate to a verdict, and how many seed blocks an open question would still take."""

from __future__ import annotations

import math
from collections.abc import Callable

from ablation.analysis.estimates import LEVEL, Estimate
from ablation.analysis.multiplicity import Correlation, Family
from ablation.analysis.power import detectable_shift, fewest_blocks
from ablation.findings import Verdict

FamilyAt = Callable[[int], Family]
"""The family of contrasts that a number of seed blocks would give."""


def verdict_of(estimate: Estimate, margin: float, good: int) -> Verdict:
    """`helps` or `hurts` exactly when the interval excludes zero; `good` is the sign of a gain."""
    interval = estimate.interval
    if interval is None or estimate.equivalence is None:
        return "not tested"
    if interval.low > 0 or interval.high < 0:
        return "helps" if math.copysign(1, interval.low) == good else "hurts"
    return "equivalent" if estimate.equivalence.within(margin) else "inconclusive"


def more_blocks(estimate: Estimate, margin: float, family_at: FamilyAt) -> int | None:
    """Seed blocks beyond those there, at least one, for 80 % power for the effect seen, or for a larger margin.

    None where it is more than anyone would train.
    """
    if estimate.effect is None or estimate.block_sd is None:
        return None
    effect, sd = max(abs(estimate.effect), margin), estimate.block_sd

    def enough(blocks: int) -> bool:
        family = family_at(blocks)
        return detectable_shift(family.critical(LEVEL), family.freedom) * sd / math.sqrt(blocks) <= effect

    needed = fewest_blocks(enough)
    return None if needed is None else max(1, needed - estimate.blocks)


def blocked_families(correlation: Correlation, num_arms: int) -> FamilyAt:
    """The families of the blocked linear model."""
    return lambda blocks: Family(correlation, (num_arms - 1) * (blocks - 1))


def paired_families(count: int) -> FamilyAt:
    """One contrast at a time: the critical value that Bonferroni's correction gives, as a family of its own.

    A family of `count` uncorrelated contrasts is a little less strict than Bonferroni, which does for a rough count.
    """
    return lambda blocks: Family.equicorrelated(count, 0.0, blocks - 1)
