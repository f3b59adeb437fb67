"""Leave fewer levels in images (an operation of AutoAugment: Cubuk et al. 2019, arXiv 1805.09501, table 6)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from ablation.augmentations.choosing import change_some
from ablation.contracts import Augmentation
from ablation.sending import send
from ablation.settings import Probability

Bits = Annotated[int, Field(ge=1, le=7, examples=[6, 4, 2, 1])]


def build(*, probability: Probability = 0.5, bits: Bits = 4) -> Augmentation:
    """Keep only the highest bits of each level of an image, with the given probability."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.rand(len(images), generator=generator) < probability
        return change_some(images, (chosen, _posterize)), targets

    def _posterize(some: Tensor, rows: Tensor) -> Tensor:
        return posterize_batch(some, torch.full((len(rows),), bits))

    return augment


def posterize_batch(images: Tensor, bits: Tensor) -> Tensor:
    """Keep so many of the eight bits of each image's levels (int64 N in 0 to 8, on the CPU)."""
    masks = (256 - torch.bitwise_left_shift(1, 8 - bits)).to(torch.uint8)
    return images & send(masks, images.device)[:, None, None, None]
