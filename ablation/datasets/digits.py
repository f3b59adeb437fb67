"""The handwritten digits that come with scikit-learn (the test part of the set by Alpaydin and Kaynak, UCI)."""

from __future__ import annotations

from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ablation.errors import InputError
from ablation.settings import Count
from ablation.sources.decoded import load_or_decode
from ablation.sources.roots import find_cache_root
from ablation.sources.stratified import apart, stratified_subset
from ablation.splits import LabelledImages, Splits, fingerprint_of

CLASSES = tuple("0123456789")

_DARKEST = 16
_SPLIT_SEED = 0
_SUBSET_SEED = 1


def build(root: Path, *, train_size: Count | None = None, test_size: Count = 597) -> Splits:  # noqa: ARG001
    """Handwritten digits: 1,797 grey images of 8 x 8 pixels in ten classes, nothing to download."""
    # Kept like decoded files: importing scikit-learn takes a third of a second at the start of each process.
    name = f"digits-{version('scikit-learn')}-{test_size}"
    splits = load_or_decode(find_cache_root(), name, (), partial(_whole, test_size))
    if train_size is None:
        return splits
    train = stratified_subset(splits.train, train_size, _SUBSET_SEED, "train_size")
    return Splits(train, splits.test, CLASSES, fingerprint_of(train, splits.test, CLASSES))


def _whole(test_size: int) -> Splits:
    from sklearn.datasets import load_digits

    values, digits = load_digits(return_X_y=True)
    images = np.rint(values * (255 / _DARKEST)).astype(np.uint8).reshape(-1, 1, 8, 8)
    labels = digits.astype(np.int64)
    most = len(labels) - len(CLASSES)
    if not len(CLASSES) <= test_size <= most:
        raise InputError(f"test_size is {test_size}; give {len(CLASSES)} to {most}, an image a class for either split")
    train, test = apart(LabelledImages(images, labels), test_size, _SPLIT_SEED)
    return Splits(train, test, CLASSES, fingerprint_of(train, test, CLASSES))
