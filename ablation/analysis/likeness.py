"""Pairs of images that are alike in their detail, among all pairs of many images, in two steps.

First every image is held against every other as a thumbnail, plain and mirrored, which leaves few pairs of many. These
are then looked at closely: of grey pictures the blurred picture is taken off, so that light and colour of a scene do
not count, and the correlation of what is left is taken at the best of a few shifts. In both steps the means of rows and
columns are taken off as well: else any two pictures of a horizon would be alike.

Thumbnails are multiplied tile by tile, so that memory does not grow with the square of the images.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

THUMBNAIL = 16
"""Pixels of a thumbnail's side."""
PICTURE = 32
"""The longest side at which a pair is looked at closely; larger images are shrunk to it."""
ALIKE = 0.7
"""Correlation of two thumbnails from which on a pair is looked at closely."""
NEAR = 0.65
"""Likeness from which on a pair is taken for near duplicates."""
SHIFT = 2
"""Pixels of the picture that one image may be shifted by, down or across, against the other."""
BLUR = 5
"""Pixels of the side of the square whose mean is taken off."""
MOST_CANDIDATES = 200_000
"""Pairs that are looked at closely; with more the search ends."""

_TILE, _BATCH = 1024, 2048
"""Thumbnails on either side of a product, which then stays in the processor's cache; pictures read at a time."""
_NOTHING = 1e-3
"""The length, in grey levels of 255, below which a thumbnail shows nothing."""

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]
Read = Callable[[Rows], Floats]
"""The grey levels (N x H x W) of the images at these positions."""


@dataclass(frozen=True, slots=True, eq=False)
class Alike:
    """Pairs of positions, the first below the second, each once."""

    pairs: Rows
    """N x 2."""
    likeness: Floats
    mirrored: NDArray[np.bool_]


def alike_pairs(read: Read, count: int) -> tuple[Alike, bool]:
    """The near duplicates among `count` images of at least THUMBNAIL pixels a side, and whether these are all."""
    found = [Alike(np.empty((0, 2), np.int64), np.empty(0, np.float32), np.empty(0, np.bool_))]
    left = MOST_CANDIDATES
    for tile in _candidates(read, count):
        pairs, mirrored = tile.pairs[:left], tile.mirrored[:left]
        likeness = _likeness(read, pairs, mirrored)
        near = likeness >= NEAR
        found.append(Alike(pairs[near], likeness[near], mirrored[near]))
        left -= len(pairs)
        if not left:
            break
    parts = zip(*((part.pairs, part.likeness, part.mirrored) for part in found), strict=True)
    return Alike(*map(np.concatenate, parts)), left > 0


def _candidates(read: Read, count: int) -> Iterator[Alike]:
    """The pairs whose thumbnails are alike, tile by tile; their likeness is that of the thumbnails."""
    even, odd = _halves(read, count)
    for top in range(0, count, _TILE):
        for left in range(top, count, _TILE):
            rows, columns = slice(top, top + _TILE), slice(left, left + _TILE)
            same, turned = even[rows] @ even[columns].T, odd[rows] @ odd[columns].T
            alike = same + np.abs(turned)
            # By their numbers in the tile: asking for rows and columns at once takes several times as long.
            at = np.flatnonzero(alike >= ALIKE)
            first, second = np.divmod(at, alike.shape[1])
            pairs = np.stack((first + top, second + left), axis=1)
            once = pairs[:, 0] < pairs[:, 1]
            yield Alike(pairs[once], alike.ravel()[at][once], turned.ravel()[at][once] < 0)


