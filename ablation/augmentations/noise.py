"""Add noise to every pixel, which smooths what is learned (Bishop 1995, Neural Computation 7(1), 108-116)."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from ablation.contracts import Augmentation
from ablation.sending import send

Levels = Annotated[float, Field(gt=0, le=255, examples=[4.0, 8.0, 16.0, 32.0])]


def build(*, levels: Levels = 8.0) -> Augmentation:
    """Add Gaussian noise with a standard deviation of `levels` (out of 255) to every pixel and channel."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        # `torch.randn` makes its numbers in pairs and sixteens: how an image is cut off from the next would move them.
        shares = torch.rand(images.shape, generator=generator)
        return add_noise(images, send(shares, images.device), levels), targets

    return augment


def add_noise(images: Tensor, shares: Tensor, levels: float) -> Tensor:
    """Add normal quantiles of `shares` (float32 in [0, 1), one for each number of an image), in whole levels."""
    noise = torch.erfinv(shares.mul(2).sub_(1 - 2**-24)).mul_(math.sqrt(2) * levels)
    return noise.add_(images).round_().clamp_(0, 255).to(torch.uint8)
