"""Half a cosine from the peak to the end (Loshchilov and Hutter 2017, arXiv 1608.03983, one cycle without restarts)."""

from __future__ import annotations

import math
from collections.abc import Callable

from ablation.settings import Fraction, Probability


def build(*, warmup: Fraction = 0.0, final: Probability = 0.0) -> Callable[[float], float]:
    """Rise linearly from 0 over the warm-up share of all steps, then fall by half a cosine to `final` of the peak."""

    def factor(progress: float) -> float:
        if progress < warmup:
            return progress / warmup
        fallen = (progress - warmup) / (1 - warmup)
        return final + (1 - final) * (1 + math.cos(math.pi * fallen)) / 2

    return factor
