"""Images that a data set holds twice: equal to the last pixel, or nearly so, within a split and across.

Equal images have one hash. Near duplicates are found by `ablation.analysis.likeness` among the images that differ.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ablation.analysis.likeness import MOST_CANDIDATES, THUMBNAIL, Floats, Rows, alike_pairs
from ablation.splits import Splits

TOO_SMALL = "not looked for: {} x {} pixels are too few to tell the same image from one that is like it."
TOO_MANY = f"There may be more: the search ended after {MOST_CANDIDATES:,} pairs of images with similar thumbnails."

Relation = Literal["within training", "within test", "across the splits"]
RELATIONS: tuple[Relation, ...] = ("within training", "within test", "across the splits")


@dataclass(frozen=True, slots=True)
class Place:
    """One image of a data set."""

    split: Literal["training", "test"]
    number: int
    """In its split, from 0."""
    label: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images; where they are of both splits, the training image is the first."""

    first: Place
    second: Place
    likeness: float
    """Correlation of their detail; 1 for equal images."""
    mirrored: bool = False
    """Whether one is like the other's mirror image."""

    @property
    def relation(self) -> Relation:
        """Which splits they are of."""
        if self.first.split != self.second.split:
            return "across the splits"
        return "within training" if self.first.split == "training" else "within test"


@dataclass(frozen=True, slots=True)
class Tally:
    """What is held twice within a split, or by both."""

    relation: Relation
    pairs: int
    images: int
    """Images with a partner; across, test images with one among the training images."""
    of: int
    """How many images were asked about."""
    other_class: int
    """Pairs whose two images are of different classes."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """All that was found; the tallies in the order of RELATIONS."""

    equal: tuple[Tally, ...]
    near: tuple[Tally, ...]
    groups: tuple[tuple[Place, ...], ...]
    """Images that are equal, two or more each, by their first image."""
    near_pairs: tuple[Pair, ...]
    """Across the splits first, the most alike first. Of equal images only the first was compared."""
    note: str = ""
    """Why near duplicates were not looked for, or not all of them."""


def find_duplicates(splits: Splits) -> Duplicates:
    """Look through both splits; 60,000 images of 32 x 32 pixels take some ten seconds on two cores."""
    joined = _Joined(splits)
    equal = joined.equal()
    groups = [tuple(map(joined.place, members)) for members in equal if len(members) > 1]
    found, note = _near_pairs(joined, np.array([members[0] for members in equal]))
    pairs = sorted(found, key=lambda pair: (pair.relation != "across the splits", -pair.likeness))
    sizes = {
        "within training": len(splits.train),
        "within test": len(splits.test),
        "across the splits": len(splits.test),
    }
    return Duplicates(
        equal=tuple(_equal_tally(relation, groups, sizes[relation]) for relation in RELATIONS),
        near=() if joined.too_small else tuple(_near_tally(relation, pairs, sizes[relation]) for relation in RELATIONS),
        groups=tuple(groups),
        near_pairs=tuple(pairs),
        note=note,
    )


class _Joined:
    """Both splits as one sequence, the training images first."""

    def __init__(self, splits: Splits) -> None:
        self.splits = splits
        self.first_test = len(splits.train)

    @property
    def too_small(self) -> bool:
        """Whether an image has fewer pixels than a thumbnail."""
        return min(self.shape) < THUMBNAIL

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of an image."""
        height, width = self.splits.train.images.shape[2:]
        return height, width

    def place(self, at: int) -> Place:
        """Where the image of a position is."""
        if at < self.first_test:
            return Place("training", int(at), int(self.splits.train.labels[at]))
        number = int(at) - self.first_test
        return Place("test", number, int(self.splits.test.labels[number]))

    def grey(self, rows: Rows) -> Floats:
        """The grey levels of the images at these positions: N x H x W."""
        train, test = rows[rows < self.first_test], rows[rows >= self.first_test] - self.first_test
        levels = np.empty((len(rows), *self.splits.train.images.shape[2:]), np.float32)
        levels[rows < self.first_test] = self.splits.train.images[train].mean(axis=1, dtype=np.float32)
        levels[rows >= self.first_test] = self.splits.test.images[test].mean(axis=1, dtype=np.float32)
        return levels

    def equal(self) -> list[list[int]]:
        """The positions of equal images, in the order of the first of each."""
        found: dict[bytes, list[int]] = {}
        for at, image in enumerate(self._images()):
            found.setdefault(hashlib.blake2b(image.tobytes(), digest_size=16).digest(), []).append(at)
        return list(found.values())

    def _images(self) -> Iterator[NDArray[np.uint8]]:
        yield from self.splits.train.images
        yield from self.splits.test.images


def _near_pairs(joined: _Joined, rows: Rows) -> tuple[list[Pair], str]:
    """The near duplicates among images that all differ, and why there may be others."""
    if joined.too_small:
        return [], TOO_SMALL.format(*joined.shape)
    found, complete = alike_pairs(lambda chosen: joined.grey(rows[chosen]), len(rows))
    pairs = [
        Pair(joined.place(rows[first]), joined.place(rows[second]), float(likeness), bool(mirrored))
        for (first, second), likeness, mirrored in zip(found.pairs, found.likeness, found.mirrored, strict=True)
    ]
    return pairs, "" if complete else TOO_MANY


def _equal_tally(relation: Relation, groups: Sequence[Sequence[Place]], of: int) -> Tally:
    """Counted by formula: a thousand blank images are half a million pairs."""
    pairs = images = same = 0
    for group in groups:
        train, test = (Counter(p.label for p in group if p.split == split) for split in ("training", "test"))
        if relation == "across the splits":
            pairs += train.total() * test.total()
            images += test.total() if train else 0
            same += sum(number * test[label] for label, number in train.items())
        else:
            within = train if relation == "within training" else test
            pairs += _pairs_of(within.total())
            images += within.total() if within.total() > 1 else 0
            same += sum(map(_pairs_of, within.values()))
    return Tally(relation, pairs, images, of, pairs - same)


def _pairs_of(number: int) -> int:
    return number * (number - 1) // 2


def _near_tally(relation: Relation, pairs: Sequence[Pair], of: int) -> Tally:
    chosen = [pair for pair in pairs if pair.relation == relation]
    ends = [(pair.second,) if relation == "across the splits" else (pair.first, pair.second) for pair in chosen]
    apart = sum(pair.first.label != pair.second.label for pair in chosen)
    return Tally(relation, len(chosen), len({place for end in ends for place in end}), of, apart)
