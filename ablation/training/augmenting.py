"""The training images of an epoch, augmented part by part before its first step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

import torch
from torch import Generator, Tensor
from torch.nn import functional

from ablation.contracts import Augmentation, Mixing
from ablation.seeding import seed_of
from ablation.sending import send
from ablation.training.data import BlockData, DeviceImages, picked

CHUNK = 2048
"""Images augmented at a time, to bound the memory. A constant: a component may draw parameter by parameter."""

Place = slice | Tensor
"""Which images of the split: a stretch of it, or their numbers (int64, on the CPU)."""

Run = list[tuple[Augmentation, Generator]]
"""Augmentations, one after the other, each with the stream that it draws from."""


def augmented(
    data: BlockData, augmentations: dict[str, Augmentation], block: int, epoch: int
) -> tuple[DeviceImages, Tensor]:
    """The training images of one epoch with their class probabilities (N x K), in the order of the data set.

    Each augmentation draws from a stream of its own, keyed by block and epoch, image after image: neither the batch
    size nor the order nor another augmentation moves a draw. Those that mix images get them in an order drawn for the
    epoch, so that each may meet any other of the split, whatever the order of the data set.
    """
    images, targets = data.train, functional.one_hot(data.train.labels, data.num_classes).float()
    for mixing, named in groupby(augmentations.items(), key=lambda each: isinstance(each[1], Mixing)):
        run = dict(named)
        if mixing:
            places = _scattered(len(targets), seed_of(block, f"mixing {next(iter(run))}", epoch))
        else:
            places = [slice(at, at + CHUNK) for at in range(0, len(targets), CHUNK)]
        streams = [_stream(seed_of(block, f"augmentation {name}", epoch)) for name in run]
        parts = _changed(images, targets, places, list(zip(run.values(), streams, strict=True)))
        made: list[Tensor] = []
        for place, pair in zip(places, parts, strict=True):
            made = made or _room(images, targets, pair, in_place=images is not data.train)
            for whole, piece in zip(made, pair, strict=True):
                _put(whole, place, piece)
        images, targets = DeviceImages(data.train.labels, made[0]), made[1]
    return images, targets


def _stream(seed: int) -> Generator:
    return torch.Generator().manual_seed(seed)


def _scattered(count: int, seed: int) -> Sequence[Place]:
    """All numbers below `count` in a drawn order, in about equal parts of at most `CHUNK`."""
    return torch.randperm(count, generator=_stream(seed)).chunk(-(-count // CHUNK))


def _changed(images: DeviceImages, targets: Tensor, places: Sequence[Place], run: Run) -> Iterator[tuple[Tensor, ...]]:
    """Part after part, the images and class probabilities that the augmentations make of those before."""
    device = targets.device.type
    for place in places:
        if isinstance(place, slice):
            pair = send(images.between(place.start, place.stop), device), targets[place]
        else:
            pair = images.pick(place, device), picked(targets, place, device)
        for augment, stream in run:
            pair = augment(*pair, stream)
        yield pair


def _room(images: DeviceImages, targets: Tensor, pair: tuple[Tensor, ...], *, in_place: bool) -> list[Tensor]:
    """Where a whole epoch goes, as soon as its first part tells the shape: joining parts would take it twice.

    Parts go to where they came from, if that is not the data set itself and they have kept their shape.
    """
    rooms = []
    for before, piece, free in zip((images.store, targets), pair, (in_place, True), strict=True):
        fits = free and (before.shape[1:], before.dtype) == (piece.shape[1:], piece.dtype)
        rooms.append(before if fits else piece.new_empty(len(targets), *piece.shape[1:], device=before.device))
    return rooms


def _put(whole: Tensor, place: Place, piece: Tensor) -> None:
    if isinstance(place, slice):
        whole[place] = piece
    else:
        whole.index_copy_(0, send(place, whole.device), piece.to(whole.device))
