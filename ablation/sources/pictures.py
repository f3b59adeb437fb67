"""One image file as a model takes images: its channels, its size, and in words what had to be changed for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ablation.errors import InputError
from ablation.sources.encoded import FORMATS, bombs_refused, opened, upright

_MODES = {1: "L", 3: "RGB"}


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image as uint8 C x H x W, with what was done to it."""

    pixels: NDArray[np.uint8]
    changes: tuple[str, ...]


def read_picture(path: Path, shape: tuple[int, int, int]) -> Picture:
    """Read a PNG or JPEG as an image of this shape, C x H x W.

    It is turned upright as its camera says, brought to grey or colour, and resized with antialiasing.

    Raises:
        InputError: it cannot be read, or has more than 8 bits a channel; or there are no pictures of such a shape.
    """
    channels, height, width = shape
    if channels not in _MODES:
        raise InputError(f"the model takes images of {channels} channels, and a picture has 1 or 3.")
    with bombs_refused(), opened(path, str(path), FORMATS) as image:
        turned = upright(image, str(path))
        changes = tuple(_changes(image, turned, _MODES[channels], (width, height)))
        picture = turned.convert(_MODES[channels])
    if picture.size != (width, height):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)  # of Pillow: antialiased where it shrinks
    pixels = np.asarray(picture, dtype=np.uint8)
    return Picture(np.ascontiguousarray(pixels.reshape(height, width, channels).transpose(2, 0, 1)), changes)


def _changes(image: Image.Image, turned: Image.Image, mode: str, size: tuple[int, int]) -> Iterator[str]:
    if image.has_transparency_data:
        yield "its transparency was left out"
    grey = image.mode in {"1", "L", "LA"}
    if grey != (mode == "L"):
        yield "made grey" if mode == "L" else "grey taken for colour"
    if turned.size != size:
        from_width, from_height = turned.size
        distorted = from_width * size[1] != from_height * size[0]
        shape = ", which changes its proportions" if distorted else ""
        yield f"resized from {from_width} x {from_height} to {size[0]} x {size[1]} pixels{shape}"
