"""Images in the form of PNG, JPEG and their like, made arrays.

Decoding is done in one thread: 60,000 images of 32 x 32 pixels take 6 s, once a machine; two and four threads took as
long, since at this size the interpreter is the bound and not the decoder.
"""

from __future__ import annotations

import contextlib
import io
import os
import struct
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.splits import LabelledImages

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG")
_MORE_FORMATS = (*FORMATS, "WEBP", "BMP", "PPM")
_PLAIN = ("RGB", "L", "P")
_EIGHT_BITS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"}
_MODES = {1: "L", 3: "RGB"}
_MOST_TOLD = 10


@dataclass(frozen=True, slots=True)
class Encoded:
    """An image as its file holds it: where it comes from, its bytes, its class."""

    where: str
    content: bytes
    label: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What images become: squares of `side` pixels and 1 or 3 channels. `exact`: one that is another is refused."""

    side: int
    channels: int = 3
    exact: bool = False


def decode_all(items: Iterable[Encoded], count: int, frame: Frame) -> LabelledImages:
    """As many images, decoded. InputError names those that cannot be, the first ten of them."""
    _require_memory(count, frame)
    images = np.empty((count, frame.channels, frame.side, frame.side), np.uint8)
    labels = np.empty(count, np.int64)
    wrong: list[str] = []
    with bombs_refused():
        for number, item in enumerate(items):
            try:
                images[number] = _decode(item, frame)
            except InputError as error:
                wrong.append(str(error))
            labels[number] = item.label
    if wrong:
        told, left = wrong[:_MOST_TOLD], len(wrong) - _MOST_TOLD
        raise InputError("\n".join([*told, f"and {left:,} more images."] if left > 0 else told))
    return LabelledImages(images, labels)


@contextlib.contextmanager
def bombs_refused() -> Iterator[None]:
    """Within this an image of more pixels than Pillow takes for safe (89 million) is an error when it is opened."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextlib.contextmanager
def opened(source: Path | io.BytesIO, where: str, formats: tuple[str, ...]) -> Iterator[Image]:
    """An image file, open; what is wrong with it is an InputError, now or when its pixels are asked for."""
    from PIL import Image

    try:
        with Image.open(source, formats=formats) as image:
            yield image
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        *most, last = formats
        raise InputError(f"{where} cannot be read as {', '.join(most)} or {last}: {error}") from error


def upright(image: Image, where: str) -> Image:
    """An open image, turned as its camera says. InputError where it has more than 8 bits a channel."""
    from PIL import ImageOps

    if image.mode not in _EIGHT_BITS:
        raise InputError(f"{where} has more than 8 bits a channel ({image.mode}). Save it with 8.")
    return ImageOps.exif_transpose(image)


def _decode(item: Encoded, frame: Frame) -> NDArray[np.uint8]:
    """One image as C x H x W."""
    mode = _MODES[frame.channels]
    with opened(io.BytesIO(item.content), item.where, FORMATS if frame.exact else _MORE_FORMATS) as image:
        picture = _exact(image, item.where, frame) if frame.exact else _fitted(image, item.where, frame, mode)
        pixels = np.asarray(picture if picture.mode == mode else picture.convert(mode))
    return pixels.reshape(frame.side, frame.side, frame.channels).transpose(2, 0, 1)


def _exact(image: Image, where: str, frame: Frame) -> Image:
    """The image, nothing of which is decompressed yet, if it is as it needs to be."""
    side = frame.side
    if image.size != (side, side):
        raise InputError(f"{where}: the image is {image.width} x {image.height}; it needs to be {side} x {side}")
    if image.mode not in _PLAIN:
        raise InputError(f"{where}: the image is {image.mode}; it needs to be {', '.join(_PLAIN)}")
    return image


def _fitted(image: Image, where: str, frame: Frame, mode: str) -> Image:
    """Upright, of one mode, and of the frame's size."""
    from PIL import ImageOps
    from PIL.Image import Resampling

    picture = upright(image, where)
    if picture.mode == "P" and picture.has_transparency_data:
        picture = picture.convert("RGBA")  # straight to RGB, Pillow warns for each image
    picture = picture.convert(mode)
    size = (frame.side, frame.side)
    # Pillow's bilinear filter is antialiased where it shrinks.
    return picture if picture.size == size else ImageOps.fit(picture, size, Resampling.BILINEAR)


def _require_memory(count: int, frame: Frame) -> None:
    """Refuse what cannot be held, where the system says how much can."""
    needed = count * frame.channels * frame.side**2
    if {"SC_PHYS_PAGES", "SC_PAGE_SIZE"} <= getattr(os, "sysconf_names", {}).keys():
        most = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if needed > most:
            raise InputError(
                f"{count:,} images of {frame.side} x {frame.side} pixels take {needed / 1e9:.0f} GB, and this machine "
                f"has {most / 1e9:.0f} GB of memory; choose a smaller size, or fewer images"
            )
