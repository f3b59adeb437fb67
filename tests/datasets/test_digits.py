from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ablation.datasets.digits import build
from ablation.errors import InputError


def test_all_digits_are_there_once(tmp_path: Path) -> None:
    from sklearn.datasets import load_digits

    splits = build(tmp_path)
    assert splits.train.images.shape == (1200, 1, 8, 8)
    assert splits.test.images.shape == (597, 1, 8, 8)
    assert splits.train.images.dtype == np.uint8
    ours = [
        (image.tobytes(), label)
        for part in (splits.train, splits.test)
        for image, label in zip(part.images, part.labels.tolist(), strict=True)
    ]
    digits = load_digits()
    theirs = [
        (np.rint(values * 255 / 16).astype(np.uint8).tobytes(), label)
        for values, label in zip(digits.data, digits.target.tolist(), strict=True)
    ]
    assert sorted(ours) == sorted(theirs)
    assert splits.train.images.max() == 255
    assert list(tmp_path.iterdir()) == []


def test_classes_are_in_proportion(tmp_path: Path) -> None:
    splits = build(tmp_path)
    train, test = np.bincount(splits.train.labels), np.bincount(splits.test.labels)
    assert np.abs(test - (train + test) * 597 / 1797).max() < 1


def test_same_images_every_time_and_test_images_whatever_is_trained_on(tmp_path: Path) -> None:
    assert build(tmp_path).fingerprint == build(tmp_path).fingerprint
    small = build(tmp_path, train_size=200)
    assert len(small.train) == 200
    np.testing.assert_array_equal(small.test.images, build(tmp_path).test.images)
    assert small.fingerprint != build(tmp_path).fingerprint


@pytest.mark.parametrize("choices", [{"test_size": 9}, {"test_size": 1788}, {"train_size": 1201}, {"train_size": 9}])
def test_impossible_sizes_are_named(tmp_path: Path, choices: dict[str, int]) -> None:
    with pytest.raises(InputError, match=next(iter(choices))):
        build(tmp_path, **choices)
