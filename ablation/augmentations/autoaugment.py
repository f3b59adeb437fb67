"""AutoAugment: a pair of operations from a learned policy (Cubuk et al. 2019, arXiv 1805.09501, tables 7 to 9).

Ranges are those of `torchvision.transforms.v2.AutoAugment`. Five draws an image: the pair, and for either operation
whether it is done and its sign.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor

from ablation.augmentations.learned_policies import CIFAR10, IMAGENET, SVHN, Pair
from ablation.augmentations.levels import check_channels
from ablation.augmentations.operations import Look, apply, signed
from ablation.augmentations.ranges import NOTHING, USUAL, magnitudes
from ablation.contracts import Augmentation
from ablation.settings import Byte, Interpolation

STEPS = 10

RANGES = {**USUAL, "invert": NOTHING}

POLICIES: dict[str, tuple[Pair, ...]] = {"cifar10": CIFAR10, "imagenet": IMAGENET, "svhn": SVHN}

Policy = Literal["cifar10", "imagenet", "svhn"]


def build(*, policy: Policy = "cifar10", interpolation: Interpolation = "nearest", fill: Byte = 0) -> Augmentation:
    """Change an image by one of 25 pairs of operations that were learned for a data set, each with its probability."""
    names, look = tuple(RANGES), Look(interpolation, fill)
    pairs = POLICIES[policy]
    numbers = torch.tensor([[names.index(name) for name, _, _ in pair] for pair in pairs])
    chances = torch.tensor([[chance for _, chance, _ in pair] for pair in pairs], dtype=torch.float64)
    steps = torch.tensor([[step for _, _, step in pair] for pair in pairs])

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        check_channels(images, "autoaugment")
        draws = torch.rand(len(images), 5, generator=generator, dtype=torch.float64)
        drawn = (draws[:, 0] * len(pairs)).long()
        table = magnitudes(RANGES, STEPS, images)
        for turn in range(2):
            done = draws[:, 1 + turn] < chances[drawn, turn]
            operations = numbers[drawn, turn] * done  # else the first, identity
            strengths = table[operations, steps[drawn, turn]]
            by = signed(names, operations, strengths, draws[:, 3 + turn])
            images = apply(images, names, (operations, by), look)
        return images, targets

    return augment