def _halves(read: Read, count: int) -> tuple[Floats, Floats]:
    """Of each thumbnail what is the same in its mirror image, and what changes sign there, as rows of numbers.

    With these halves the correlation of two thumbnails is the sum of two products, and their difference that of one
    with the other's mirror image: both for the price of one.
    """
    small = np.empty((count, THUMBNAIL, THUMBNAIL), np.float32)
    for at in range(0, count, _BATCH):
        small[at : at + _BATCH] = _less_lines(_shrunk(read(np.arange(at, min(count, at + _BATCH))), THUMBNAIL))
    lengths = np.linalg.norm(small, axis=(1, 2), keepdims=True)
    shows = lengths > _NOTHING
    small = np.where(shows, small / np.where(shows, lengths, 1), 0)
    left, right = small[:, :, : THUMBNAIL // 2], small[:, :, : THUMBNAIL // 2 - 1 : -1]
    even, odd = ((half / 2**0.5).reshape(count, -1).astype(np.float32) for half in (left + right, left - right))
    return even, odd


def _likeness(read: Read, pairs: Rows, mirrored: NDArray[np.bool_]) -> Floats:
    """The correlation of the detail of each pair at its best shift."""
    best = np.full(len(pairs), -1, np.float32)
    for at in range(0, len(pairs), _BATCH):
        one, other = (_detail(read(pairs[at : at + _BATCH, side])) for side in range(2))
        turned = mirrored[at : at + _BATCH]
        other[turned] = other[turned, :, ::-1]
        for down in range(-SHIFT, SHIFT + 1):
            for across in range(-SHIFT, SHIFT + 1):
                found = _cosine(_cut(one, down, across), _cut(other, -down, -across))
                np.maximum(best[at : at + _BATCH], found, out=best[at : at + _BATCH])
    return best


def _detail(levels: Floats) -> Floats:
    """What is left of pictures without their blur, and without the means of its rows and columns."""
    levels = _shrunk(levels, PICTURE)
    down, across = (_blurring(length) for length in levels.shape[1:])
    blurred = (down @ levels @ across.T).astype(np.float32)
    return _less_lines(levels - blurred)


def _less_lines(levels: Floats) -> Floats:
    """Without the mean of each row and each column."""
    rows, columns = levels.mean(axis=2, keepdims=True), levels.mean(axis=1, keepdims=True)
    rest: Floats = levels - rows - columns + levels.mean(axis=(1, 2), keepdims=True)
    return rest


def _cut(levels: Floats, down: int, across: int) -> Floats:
    """The part that overlaps with another picture when it is shifted against that."""
    _, height, width = levels.shape
    return levels[:, max(0, down) : height + min(0, down), max(0, across) : width + min(0, across)]


def _cosine(one: Floats, other: Floats) -> Floats:
    """Of each pair, seen as vectors of mean 0: their correlation. 0 where one shows nothing."""
    product, first, second = (np.einsum("nij,nij->n", *both) for both in ((one, other), (one, one), (other, other)))
    lengths = np.sqrt(first * second)
    shows = lengths > 0
    return np.where(shows, product / np.where(shows, lengths, 1), 0).astype(np.float32)


def _shrunk(levels: Floats, side: int) -> Floats:
    """Pictures of at most this side, each pixel the mean of what it stands for."""
    if max(levels.shape[1:]) <= side:
        return levels
    down, across = (_shrinking(length, min(side, length)) for length in levels.shape[1:])
    return (down @ levels @ across.T).astype(np.float32)


def _shrinking(length: int, parts: int) -> Floats:
    """The matrix that makes `parts` means of `length` pixels, which may share a pixel between them."""
    ends = np.linspace(0, length, parts + 1)
    pixels = np.arange(length)
    covered = np.minimum(ends[1:, None], pixels + 1) - np.maximum(ends[:-1, None], pixels)
    return (covered.clip(0) * (parts / length)).astype(np.float32)


def _blurring(length: int) -> Floats:
    """The matrix that makes each pixel the mean of those around it; beyond the edge the last one goes on."""
    pixels = np.arange(length)
    around = (pixels[:, None] + np.arange(BLUR) - BLUR // 2).clip(0, length - 1)
    matrix = np.zeros((length, length), np.float32)
    np.add.at(matrix, (pixels[:, None], around), 1 / BLUR)
    return matrix
