"""The way of an image to the model: to tensors, preprocessed, augmented."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablation import components
from ablation.preprocessing import normalize
from ablation.previews.augmented import augmented
from ablation.settings import Part
from ablation.splits import LabelledImages, Splits
from ablation.training.data import DeviceImages, fitted, shared, to_float


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """The images after one stage, with the values that they have there."""

    name: str
    kind: str
    """Of the numbers: `uint8` or `float32`."""
    least: float
    mean: float
    std: float
    greatest: float
    images: NDArray[np.uint8]
    """To be looked at."""


def stages(
    splits: Splits, few: LabelledImages, preprocessing: tuple[Part, ...], augmentations: tuple[Part, ...]
) -> tuple[Stage, ...]:
    """Every stage on the same images. Steps are fitted to all training images: a seed block fits them to its part."""
    stored = torch.from_numpy(few.images)
    train = DeviceImages(torch.from_numpy(splits.train.labels), shared(splits.train.images))
    steps = fitted(
        [components.load("preprocessing", part.name)(**part.choices) for part in preprocessing], train, "cpu"
    )
    seen = to_float(stored)
    found = [_stage("as stored", stored), _stage("to tensors", seen)]
    for part, step in zip(preprocessing, steps, strict=True):
        seen = step(seen)
        found.append(_stage(part.name, seen))
    if not augmentations:
        return tuple(found)
    changed = torch.from_numpy(augmented(augmentations, few, len(splits.classes)))
    seen = to_float(changed)
    for step in steps:
        seen = step(seen)
    return (*found, _stage("augmented", changed), _stage("as the model sees them", seen))


def channel_statistics(part: LabelledImages) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of each channel, as `normalize` takes them."""
    return normalize.channel_statistics(shared(part.images))


def _stage(name: str, values: Tensor) -> Stage:
    numbers = values.double()
    least, greatest = numbers.min().item(), numbers.max().item()
    kind = str(values.dtype).removeprefix("torch.")
    return Stage(
        name, kind, least, numbers.mean().item(), numbers.std(correction=0).item(), greatest, _pictured(values)
    )


def _pictured(values: Tensor) -> NDArray[np.uint8]:
    """Whole levels as they are, 0 to 1 from black to white; of all else 0 as mid-grey and the farthest as an end."""
    if values.dtype != torch.uint8:
        within = values.min() >= 0 and values.max() <= 1
        shares = values if within else values / (2 * values.abs().max()) + 0.5
        values = (shares * 255).round().to(torch.uint8)
    pixels: NDArray[np.uint8] = values.contiguous().numpy()
    return pixels
