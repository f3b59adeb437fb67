"""RandAugment: some operations of one strength, one after the other (Cubuk et al. 2020, arXiv 1909.13719).

Ranges and defaults are those of `torchvision.transforms.v2.RandAugment`, so magnitude 9 is of 31 steps, not of the
paper's 11. Two draws an image and operation: which one, and its sign.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from ablation.augmentations.levels import check_channels
from ablation.augmentations.operations import Look, apply, signed
from ablation.augmentations.ranges import USUAL, magnitudes
from ablation.contracts import Augmentation
from ablation.settings import Byte, Interpolation

STEPS = 31

Number = Annotated[int, Field(ge=1, le=14, examples=[1, 2, 3])]
Magnitude = Annotated[int, Field(ge=0, le=30, examples=[5, 9, 15, 25])]


def build(
    *, num_ops: Number = 2, magnitude: Magnitude = 9, interpolation: Interpolation = "nearest", fill: Byte = 0
) -> Augmentation:
    """Change an image by `num_ops` of fourteen operations in a row, drawn anew each time, at `magnitude` out of 30."""
    names, look = tuple(USUAL), Look(interpolation, fill)

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        check_channels(images, "randaugment")
        draws = torch.rand(len(images), num_ops, 2, generator=generator, dtype=torch.float64)
        strengths = magnitudes(USUAL, STEPS, images)[:, magnitude]
        for operation, side in (draw.unbind(1) for draw in draws.unbind(1)):
            operations = (operation * len(names)).long()
            by = signed(names, operations, strengths[operations], side)
            images = apply(images, names, (operations, by), look)
        return images, targets

    return augment
