import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_splits import some_splits
from torch import Tensor

from ablation.contracts import Following
from ablation.errors import InputError
from ablation.splits import LabelledImages
from ablation.training import data as data_module
from ablation.training.data import (
    batches,
    block_data,
    picked,
    steps_per_epoch,
    stratified_validation,
    to_float,
)


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


def test_a_step_that_follows_is_fitted_to_what_the_steps_before_it_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_module, "FITTED_AT_ONCE", 7)
    given: list[list[Tensor]] = []

    def follow(batches):  # type: ignore[no-untyped-def]
        given.append(list(batches))
        return lambda batch: batch * 2

    fits = [lambda images: lambda batch: batch + 1, Following(follow), Following(follow)]
    data = block_data(some_splits(), 0, fits, "cpu", with_test=False)  # type: ignore[arg-type]
    floats = to_float(data.train.images)
    assert {len(batch) for batch in given[0]} == {7, len(data.train) % 7}
    assert torch.equal(torch.cat(given[0]), floats + 1)
    assert torch.equal(torch.cat(given[1]), (floats + 1) * 2)
    assert torch.equal(data.transform(floats), (floats + 1) * 4)


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
