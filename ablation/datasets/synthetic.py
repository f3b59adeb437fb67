"""Small images made by a rule, so that it is known beforehand what each augmentation does to the truth.

Each class is one glyph: a grid of 4 x 4 cells, dark or bright. An image is its class's glyph at a random place, under a
random brightness, with noise on every pixel. Planted:

- Shift keeps the class. Training glyphs stand at most `train_shift` pixels off the centre, test glyphs anywhere within
  the margin (image_size / 6). With the default train_shift of 0 only shifted training images show what the test asks,
  so crop helps: a lot where a model's head sees positions, a little where it averages over them.
- Horizontal flip changes the class if `mirrored`: classes 2k and 2k + 1 are mirror images of one another, so a
  flipped training image carries the other's label and flip hurts. Otherwise each image of both splits is flipped with
  probability 1/2 and no glyph is like another's mirror image, so flip keeps the class.
- Brightness says nothing about the class: an offset drawn from +-`brightness` (full range = 1) in both splits.
- `noise`, the standard deviation of a pixel (full range = 1), sets the difficulty; at 0 the classes are told apart for
  sure.
- `seed` draws other images of the same glyphs, so the planted effects are as large as before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.settings import Count, Fraction, Pixels, Seed
from ablation.splits import LabelledImages, Splits, fingerprint_of

_CELLS = 4
_UNLIKE = 5  # cells, of 16, by which any two glyphs differ, and each from its own mirror image
_MOST_CLASSES = 10
_DARK, _BRIGHT = 0.35, 0.65
_GLYPHS, _TRAIN, _TEST = 1, 2, 3  # each draws from a stream of its own


def build(
    root: Path,  # noqa: ARG001  nothing to find
    *,
    train_size: Count = 256,
    test_size: Count = 128,
    num_classes: Count = 4,
    image_size: Count = 12,
    channels: Literal[1, 3] = 1,
    noise: Fraction = 0.1,
    brightness: Fraction = 0.2,
    train_shift: Pixels = 0,
    mirrored: bool = True,
    seed: Seed = 0,
) -> Splits:
    """Procedural images with planted effects: shifting training images helps, flipping them hurts."""
    margin = image_size // 6
    _check("num_classes", num_classes, 2, _MOST_CLASSES)
    _check("image_size", image_size, 8, 256)
    _check("train_size", train_size, num_classes, 1_000_000)
    _check("test_size", test_size, num_classes, 1_000_000)
    _check("train_shift", train_shift, 0, margin)
    glyphs = _glyphs(num_classes, image_size - 2 * margin, mirrored=mirrored)
    parts = []
    for stream, size, shift in ((_TRAIN, train_size, train_shift), (_TEST, test_size, margin)):
        rng = np.random.default_rng([stream, seed])
        labels = rng.permutation(np.arange(size, dtype=np.int64) % num_classes)
        clean = _place(glyphs[labels], margin, shift, rng)
        if not mirrored:
            flipped = rng.random(size) < 0.5
            clean[flipped] = clean[flipped, :, ::-1]
        parts.append(LabelledImages(_photograph(clean, channels, brightness, noise, rng), labels))
    classes = tuple(f"glyph {number}" for number in range(num_classes))
    return Splits(parts[0], parts[1], classes, fingerprint_of(parts[0], parts[1], classes))


def _check(choice: str, value: int, low: int, high: int) -> None:
    if not low <= value <= high:
        raise InputError(f"synthetic: {choice} is {value}; give {low} to {high}")


def _glyphs(count: int, side: int, *, mirrored: bool) -> NDArray[np.float64]:
    """Count x side x side values of _DARK and _BRIGHT, any two of them and their mirror images well apart."""
    rng = np.random.default_rng(_GLYPHS)
    chosen: list[NDArray[np.bool_]] = []
    while len(chosen) < count:
        cells = rng.random((_CELLS, _CELLS)) < 0.5
        mirror = cells[:, ::-1]
        others = [mirror, *chosen, *(glyph[:, ::-1] for glyph in chosen)]
        if all((cells != other).sum() >= _UNLIKE for other in others):
            chosen += [cells, mirror] if mirrored else [cells]
    nearest = np.arange(side) * _CELLS // side
    grids = np.stack(chosen[:count])[:, nearest][:, :, nearest]
    return np.where(grids, _BRIGHT, _DARK)


def _place(glyphs: NDArray[np.float64], margin: int, shift: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Each glyph on a dark ground, at most `shift` pixels off the centre in either direction."""
    count, side = glyphs.shape[:2]
    images = np.full((count, side + 2 * margin, side + 2 * margin), _DARK)
    corners = margin + rng.integers(-shift, shift, size=(count, 2), endpoint=True)
    for image, glyph, (row, column) in zip(images, glyphs, corners, strict=True):
        image[row : row + side, column : column + side] = glyph
    return images


def _photograph(
    clean: NDArray[np.float64], channels: int, brightness: float, noise: float, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """N x channels x H x W with a brightness for each image and noise for each pixel and channel."""
    offsets = rng.uniform(-brightness, brightness, size=(len(clean), 1, 1, 1))
    seen = np.repeat(clean[:, None], channels, axis=1) + offsets
    seen += noise * rng.standard_normal(seen.shape)
    pixels: NDArray[np.uint8] = np.rint(seen.clip(0, 1) * 255).astype(np.uint8)
    return pixels
