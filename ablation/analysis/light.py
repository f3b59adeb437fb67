"""How bright and how contrasty the images of each class are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablation.splits import LabelledImages

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BLOCK = 2048


@dataclass(frozen=True, slots=True)
class Spread:
    """Quantiles of one value over the images of a class."""

    low: float
    first: float
    median: float
    third: float
    high: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of an image, by class."""

    name: str
    classes: tuple[Spread | None, ...]
    """None for a class without images."""
    explained: float
    """The share of its variance over all images that lies between the classes; 0 where it never varies."""


@dataclass(frozen=True, slots=True)
class Light:
    """Brightness, the mean of an image's grey levels, and contrast, their standard deviation: black 0, white 1.

    Grey is the mean of the channels; a contrast of this kind is called root mean square contrast (Peli 1990).
    """

    brightness: Measure
    contrast: Measure


def light_of(part: LabelledImages, num_classes: int) -> Light:
    """Measure every image."""
    brightness, contrast = (np.empty(len(part), np.float64) for _ in range(2))
    for at in range(0, len(part), _BLOCK):
        grey = part.images[at : at + _BLOCK].mean(axis=1, dtype=np.float64) / 255
        brightness[at : at + _BLOCK] = grey.mean(axis=(1, 2))
        contrast[at : at + _BLOCK] = grey.std(axis=(1, 2))
    return Light(
        _measure("brightness", brightness, part.labels, num_classes),
        _measure("contrast", contrast, part.labels, num_classes),
    )


def _measure(name: str, values: NDArray[np.float64], labels: NDArray[np.int64], num_classes: int) -> Measure:
    classes = [values[labels == label] for label in range(num_classes)]
    within = sum(float(((members - members.mean()) ** 2).sum()) for members in classes if len(members))
    total = float(((values - values.mean()) ** 2).sum())
    spreads = (Spread(*map(float, np.quantile(members, QUANTILES))) if len(members) else None for members in classes)
    return Measure(name, tuple(spreads), 1 - within / total if total else 0.0)
