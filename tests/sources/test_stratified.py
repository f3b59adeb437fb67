from __future__ import annotations

import numpy as np
import pytest

from ablation.errors import InputError
from ablation.sources.stratified import stratified_indices, stratified_subset
from ablation.splits import LabelledImages

EVEN = np.random.default_rng(5).permutation(np.repeat(np.arange(4), 25))
UNEVEN = np.repeat(np.arange(3), [70, 20, 10])


@pytest.mark.parametrize(
    ("labels", "size", "counts"),
    [
        (EVEN, 40, [10, 10, 10, 10]),
        (EVEN, 42, [11, 11, 10, 10]),
        (EVEN, 100, [25, 25, 25, 25]),
        (UNEVEN, 10, [7, 2, 1]),
        (UNEVEN, 99, [69, 20, 10]),
        (UNEVEN, 5, [4, 1, 0]),
    ],
)
def test_classes_keep_their_proportion(labels: np.ndarray, size: int, counts: list[int]) -> None:
    indices = stratified_indices(labels, size, seed=0)
    assert np.bincount(labels[indices], minlength=len(counts)).tolist() == counts
    assert len(np.unique(indices)) == size
    assert (np.diff(indices) > 0).all()


def test_draw_is_fixed_by_its_seed() -> None:
    assert stratified_indices(EVEN, 8, seed=0).tolist() == stratified_indices(EVEN, 8, seed=0).tolist()
    assert stratified_indices(EVEN, 8, seed=0).tolist() != stratified_indices(EVEN, 8, seed=1).tolist()


def test_smaller_draw_is_part_of_a_larger_one() -> None:
    assert set(stratified_indices(EVEN, 12, seed=0)) < set(stratified_indices(EVEN, 33, seed=0))


def test_subset_keeps_images_with_their_labels() -> None:
    part = LabelledImages(EVEN.astype(np.uint8).reshape(-1, 1, 1, 1), EVEN)
    subset = stratified_subset(part, 12, 0, "train_size")
    assert subset.images.ravel().tolist() == subset.labels.tolist()
    assert stratified_subset(part, None, 0, "train_size") is part


@pytest.mark.parametrize("size", [0, 3, 101])
def test_impossible_size_is_named(size: int) -> None:
    part = LabelledImages(EVEN.astype(np.uint8).reshape(-1, 1, 1, 1), EVEN)
    with pytest.raises(InputError, match=rf"train_size is {size}; give 4 \(an image a class\) to 100"):
        stratified_subset(part, size, 0, "train_size")
