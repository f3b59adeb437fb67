"""What augmentations make of the same few images: every one at every strength, the same each time, broken ones told."""

from __future__ import annotations

import numpy as np
import pytest

from ablation import components
from ablation.data_page import first_of_each
from ablation.previews.augmented import augmented, shown
from ablation.settings import Part
from ablation.splits import LabelledImages

BROKEN = '''
import random

import torch

from ablation.settings import Probability


def build(*, x: Probability = 0.5):
    """Noise from a global generator; fails at full strength."""
    def augment(images, targets, generator):
        if x == 1:
            raise RuntimeError("too much")
        return (images + int(random.random() * 9) + torch.randint(1, 9, images.shape)).to(torch.uint8), targets
    return augment
'''


def few(side: int = 32, channels: int = 3) -> LabelledImages:
    images = np.random.default_rng(0).integers(0, 256, (8, channels, side, side), dtype=np.uint8)
    return LabelledImages(images, np.arange(8, dtype=np.int64) % 4)


@pytest.mark.parametrize("name", components.names("augmentation"))
def test_every_augmentation_is_shown_at_several_strengths_and_leaves_its_input_alone(name: str) -> None:
    given, before = few(), few().images
    found = shown(name, {}, given, 4)
    np.testing.assert_array_equal(given.images, before)
    assert found.description
    assert sum(one.images is not None and one.changed > 0 for one in found.tried) >= 2
    for one in found.tried:
        if one.images is None:
            assert one.refusal.startswith(f"augmentation {name}"), one.refusal
            continue
        assert one.images.shape == before.shape
        assert one.changed == sum(not np.array_equal(*pair) for pair in zip(one.images, before, strict=True))


def test_stronger_means_more_and_draws_do_not_move() -> None:
    tried = [one for one in shown("flip", {}, few(), 4).tried if one.varied == "probability"]
    assert [one.value for one in tried] == [0.25, 0.5, 1.0]
    mirrored = few().images[..., ::-1]
    which = [[np.array_equal(*pair) for pair in zip(one.images, mirrored, strict=True)] for one in tried]
    assert which[2] == [True] * 8
    assert all(weak <= strong for step in range(2) for weak, strong in zip(which[step], which[step + 1], strict=True))


def test_an_augmentation_shows_the_same_every_time_whatever_generator_it_draws_from(tmp_path, monkeypatch) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf" / "noise.py").write_text(BROKEN)
    monkeypatch.syspath_prepend(tmp_path)
    first, second = (shown("shelf.noise", {}, few(), 4) for _ in range(2))
    for one, other in zip(first.tried[:2], second.tried[:2], strict=True):
        np.testing.assert_array_equal(one.images, other.images)
        assert one.changed == 8
    assert first.tried[2].images is None
    assert first.tried[2].refusal == "RuntimeError: too much"


def test_what_an_augmentation_refuses_is_told_in_its_words() -> None:
    tried = {(one.varied, one.value): one for one in shown("color_jitter", {}, few(8, 1), 4).tried}
    assert tried["hue", 0.25].images is None
    assert "no saturation and no hue" in tried["hue", 0.25].refusal
    assert tried["brightness", 0.5].images is not None


def test_several_augmentations_follow_each_other() -> None:
    crop, flip = Part(name="crop", choices={"padding": 2}), Part(name="flip", choices={"probability": 1.0})
    both = augmented((crop, flip), few(), 4)
    np.testing.assert_array_equal(both, augmented((crop,), few(), 4)[..., ::-1])


def test_the_few_images_are_the_first_of_each_class_then_the_second() -> None:
    labels = np.array([2, 2, 0, 0, 0, 1, 2])
    part = LabelledImages(np.arange(7, dtype=np.uint8).reshape(7, 1, 1, 1), labels)
    assert first_of_each(part, 5).images.ravel().tolist() == [2, 5, 0, 3, 1]
    assert first_of_each(part, 9).images.ravel().tolist() == [2, 5, 0, 3, 1, 4, 6]
