"""The planted effects, measured by matching templates: a classifier that knows the rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ablation.datasets.synthetic import build
from ablation.errors import InputError

PIXELS = NDArray[np.float64]


def templates(**choices: Any) -> PIXELS:
    """Each class's glyph at the centre, without noise: C x H x W."""
    train = build(Path(), noise=0.0, brightness=0.0, **choices).train
    return np.stack([train.images[train.labels == label][0, 0] for label in np.unique(train.labels)]).astype(float)


def matched(images: PIXELS, glyphs: PIXELS, margin: int) -> NDArray[np.int64]:
    """The class whose glyph, at the best place, correlates most: brightness falls out, shift is searched."""
    shifts = [(down, right) for down in range(-margin, margin + 1) for right in range(-margin, margin + 1)]
    scores = []
    for glyph in glyphs:
        moved = np.stack([np.roll(glyph, shift, axis=(0, 1)).ravel() for shift in shifts])
        moved = moved - moved.mean(axis=1, keepdims=True)
        flat = images.reshape(len(images), -1)
        distance = ((flat - flat.mean(axis=1, keepdims=True))[:, None] - moved[None]) ** 2
        scores.append(-distance.sum(axis=2).min(axis=1))
    best: NDArray[np.int64] = np.argmax(scores, axis=0)
    return best


@pytest.mark.parametrize("num_classes", [2, 4, 7, 10])
def test_rule_decides_every_test_image_wherever_it_stands(num_classes: int) -> None:
    test = build(Path(), num_classes=num_classes, noise=0.02).test
    glyphs = templates(num_classes=num_classes)
    assert (matched(test.images[:, 0].astype(float), glyphs, margin=2) == test.labels).all()


def test_test_glyphs_move_and_training_glyphs_stand_still() -> None:
    splits = build(Path(), noise=0.02, brightness=0.0)
    glyphs = templates()
    standing = [matched(part.images[:, 0].astype(float), glyphs, margin=0) for part in (splits.train, splits.test)]
    assert (standing[0] == splits.train.labels).all()
    assert (standing[1] == splits.test.labels).mean() < 0.7


def test_flipped_image_belongs_to_the_partner_class() -> None:
    test = build(Path(), noise=0.02).test
    flipped = matched(test.images[:, 0, :, ::-1].astype(float), templates(), margin=2)
    np.testing.assert_array_equal(flipped, test.labels ^ 1)


def test_without_mirror_classes_a_flip_keeps_the_class() -> None:
    train = build(Path(), noise=0.0, brightness=0.0, mirrored=False).train
    seen = [{image.tobytes() for image in train.images[train.labels == label]} for label in range(4)]
    flipped = [{image[:, :, ::-1].tobytes() for image in train.images[train.labels == label]} for label in range(4)]
    assert seen == flipped
    assert [len(images) for images in seen] == [2, 2, 2, 2]
    assert len(set.union(*seen)) == 8


def test_brightness_is_independent_of_the_class() -> None:
    part = build(Path(), train_size=2000, noise=0.0).train
    plain = build(Path(), train_size=2000, noise=0.0, brightness=0.0).train
    offset = (part.images.astype(float) - plain.images).mean(axis=(1, 2, 3)) / 255
    assert offset.min() == pytest.approx(-0.2, abs=0.01)
    assert offset.max() == pytest.approx(0.2, abs=0.01)
    means = [offset[part.labels == label].mean() for label in range(4)]
    assert np.ptp(means) < 4 * 0.2 / np.sqrt(3) / np.sqrt(500) * np.sqrt(2)


@pytest.mark.parametrize("noise", [0.05, 0.1])
def test_noise_has_the_size_that_is_asked(noise: float) -> None:
    noisy = build(Path(), noise=noise, brightness=0.0).train.images.astype(float)
    plain = build(Path(), noise=0.0, brightness=0.0).train.images.astype(float)
    assert (noisy - plain).std() / 255 == pytest.approx(noise, rel=0.03)


def test_shapes_and_balance() -> None:
    splits = build(Path(), train_size=90, test_size=31, num_classes=3, image_size=16, channels=3)
    assert splits.train.images.shape == (90, 3, 16, 16)
    assert splits.test.images.shape == (31, 3, 16, 16)
    assert splits.train.images.dtype == np.uint8
    assert splits.train.labels.dtype == np.int64
    assert np.bincount(splits.train.labels).tolist() == [30, 30, 30]
    assert len(splits.classes) == 3


def test_same_every_time_and_test_images_whatever_is_trained_on() -> None:
    assert build(Path()).fingerprint == build(Path()).fingerprint
    np.testing.assert_array_equal(build(Path()).test.images, build(Path(), train_size=64).test.images)


def test_another_seed_gives_other_images_of_the_same_glyphs() -> None:
    one, other = build(Path(), noise=0.02), build(Path(), noise=0.02, seed=1)
    assert one.fingerprint != other.fingerprint
    for before, after in ((one.train, other.train), (one.test, other.test)):
        assert not (before.images == after.images).all(axis=(1, 2, 3)).any()
    np.testing.assert_array_equal(templates(seed=1), templates())
    assert (matched(other.test.images[:, 0].astype(float), templates(), margin=2) == other.test.labels).all()


@pytest.mark.parametrize(
    "choices",
    [
        {"num_classes": 11},
        {"num_classes": 1},
        {"image_size": 7},
        {"train_size": 3},
        {"test_size": 3},
        {"train_shift": 3},
    ],
)
def test_impossible_choices_are_named(choices: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(choices))):
        build(Path(), **choices)
