"""The handwritten digits that come with scikit-learn (the test part of the set by Alpaydin and Kaynak, UCI)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ablation.errors import InputError
from ablation.settings import Count
from ablation.sources.stratified import stratified_indices, stratified_subset
from ablation.splits import LabelledImages, Splits, fingerprint_of

CLASSES = tuple("0123456789")

_DARKEST = 16
_SPLIT_SEED = 0
_SUBSET_SEED = 1


def build(root: Path, *, train_size: Count | None = None, test_size: Count = 597) -> Splits:  # noqa: ARG001
    """Handwritten digits: 1,797 grey images of 8 x 8 pixels in ten classes, nothing to download."""
    from sklearn.datasets import load_digits  # half a second, and only this data set needs it

    values, digits = load_digits(return_X_y=True)
    images = np.rint(values * (255 / _DARKEST)).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = digits.astype(np.int64)
    most = len(labels) - len(CLASSES)
    if not len(CLASSES) <= test_size <= most:
        raise InputError(f"test_size is {test_size}; give {len(CLASSES)} to {most}, an image a class for either split")
    tested = np.zeros(len(labels), dtype=bool)
    tested[stratified_indices(labels, test_size, _SPLIT_SEED)] = True
    train = stratified_subset(LabelledImages(images[~tested], labels[~tested]), train_size, _SUBSET_SEED, "train_size")
    test = LabelledImages(images[tested], labels[tested])
    return Splits(train, test, CLASSES, fingerprint_of(train, test, CLASSES))
