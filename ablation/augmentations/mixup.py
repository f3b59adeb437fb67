"""Blend images and their classes in pairs (Zhang et al. 2018, arXiv 1710.09412: alpha 1 on CIFAR-10, 0.2 on ImageNet).

Every image has a share of its own, where the authors draw one for a batch.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from ablation.augmentations.levels import per_image
from ablation.augmentations.partners import beta_quantiles, ring
from ablation.contracts import Mixing
from ablation.sending import send

Alpha = Annotated[float, Field(ge=0.01, le=100, examples=[0.2, 0.4, 1.0])]


def build(*, alpha: Alpha = 1.0) -> Mixing:
    """Blend each image and its class with another one's, in shares from a Beta(alpha, alpha) distribution."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        keys, draws = torch.rand(len(images), 2, generator=generator, dtype=torch.float64).unbind(1)
        return mixup_batch(images, targets, ring(keys), beta_quantiles(draws, alpha))

    return Mixing(augment)


def mixup_batch(images: Tensor, targets: Tensor, partners: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Take this share (float64 N) of each image and target, the rest of its partner's (int64 N); both on the CPU."""
    there = send(partners, images.device)
    kept, taken = per_image(shares, images), per_image(1 - shares, images)
    mixed = (images.index_select(0, there) * taken).add_(images * kept).round_().to(torch.uint8)
    return mixed, targets.index_select(0, there) * taken[:, :, 0, 0] + targets * kept[:, :, 0, 0]
