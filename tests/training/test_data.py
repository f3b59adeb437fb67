import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ablation.errors import InputError
from ablation.splits import LabelledImages, Splits
from ablation.training import data as data_module
from ablation.training.data import (
    CHUNK,
    Augmentation,
    augmented,
    batches,
    block_data,
    picked,
    steps_per_epoch,
    stratified_validation,
    to_float,
)


def some_splits(per_class: int = 40, classes: int = 3) -> Splits:
    random = np.random.default_rng(0)
    count = per_class * classes
    images = random.integers(0, 256, (count, 3, 6, 6), dtype=np.uint8)
    labels = np.repeat(np.arange(classes), per_class)
    test = LabelledImages(images[: 2 * classes], labels[: 2 * classes])
    return Splits(LabelledImages(images, labels), test, tuple("abc"[:classes]), "print")


def brighten(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    by = torch.randint(0, 100, (len(images), 1, 1, 1), generator=generator)
    return (images + by).clamp(0, 255).to(torch.uint8), targets


def shift(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    chosen = torch.rand(len(images), generator=generator) < 0.5
    return torch.where(chosen[:, None, None, None], images.roll(1, -1), images), targets


def test_the_validation_split_is_a_tenth_of_each_class_and_differs_between_blocks() -> None:
    labels = np.repeat(np.arange(4), [10, 50, 100, 5])
    masks = [stratified_validation(labels, block) for block in range(5)]
    for mask in masks:
        assert [int(mask[labels == label].sum()) for label in range(4)] == [1, 5, 10, 1]
    assert len({mask.tobytes() for mask in masks}) == 5
    np.testing.assert_array_equal(stratified_validation(labels, 3), masks[3])


def test_a_class_with_one_image_cannot_be_split() -> None:
    with pytest.raises(InputError, match="class 1 has 1 training image"):
        stratified_validation(np.array([0, 0, 1]), 0)


def test_training_and_validation_share_no_image_and_lose_none() -> None:
    splits = some_splits()
    data = block_data(splits, 0, [], "cpu", with_test=True)
    seen = torch.cat([data.train.images, data.validation.images]).flatten(1).tolist()
    assert sorted(seen) == sorted(splits.train.images.reshape(len(splits.train), -1).tolist())
    assert data.test is not None
    assert block_data(splits, 0, [], "cpu", with_test=False).test is None


def test_preprocessing_is_fitted_on_the_training_part_alone() -> None:
    fitted: list[Tensor] = []

    def fit(images: Tensor):  # type: ignore[no-untyped-def]
        fitted.append(images)
        return lambda batch: batch + 1

    data = block_data(some_splits(), 1, [fit, fit], "cpu", with_test=True)
    assert all(torch.equal(images, data.train.images) for images in fitted)
    assert torch.equal(data.transform(torch.zeros(1)), torch.full((1,), 2.0))


def test_only_training_images_are_augmented_and_the_originals_stay() -> None:
    data = block_data(some_splits(), 0, [], "cpu", with_test=True)
    before = data.train.images.clone(), data.validation.images.clone()
    made, targets = augmented(data, {"brighten": brighten}, 0, 1)
    images = made.images
    assert not torch.equal(images, data.train.images)
    assert torch.equal(data.train.images, before[0])
    assert torch.equal(data.validation.images, before[1])
    assert torch.equal(targets.argmax(1), data.train.labels)
    assert torch.equal(targets.sum(1), torch.ones(len(targets)))


def test_another_augmentation_moves_no_draw() -> None:
    """What `shift` did to an image is the same whether `brighten` ran after it or not."""
    data = block_data(some_splits(), 0, [], "cpu", with_test=False)
    alone = augmented(data, {"shift": shift}, 0, 1)[0].images
    both = augmented(data, {"shift": shift, "brighten": brighten}, 0, 1)[0].images
    brightened = augmented(data, {"brighten": brighten}, 0, 1)[0].images
    by = brightened.int() - data.train.images.int()
    unclipped = brightened < 255
    rolled = alone.int() - data.train.images.int()
    moved = rolled.flatten(1).any(1)
    assert 0.2 < moved.float().mean() < 0.8
    kept = ~moved
    assert torch.equal(both[kept].int()[unclipped[kept]], (alone[kept].int() + by[kept])[unclipped[kept]])


def test_draws_differ_between_epochs_and_blocks_but_not_between_repeats() -> None:
    data = block_data(some_splits(), 0, [], "cpu", with_test=False)

    def draw(block: int, epoch: int) -> bytes:
        return augmented(data, {"brighten": brighten}, block, epoch)[0].images.numpy().tobytes()

    assert draw(0, 1) == draw(0, 1)
    assert len({draw(0, 1), draw(0, 2), draw(1, 1)}) == 3


def test_every_image_gets_its_own_draw_beyond_one_chunk() -> None:
    splits = some_splits(per_class=CHUNK)
    data = block_data(splits, 0, [], "cpu", with_test=False)
    augmentations: dict[str, Augmentation] = {"shift": shift}
    images = augmented(data, augmentations, 0, 1)[0].images
    moved = (images != data.train.images).flatten(1).any(1)
    assert len(moved) > 2 * CHUNK
    assert moved[:CHUNK].tolist() != moved[CHUNK : 2 * CHUNK].tolist()
    assert moved.float().mean() == pytest.approx(0.5, abs=0.05)


def test_chunk_after_chunk_gives_what_each_augmentation_gives_for_all_images() -> None:
    def mixed(images: Tensor, targets: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Changes shape and targets: wider images, and class probabilities with another's in them."""
        shares = torch.rand(len(images), 1, generator=generator)
        return torch.nn.functional.pad(images, (1, 1)), targets * shares + (1 - shares) / 3

    data = block_data(some_splits(per_class=CHUNK), 0, [], "cpu", with_test=False)
    made, targets = augmented(data, {"brighten": brighten, "mixed": mixed}, 0, 1)
    images = made.images
    once = augmented(data, {"brighten": brighten}, 0, 1)[0].images
    _, alone = augmented(data, {"mixed": mixed}, 0, 1)
    assert torch.equal(images, torch.nn.functional.pad(once, (1, 1)))
    assert torch.equal(targets, alone)
    assert images.dtype == torch.uint8


@pytest.mark.parametrize(("room", "home"), [(True, "meta"), (False, "cpu")])
def test_images_that_do_not_fit_stay_with_the_host_and_their_labels_do_not(
    monkeypatch: pytest.MonkeyPatch, room: bool, home: str
) -> None:
    asked: list[tuple[str, int]] = []
    monkeypatch.setattr(data_module, "has_room", lambda *given: asked.append(given) or room)
    data = block_data(some_splits(), 0, [], "meta", with_test=True)
    assert asked == [("meta", (120 + 6) * 3 * 6 * 6)]
    assert data.test is not None
    for part in (data.train, data.validation, data.test):
        assert (part.store.device.type, part.labels.device.type) == (home, "meta")


def test_in_the_hosts_memory_the_splits_are_rows_of_one_read_only_map(tmp_path: Path) -> None:
    splits = some_splits()
    np.save(tmp_path / "images.npy", splits.train.images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        data = block_data(replace(splits, train=LabelledImages(mapped, splits.train.labels)), 0, [], "cpu", False)
    assert data.train.store.data_ptr() == data.validation.store.data_ptr() == mapped.ctypes.data
    everything = torch.from_numpy(splits.train.images)
    assert data.train.rows is not None
    chosen = torch.tensor([5, 0, 7])
    assert torch.equal(data.train.pick(chosen, "cpu"), everything[data.train.rows[chosen]])
    assert torch.equal(data.train.between(3, 9), everything[data.train.rows[3:9]])
    few = data.train.first(4)
    assert len(few) == 4
    assert torch.equal(few.images, data.train.images[:4])
    assert torch.equal(few.first(2).images, data.train.images[:2])


def test_rows_are_picked_where_they_lie_and_sent() -> None:
    images = torch.arange(6).view(3, 2)
    assert picked(images, torch.tensor([2, 0]), "cpu").tolist() == [[4, 5], [0, 1]]
    sent = picked(images, torch.tensor([2, 0]), "meta")
    assert (sent.device.type, sent.shape) == ("meta", (2, 2))


@pytest.mark.parametrize(
    ("count", "size", "expected"), [(10, 4, [4, 4, 2]), (9, 4, [4, 4]), (8, 4, [4, 4]), (3, 8, [3])]
)
def test_batches_go_once_over_the_images_and_leave_out_a_single_last_one(
    count: int, size: int, expected: list[int]
) -> None:
    rows = list(batches(count, size, 0, 1))
    assert [len(each) for each in rows] == expected
    assert steps_per_epoch(count, size) == len(expected)
    assert len(set(torch.cat(rows).tolist())) == sum(expected)


def test_the_order_is_the_block_and_epochs_own() -> None:
    first = next(batches(100, 100, 0, 1)).tolist()
    assert first == next(batches(100, 100, 0, 1)).tolist()
    assert first != next(batches(100, 100, 0, 2)).tolist()
    assert first != next(batches(100, 100, 1, 1)).tolist()


def test_pixels_become_floats_from_zero_to_one() -> None:
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    assert to_float(images).flatten().tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert to_float(torch.zeros(2, 3, 4, 4, dtype=torch.uint8)).is_contiguous(memory_format=torch.channels_last)
