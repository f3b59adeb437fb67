"""Move images at random (affine distortions of training images: Simard et al. 2003, ICDAR, section 2)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor
from torch.nn import functional

from ablation.augmentations.crop import crop_batch
from ablation.contracts import Augmentation
from ablation.sending import send
from ablation.settings import Byte

Reach = Annotated[float, Field(ge=0, lt=1, examples=[0.05, 0.125, 0.25, 0.5])]


def build(*, horizontal: Reach = 0.125, vertical: Reach = 0.125, fill: Byte = 0) -> Augmentation:
    """Move an image by whole pixels within +- these shares of its sides; what comes in is grey of level `fill`."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        height, width = images.shape[-2:]
        reach = torch.tensor([round(vertical * height), round(horizontal * width)])
        shares = torch.rand(len(images), 2, generator=generator, dtype=torch.float64)
        moves = (shares * (2 * reach + 1)).long() - reach
        return translate_batch(images, moves, fill), targets

    return augment


def translate_batch(images: Tensor, moves: Tensor, fill: int) -> Tensor:
    """Move each image by its own number of pixels down and right (int64 N x 2, on the CPU)."""
    margin = int(moves.abs().max()) if len(moves) else 0
    padded = functional.pad(images, (margin,) * 4, value=fill)
    return crop_batch(padded, send(margin - moves, images.device), images.shape[-2:])
