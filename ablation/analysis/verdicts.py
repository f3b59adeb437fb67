"""From an estimate to a verdict, and how many seed blocks an open question would still take."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import get_args

from ablation.analysis.estimates import Estimate
from ablation.analysis.power import detectable_shift, fewest_blocks
from ablation.findings import FromZero, Verdict

TOLD_FROM_ZERO: tuple[FromZero, ...] = get_args(FromZero)
"""The verdicts of an interval that excludes zero."""

BoundAt = Callable[[int], tuple[float | None, float]]
"""What |t| must reach with a number of seed blocks, None where no t is enough, and the error's degrees of freedom."""


def verdict_of(estimate: Estimate, margin: float, good: int | None) -> Verdict:
    """`helps` or `hurts` exactly when the interval excludes zero; `good` is the sign of a gain.

    An interaction has none, and is above or below the sum: two changes that hurt may do so less together, and help
    nobody.
    """
    interval = estimate.interval
    if interval is None or estimate.equivalence is None:
        return "not tested"
    if interval.low > 0 or interval.high < 0:
        if good is None:
            return "above the sum" if interval.low > 0 else "below the sum"
        return "helps" if math.copysign(1, interval.low) == good else "hurts"
    return "equivalent" if estimate.equivalence.within(margin) else "inconclusive"


def blocks_wanted(estimate: Estimate, margin: float, bound_at: BoundAt) -> int | None:
    """Seed blocks in all for 80 % power for the effect seen, or for a larger margin.

    None where it is more than anyone would train.
    """
    if estimate.effect is None or estimate.block_sd is None:
        return None
    effect, sd = max(abs(estimate.effect), margin), estimate.block_sd

    def enough(blocks: int) -> bool:
        bound, freedom = bound_at(blocks)
        return bound is not None and detectable_shift(bound, freedom) * sd / math.sqrt(blocks) <= effect

    return fewest_blocks(enough)
