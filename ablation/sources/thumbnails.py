"""Images as a page can hold them."""

from __future__ import annotations

import base64
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

MOST_PIXELS = 64
"""The longest side of an image in a strip; larger ones are shrunk, each pixel the mean of those that it stands for."""


def data_uri(image: NDArray[np.uint8]) -> str:
    """A uint8 image C x H x W of one or three channels as a `data:` address of a PNG file."""
    pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
    return _address(np.ascontiguousarray(pixels))


def strip_uri(images: NDArray[np.uint8]) -> tuple[str, int, int]:
    """Images N x C x H x W of one or three channels side by side: the `data:` address of a PNG file, width and height.

    Between two images the strip is see-through, so that it has the colour of the page.
    """
    shrink = -(-max(images.shape[2:]) // MOST_PIXELS)
    channels, height, width = images.shape[1], images.shape[2] // shrink, images.shape[3] // shrink
    whole = images[:, :, : height * shrink, : width * shrink]
    cells = whole.reshape(len(images), channels, height, shrink, width, shrink)
    small = cells.mean(axis=(3, 5)).round().astype(np.uint8)
    step = width + max(1, width // 16)
    strip = np.zeros((height, step * len(images) - (step - width), 4), np.uint8)
    for at, image in enumerate(small):
        strip[:, at * step : at * step + width, :3] = image.transpose(1, 2, 0)
        strip[:, at * step : at * step + width, 3] = 255
    return _address(strip), strip.shape[1], strip.shape[0]


def _address(pixels: NDArray[np.uint8]) -> str:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
