"""The stages on the way to the model, held against the trainer's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ablation.preprocessing import normalize, whiten
from ablation.previews.augmented import augmented
from ablation.previews.stages import channel_statistics, stages
from ablation.settings import Part
from ablation.splits import LabelledImages, Splits

RANDOM = np.random.default_rng(3)
TRAIN = LabelledImages(RANDOM.integers(0, 200, (50, 3, 32, 32), dtype=np.uint8), np.arange(50, dtype=np.int64) % 5)
SPLITS = Splits(TRAIN, TRAIN, tuple("abcde"), "")
FEW = LabelledImages(TRAIN.images[:8].copy(), TRAIN.labels[:8])
FLIP = (Part(name="flip", choices={"probability": 1.0}),)


def test_statistics_are_those_of_all_pixels() -> None:
    means, deviations = channel_statistics(TRAIN)
    values = TRAIN.images.astype(np.float64) / 255
    np.testing.assert_allclose(means, values.mean(axis=(0, 2, 3)), rtol=1e-12)
    np.testing.assert_allclose(deviations, values.std(axis=(0, 2, 3)), rtol=1e-12)


def test_each_stage_has_the_numbers_that_its_name_promises() -> None:
    found = {step.name: step for step in stages(SPLITS, FEW, (Part(name="normalize"),), FLIP)}
    assert list(found) == ["as stored", "to tensors", "normalize", "augmented", "as the model sees them"]
    assert (found["as stored"].kind, found["as stored"].least) == ("uint8", FEW.images.min())
    tensors = found["to tensors"]
    assert (tensors.kind, tensors.greatest) == ("float32", pytest.approx(FEW.images.max() / 255))
    np.testing.assert_array_equal(tensors.images, FEW.images)
    means, deviations = channel_statistics(TRAIN)
    seen = (FEW.images / 255 - np.reshape(means, (3, 1, 1))) / np.reshape(deviations, (3, 1, 1))
    normal = found["normalize"]
    assert (normal.least, normal.mean, normal.std, normal.greatest) == pytest.approx(
        (seen.min(), seen.mean(), seen.std(), seen.max()), abs=1e-5
    )
    expected = seen / (2 * np.abs(seen).max()) + 0.5
    np.testing.assert_allclose(normal.images / 255, expected, atol=0.003)
    np.testing.assert_array_equal(found["augmented"].images, FEW.images[..., ::-1])
    np.testing.assert_array_equal(found["as the model sees them"].images, normal.images[..., ::-1])


def test_without_preprocessing_and_augmentations_two_stages_are_left() -> None:
    assert [step.name for step in stages(SPLITS, FEW, (), ())] == ["as stored", "to tensors"]
    np.testing.assert_array_equal(augmented((), FEW, 5), FEW.images)


def test_a_step_that_follows_others_is_fitted_to_what_they_make() -> None:
    small = LabelledImages(np.ascontiguousarray(TRAIN.images[..., ::8, ::8]), TRAIN.labels)
    steps = (Part(name="normalize", choices={"statistics": "image"}), Part(name="whiten", choices={"epsilon": 0.01}))
    *_, contrast, white = stages(Splits(small, small, SPLITS.classes, ""), small, steps, ())
    seen = normalize.standardize_images(torch.from_numpy(small.images) / 255)
    expected = whiten.build(epsilon=0.01).fit([seen])(seen).double()
    assert contrast.std == pytest.approx(seen.double().std(correction=0).item())
    assert (white.least, white.std) == pytest.approx(
        (expected.min().item(), expected.std(correction=0).item()), rel=1e-4
    )
    assert white.mean == pytest.approx(0, abs=1e-4)
