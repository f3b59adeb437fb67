"""The data of one seed block on the device: a stratified split, normalised by the training part alone."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablation.contracts import Fit, Following, Transform
from ablation.errors import InputError
from ablation.seeding import seed_of
from ablation.sending import send
from ablation.splits import VALIDATION_FRACTION, LabelledImages, Splits
from ablation.training.devices import has_room

FITTED_AT_ONCE = 1024
"""Images whose floats a step is fitted to at a time, to bound the memory."""


@dataclass(frozen=True, slots=True)
class DeviceImages:
    """uint8 images N x C x H x W and int64 labels N, the labels on the device, the images too where there is room.

    In the host's memory they are rows of the data set's own store, which may be a read-only map that all processes
    share: only what is asked for is copied.
    """

    labels: Tensor
    store: Tensor
    rows: Tensor | None = None
    """Which images of the store they are, in order; None: all of it."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def images(self) -> Tensor:
        """All of them at once."""
        return self.between(0, len(self))

    def between(self, start: int, stop: int) -> Tensor:
        """Images of the split from one to before another, where they lie; not to be written to."""
        return self.store[start:stop] if self.rows is None else self.store[self.rows[start:stop]]

    def pick(self, chosen: Tensor, device: str) -> Tensor:
        """Images of the split by their numbers (int64), on the device."""
        return picked(self.store, chosen if self.rows is None else self.rows[chosen], device)

    def first(self, count: int) -> DeviceImages:
        """So many of them, or all."""
        rows = self.rows[:count] if self.rows is not None else None
        return DeviceImages(self.labels[:count], self.store[:count] if rows is None else self.store, rows)


@dataclass(frozen=True, slots=True)
class BlockData:
    """What one seed block trains on and is measured on."""

    train: DeviceImages
    validation: DeviceImages
    test: DeviceImages | None
    """None where the study never reads the test images."""
    num_classes: int
    transform: Transform
    layout: torch.memory_format = torch.channels_last
    """Of the floats in memory: that of the model's weights (`devices.best_layout`)."""

    def seen(self, images: Tensor) -> Tensor:
        """What the model is given for uint8 images."""
        return self.transform(to_float(images, self.layout))


def stratified_validation(labels: NDArray[np.int64], block: int) -> NDArray[np.bool_]:
    """Which images (mask of N) the block keeps for validation: a tenth of each class, at least one."""
    random = np.random.default_rng(seed_of(block, "split"))
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) < 2:
            raise InputError(
                f"class {label} has {len(members)} training image; a split into training and validation needs 2."
            )
        count = max(1, round(VALIDATION_FRACTION * len(members)))
        chosen[random.choice(members, count, replace=False)] = True
    return chosen


def block_data(splits: Splits, block: int, fits: list[Fit], device: str, with_test: bool) -> BlockData:
    """Split, move to the device and fit the preprocessing; `fits` run in their order.

    Images stay in the host's memory where they would take too much of the device's; batches are then sent one by one.
    """
    held_out = stratified_validation(splits.train.labels, block)
    home = device if has_room(device, splits.train.images.nbytes + splits.test.images.nbytes) else "cpu"
    places = (home, device)
    train = _on_device(splits.train, ~held_out, places)
    return BlockData(
        train=train,
        validation=_on_device(splits.train, held_out, places),
        test=_on_device(splits.test, None, places) if with_test else None,
        num_classes=len(splits.classes),
        transform=chained(fitted(fits, train, device)),
    )


def _on_device(data: LabelledImages, mask: NDArray[np.bool_] | None, places: tuple[str, str]) -> DeviceImages:
    """The images of the mask, or all: images to the first place, labels to the second."""
    store, labels = shared(data.images), torch.from_numpy(data.labels.astype(np.int64))
    rows = None if mask is None else torch.from_numpy(np.flatnonzero(mask))
    labels = (labels if rows is None else labels[rows]).to(places[1])
    if places[0] == "cpu":
        return DeviceImages(labels, store, rows)
    return DeviceImages(labels, (store if rows is None else store[rows]).to(places[0]))


def shared(images: NDArray[np.uint8]) -> Tensor:
    """A tensor over the same memory. torch warns of memory that must not be written to; nobody here writes to it."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The given NumPy array is not writable")
        return torch.from_numpy(images)


def picked(tensor: Tensor, rows: Tensor, device: str) -> Tensor:
    """The rows of a tensor on the device, gathered where the tensor lies; nobody waits for it."""
    return send(tensor[send(rows, tensor.device)], device)


def fitted(fits: Sequence[Fit], train: DeviceImages, device: str) -> list[Transform]:
    """Each step as the training images decide it, or what the steps before it make of them.

    Floats are summed on the device wherever the images lie: a step is not to depend on how full the device was.
    """
    transforms: list[Transform] = []
    for fit in fits:
        if isinstance(fit, Following):
            before = chained(transforms[:])
            starts = range(0, len(train), FITTED_AT_ONCE)
            parts = (send(train.between(at, at + FITTED_AT_ONCE), device) for at in starts)
            transforms.append(fit.fit(before(to_float(part)) for part in parts))
        else:
            transforms.append(fit(train.images))
    return transforms


def chained(transforms: list[Transform]) -> Transform:
    """The transforms one after the other."""

    def apply(images: Tensor) -> Tensor:
        for transform in transforms:
            images = transform(images)
        return images

    return apply


def to_float(images: Tensor, layout: torch.memory_format = torch.channels_last) -> Tensor:
    """The first stage of every recipe: uint8 to float32 in [0, 1]."""
    return images.to(torch.float32, memory_format=layout).div_(255)


def batches(count: int, batch_size: int, block: int, epoch: int) -> Iterator[Tensor]:
    """The rows of each step of one epoch, in the block's order; a last batch of a single image is left out.

    Batch normalisation has no variance over one image.
    """
    stream = torch.Generator().manual_seed(seed_of(block, "order", epoch))
    for rows in torch.randperm(count, generator=stream).split(batch_size):
        if len(rows) > 1:
            yield rows


def steps_per_epoch(count: int, batch_size: int) -> int:
    """How many steps `batches` gives."""
    full, rest = divmod(count, batch_size)
    return full + (rest > 1)
