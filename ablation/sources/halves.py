"""A data set from its two halves, given or drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ablation.errors import InputError
from ablation.sources.stratified import apart
from ablation.splits import LabelledImages, Splits, fingerprint_of

_SPLIT_SEED = 0


def whole(train: LabelledImages, test: LabelledImages, classes: tuple[str, ...], place: Path) -> Splits:
    """The splits of a data set that lies at `place`. InputError where a class has no image in one of them."""
    for split, part in (("training", train), ("test", test)):
        counts = np.bincount(part.labels, minlength=len(classes))
        if not counts.all():
            raise InputError(f"{place}: no {split} image is of the class {classes[counts.argmin()]}")
    return Splits(train, test, classes, fingerprint_of(train, test, classes))


def parted(images: LabelledImages, test_share: float, classes: tuple[str, ...], place: Path) -> Splits:
    """The splits of a data set without test images: a stratified share of them, the same every time, is kept apart."""
    return whole(*apart(images, round(test_share * len(images)), _SPLIT_SEED), classes, place)
