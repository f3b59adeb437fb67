"""Statistics over images and classes. Knows only arrays, no study and no words.

Seeds are never pooled as if they were independent images: over images the trained models are held fixed, over seed
blocks the images are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ablation.analysis.estimates import LEVEL, Estimate, paired
from ablation.findings import ImageEffect
from ablation.settings import Frozen

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LEAST_IMAGES = 2
_NOISE = 1e-9  # weights of a third and the like leave differences that are zero but for rounding


class McNemar(Frozen):
    """Two fixed models on the same images: those that only one of them classifies rightly, and the exact p.

    The p is that of a binomial test of even odds among these images (McNemar 1947, doi.org/10.1007/BF02295996). It
    says nothing about what other seeds would give.
    """

    only_first: int
    only_second: int
    p: float


def over_images(values: Floats, blocks: int) -> ImageEffect | None:
    """The mean of one value for each image with its interval over images; None with fewer than two images.

    `blocks` is the number of seed blocks that each value is a mean over.
    """
    if len(values) < _LEAST_IMAGES:
        return None
    effect, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * error
    return ImageEffect(
        images=len(values),
        seed_blocks=blocks,
        effect=effect,
        standard_error=error,
        low=effect - reach,
        high=effect + reach,
        gained=int((values > _NOISE).sum()),
        lost=int((values < -_NOISE).sum()),
    )


def mcnemar(first: Bools, second: Bools) -> McNemar:
    """McNemar's test of which images two models classify rightly, exact at any number of images."""
    only_first, only_second = int((first & ~second).sum()), int((second & ~first).sum())
    discordant = only_first + only_second
    p = float(stats.binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return McNemar(only_first=only_first, only_second=only_second, p=p)


def wilson(right: int, images: int) -> tuple[float, float]:
    """Wilson's 95 % interval for the accuracy of one fixed model, over images like those that it was measured on."""
    found = stats.binomtest(right, images).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def over_classes(differences: Floats) -> list[Estimate]:
    """Each row of classes x seed blocks by its own paired t, with Bonferroni's correction over the rows.

    NaN where a block lacks the class.
    """
    known: Bools = np.asarray(np.isfinite(differences).any(axis=1))
    found = iter(paired(differences[known], np.eye(int(known.sum()))) if known.any() else ())
    return [next(found) if is_known else Estimate(None, 0) for is_known in known]
