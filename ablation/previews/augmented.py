"""An augmentation at each of its strengths, on the same images under the same draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator
from torch.nn import functional

from ablation import components
from ablation.errors import AblationError
from ablation.previews.strengths import strengths
from ablation.seeding import seed_of
from ablation.settings import Choice, Part
from ablation.splits import LabelledImages
from ablation.training.generators import forked_generator

_BLOCK, _EPOCH = 0, 0
"""Whose draws are shown: those of the first epoch of seed block 0, for the first images of its order."""


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What an augmentation makes of the images at one strength."""

    varied: str
    """The choice that is varied; empty where there is nothing to vary."""
    value: Choice
    images: NDArray[np.uint8] | None
    """None where it does not take these images."""
    changed: int
    """How many of the images it changed."""
    refusal: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One augmentation."""

    name: str
    description: str
    tried: tuple[Tried, ...]
    """Empty where a choice that it requires is not known."""


def shown(name: str, given: Mapping[str, Choice], few: LabelledImages, num_classes: int) -> Shown:
    """Try an augmentation at every strength; `given` are the choices that a study makes."""
    component = components.describe("augmentation", name)
    tried = tuple(
        _tried(Part(name=name, choices=dict(one.choices)), one.varied, few, num_classes)
        for one in strengths(component, given)
    )
    return Shown(name, component.description, tried)


def augmented(parts: tuple[Part, ...], few: LabelledImages, num_classes: int) -> NDArray[np.uint8]:
    """What the augmentations make of the images one after the other, each drawing from a stream of its own."""
    images = torch.from_numpy(few.images)
    targets = functional.one_hot(torch.from_numpy(few.labels), num_classes).float()
    # A component of somebody's may draw from the global generators: then it does so from the same ones each time.
    with forked_generator("cpu", seed_of(_BLOCK, "previews")):
        for part in parts:
            augment = components.load("augmentation", part.name)(**part.choices)
            images, targets = augment(images, targets, _stream(part.name))
    made: NDArray[np.uint8] = images.numpy()
    return made


def _stream(name: str) -> Generator:
    return torch.Generator().manual_seed(seed_of(_BLOCK, f"augmentation {name}", _EPOCH))


def _tried(part: Part, varied: str, few: LabelledImages, num_classes: int) -> Tried:
    value = part.choices.get(varied)
    try:
        images = augmented((part,), few, num_classes)
    except AblationError as error:
        return Tried(varied, value, None, 0, str(error))
    except Exception as error:  # noqa: BLE001 - one that fails is told beside those that do not
        return Tried(varied, value, None, 0, f"{type(error).__name__}: {error}")
    changed = int((images != few.images).reshape(len(images), -1).any(axis=1).sum())
    return Tried(varied, value, images, changed)
