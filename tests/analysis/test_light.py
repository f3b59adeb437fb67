"""Brightness and contrast by class, held against NumPy on the raw pixels."""

from __future__ import annotations

import numpy as np
import pytest

from ablation.analysis.light import light_of
from ablation.splits import LabelledImages


def made(count: int = 3000) -> LabelledImages:
    """Classes of different brightness; more images than are read at once."""
    random = np.random.default_rng(5)
    labels = random.integers(0, 3, count)
    images = random.integers(0, 100, (count, 3, 6, 5)) + 70 * labels[:, None, None, None]
    return LabelledImages(images.astype(np.uint8), labels)


def test_each_class_has_the_quantiles_of_its_images() -> None:
    part = made()
    grey = part.images.mean(axis=1) / 255
    found = light_of(part, 3)
    for measure, values in ((found.brightness, grey.mean((1, 2))), (found.contrast, grey.std((1, 2)))):
        for label, spread in enumerate(measure.classes):
            assert spread is not None
            wanted = np.quantile(values[part.labels == label], (0.05, 0.25, 0.5, 0.75, 0.95))
            told = (spread.low, spread.first, spread.median, spread.third, spread.high)
            assert told == pytest.approx(wanted)
        means = np.array([values[part.labels == label].mean() for label in range(3)])[part.labels]
        assert measure.explained == pytest.approx(means.var() / values.var())
    assert found.brightness.explained > 0.9
    assert found.contrast.explained < 0.01


def test_a_class_without_images_has_no_spread_and_images_that_are_all_the_same_no_variance() -> None:
    part = LabelledImages(np.full((4, 1, 2, 2), 51, np.uint8), np.array([0, 0, 2, 2]))
    found = light_of(part, 3)
    first, empty, last = found.brightness.classes
    assert first is not None
    assert (first.median, empty, last) == (pytest.approx(0.2), None, first)
    assert (found.brightness.explained, found.contrast.explained) == (0, 0)
