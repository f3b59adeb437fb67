"""What a plan can see of each contrast before it is run: the same weights, family and error that the analysis will use.

It takes a fixed plan whose arms vary alike, and a complete table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from scipy import special

from ablation.analysis.contrasts import Analysed, Contrast
from ablation.analysis.estimates import LEVEL, family_of
from ablation.analysis.multiplicity import Family
from ablation.analysis.power import detectable_shift, fewest_blocks

MOST_CONTRASTS = 400
"""More than anybody reads, or trains the arms of."""
_MOST_WEIGHTS = 2_000_000
_MOST_CORRELATED = 200
"""Contrasts whose joint distribution is integrated; for more the error rate is shared out, a little stricter."""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a plan can see of one contrast, in the metric's own unit."""

    contrast: Contrast
    detectable: float | None
    """The smallest effect found with 80 % power at the planned number of seed blocks; None with fewer than two."""
    blocks_needed: int | None
    """Seed blocks for 80 % power for the effect asked for; None: none was, or more than anyone would train."""


def foresee(contrasts: Sequence[Contrast], sd: float, blocks: int, effect: float | None = None) -> tuple[Foreseen, ...]:
    """For each contrast of one family; `sd` is the standard deviation of a score within its seed block."""
    if not contrasts:
        return ()
    weights = np.array([contrast.weights for contrast in contrasts], dtype=np.float64)
    sizes = sd * np.sqrt((weights**2).sum(axis=1))
    family, num_arms = family_of(weights, 1), weights.shape[1]

    @cache
    def reach(count: int) -> float:
        """The detectable effect of a contrast whose standard deviation in one seed block is 1."""
        freedom = (num_arms - 1) * (count - 1)
        return detectable_shift(_critical(Family(family.correlation, freedom)), freedom) / math.sqrt(count)

    def needed(size: float) -> int | None:
        return None if effect is None else fewest_blocks(lambda count: reach(count) * size <= effect)

    return tuple(
        Foreseen(contrast, reach(blocks) * size if blocks > 1 else None, needed(size))
        for contrast, size in zip(contrasts, sizes.tolist(), strict=True)
    )


def can_be_foreseen(design: Analysed, num_arms: int, factors: Mapping[str, Sequence[str]]) -> bool:
    """Whether the contrasts are few enough to be listed, told without listing them."""
    steps = [len(levels) - 1 for levels in factors.values()]
    crossed = sum(steps) + sum(one * other for one, other in combinations(steps, 2))
    count = crossed if design in ("factorial", "fractional") else num_arms - 1
    return count <= MOST_CONTRASTS and count * num_arms <= _MOST_WEIGHTS


def _critical(family: Family) -> float:
    count = len(family.correlation)
    if count <= _MOST_CORRELATED:
        return family.critical(LEVEL)
    return float(special.stdtrit(family.freedom, 1 - (1 - LEVEL) / (2 * count)))
