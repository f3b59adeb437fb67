"""Draws that keep every class in proportion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.splits import LabelledImages, Splits, fingerprint_of

_SUBSET_SEED = 10


def smaller(splits: Splits, train_size: int | None, test_size: int | None) -> Splits:
    """Stratified draws of both splits, the same every time; all of one whose size is None.

    InputError, naming the choice `train_size` or `test_size`, where it cannot be drawn.
    """
    if train_size is None and test_size is None:
        return splits
    train = stratified_subset(splits.train, train_size, _SUBSET_SEED, "train_size")
    test = stratified_subset(splits.test, test_size, _SUBSET_SEED, "test_size")
    return Splits(train, test, splits.classes, fingerprint_of(train, test, splits.classes))


def stratified_indices(labels: NDArray[np.int64], size: int, seed: int) -> NDArray[np.int64]:
    """Sorted positions of `size` of the labels, drawn without replacement, each class in proportion.

    What proportion leaves over goes to the largest remainders, the lower class first. With classes of equal size, a
    smaller draw of the same seed is part of a larger one.
    """
    classes, counts = np.unique(labels, return_counts=True)
    quotas, remainders = np.divmod(size * counts, len(labels))
    quotas[np.argsort(-remainders, kind="stable")[: size - quotas.sum()]] += 1
    rng = np.random.default_rng(seed)
    drawn = [
        rng.permutation(np.flatnonzero(labels == label))[:quota] for label, quota in zip(classes, quotas, strict=True)
    ]
    return np.sort(np.concatenate(drawn))


def stratified_subset(part: LabelledImages, size: int | None, seed: int, choice: str) -> LabelledImages:
    """A stratified draw of `size` images, all where it is None. InputError, naming the choice, where it cannot be."""
    if size is None or size == len(part):
        return part
    fewest = len(np.unique(part.labels))
    if not fewest <= size <= len(part):
        raise InputError(f"{choice} is {size}; give {fewest} (an image a class) to {len(part)} (all), or leave it out")
    indices = stratified_indices(part.labels, size, seed)
    return LabelledImages(part.images[indices], part.labels[indices])


def apart(part: LabelledImages, size: int, seed: int) -> tuple[LabelledImages, LabelledImages]:
    """The images without a stratified draw of `size`, and that draw."""
    drawn = np.zeros(len(part), dtype=bool)
    drawn[stratified_indices(part.labels, size, seed)] = True
    rest, taken = (LabelledImages(part.images[rows], part.labels[rows]) for rows in (~drawn, drawn))
    return rest, taken
