"""Drop the learning rate at milestones (tenfold at 1/2 and 3/4 in He et al. 2016, arXiv 1512.03385, section 4.2)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from ablation.errors import InputError
from ablation.settings import Positive, Share


def build(
    *,
    milestones: list[Share] = [0.5, 0.75],  # noqa: B006 - never written to, and a literal that a schema can be read from
    gamma: Positive = 0.1,
) -> Callable[[float], float]:
    """Multiply the learning rate by gamma at each milestone, a share of all steps between 0 and 1."""
    if not all(0 < milestone < 1 for milestone in milestones) or any(b <= a for a, b in pairwise(milestones)):
        raise InputError(
            f"schedule step: milestones must rise and lie between 0 and 1 (shares of all steps), not {milestones}."
        )

    def factor(progress: float) -> float:
        return gamma ** sum(progress >= milestone for milestone in milestones)

    return factor
