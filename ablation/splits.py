"""What a data set hands to the trainer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

VALIDATION_FRACTION = 0.1
"""The share of each class's training images that a seed block keeps for validation."""


@dataclass(frozen=True, slots=True)
class LabelledImages:
    """Images as uint8 of shape N x C x H x W (may be a read-only memory map) with int64 class numbers of shape N."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a data set holds: images to train on, test images, classes, channels."""

    train: int
    test: int
    classes: int
    channels: int


@dataclass(frozen=True, slots=True)
class Splits:
    """A data set: what may be trained on, and the test images, fixed once and for all.

    `fingerprint` is a sha256 over the decoded content: equal exactly when images, labels and class names are.
    """

    train: LabelledImages
    test: LabelledImages
    classes: tuple[str, ...]
    fingerprint: str

    @property
    def extent(self) -> Extent:
        """How much of everything there is."""
        return Extent(len(self.train), len(self.test), len(self.classes), self.train.images.shape[1])


def fingerprint_of(train: LabelledImages, test: LabelledImages, classes: tuple[str, ...]) -> str:
    """The fingerprint of a data set with this content; reads all of it, at about 1.4 GB/s."""
    shapes = [list(part.images.shape) for part in (train, test)]
    content = hashlib.sha256(json.dumps([classes, *shapes]).encode())
    for part in (train, test):
        content.update(np.ascontiguousarray(part.images).data)
        content.update(np.ascontiguousarray(part.labels, dtype="<i8").data)
    return content.hexdigest()
