"""Cover a square of each image (DeVries and Taylor 2017, arXiv 1708.04552).

The paper covers with zeros after normalising, that is with the mean colour of the data; on uint8 images mid-grey comes
nearest to that without statistics.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

from ablation.errors import InputError
from ablation.sending import send
from ablation.settings import Byte, Count


def build(*, size: Count = 16, fill: Byte = 128) -> Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]:
    """Cover a square of `size` pixels a side around a random pixel (so partly outside at times) with one grey level."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        if size >= 2 * max(images.shape[-2:]) - 1:
            height, width = images.shape[-2:]
            raise InputError(
                f"augmentation cutout: a square of {size} pixels covers an image of {height} x {width} pixels wherever "
                f"it lies; choose a size well below {max(height, width)}."
            )
        shares = torch.rand(len(images), 2, generator=generator, dtype=torch.float64)
        centres = (shares * torch.tensor(images.shape[-2:])).long()
        return cutout_batch(images, send(centres, images.device), size, fill), targets

    return augment


def cutout_batch(images: Tensor, centres: Tensor, size: int, fill: int) -> Tensor:
    """Set a square of each image to `fill`, from size // 2 above and left of its centre (int64 N x 2: row, column)."""
    rows, columns = (_covered(length, centres[:, axis], size) for axis, length in enumerate(images.shape[-2:]))
    return images.masked_fill((rows[:, :, None] & columns[:, None, :])[:, None], fill)


def _covered(length: int, centres: Tensor, size: int) -> Tensor:
    """Which positions along one side (bool N x length) lie in the square."""
    distances = torch.arange(length, device=centres.device) - centres[:, None] + size // 2
    return (distances >= 0) & (distances < size)
