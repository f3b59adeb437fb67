"""Invert what is bright in images (Grill et al. 2020, BYOL, arXiv 2006.07733, appendix B: with probability 0.2)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from ablation.augmentations.choosing import change_some
from ablation.contracts import Augmentation
from ablation.sending import send
from ablation.settings import Probability

Threshold = Annotated[int, Field(ge=0, le=255, examples=[192, 128, 64])]


def build(*, probability: Probability = 0.2, threshold: Threshold = 128) -> Augmentation:
    """Invert all levels of an image from `threshold` on, with the given probability."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        chosen = torch.rand(len(images), generator=generator) < probability
        return change_some(images, (chosen, _solarize)), targets

    def _solarize(some: Tensor, rows: Tensor) -> Tensor:
        return solarize_batch(some, torch.full((len(rows),), threshold))

    return augment


def solarize_batch(images: Tensor, thresholds: Tensor) -> Tensor:
    """Invert the levels of each image from its threshold on (numbers N in 0 to 255, on the CPU)."""
    least = send(thresholds.to(torch.float32).ceil_().to(torch.int16), images.device)[:, None, None, None]
    return images.bitwise_xor((images >= least).to(torch.uint8).mul_(255))
