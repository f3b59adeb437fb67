"""Draws that keep every class in proportion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.splits import LabelledImages


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
