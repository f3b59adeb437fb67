"""TrivialAugment Wide: one operation of random strength an image (Müller and Hutter 2021, arXiv 2103.10158).

Ranges are those of `torchvision.transforms.v2.TrivialAugmentWide`. Three draws an image: operation, strength, sign.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ablation.augmentations.levels import check_channels
from ablation.augmentations.operations import Look, apply, signed
from ablation.augmentations.ranges import WIDE, magnitudes
from ablation.contracts import Augmentation
from ablation.settings import Byte, Interpolation

STEPS = 31


def build(*, interpolation: Interpolation = "nearest", fill: Byte = 0) -> Augmentation:
    """Change an image by one of fourteen operations at one of 31 strengths; what moves in is grey of level `fill`."""
    names, look = tuple(WIDE), Look(interpolation, fill)

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        check_channels(images, "trivialaugment")
        operation, strength, side = torch.rand(len(images), 3, generator=generator, dtype=torch.float64).unbind(1)
        operations = (operation * len(names)).long()
        table = magnitudes(WIDE, STEPS, images)
        by = signed(names, operations, table[operations, (strength * STEPS).long()], side)
        return apply(images, names, (operations, by), look), targets

    return augment
