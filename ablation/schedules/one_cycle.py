"""Up to a high learning rate and down to almost none (Smith and Topin 2018, arXiv 1708.07120).

Shape and defaults are those of `torch.optim.lr_scheduler.OneCycleLR`; momentum is left alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

from ablation.settings import Fraction, Probability


def build(
    *,
    warmup: Fraction = 0.3,
    initial: Probability = 0.04,
    final: Probability = 4e-6,
    shape: Literal["cosine", "linear"] = "cosine",
) -> Callable[[float], float]:
    """Rise from `initial` of the peak over the warm-up share of all steps, then fall to `final` of it."""

    def between(start: float, end: float, share: float) -> float:
        moved = (1 - math.cos(math.pi * share)) / 2 if shape == "cosine" else share
        return start + (end - start) * moved

    def factor(progress: float) -> float:
        if progress < warmup:
            return between(initial, 1.0, progress / warmup)
        return between(1.0, final, (progress - warmup) / (1 - warmup))

    return factor
