"""Take the colour from images (Chen et al. 2020, SimCLR, arXiv 2002.05709, appendix A: with probability 0.2)."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ablation.augmentations.choosing import change_some
from ablation.augmentations.levels import grey_levels, to_bytes
from ablation.contracts import Augmentation
from ablation.errors import InputError
from ablation.settings import Probability


def build(*, probability: Probability = 0.2) -> Augmentation:
    """Turn an image grey, with the given probability."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        if images.shape[1] != 3:
            raise InputError(f"augmentation grayscale needs images of 3 channels, not {images.shape[1]}; leave it out.")
        chosen = torch.rand(len(images), generator=generator) < probability
        return change_some(images, (chosen, lambda some, _: grayscale_batch(some))), targets

    return augment


def grayscale_batch(images: Tensor) -> Tensor:
    """The luma of each pixel in all three channels."""
    return to_bytes(grey_levels(images)).expand_as(images)
