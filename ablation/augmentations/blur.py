"""Blur images (Chen et al. 2020, SimCLR, arXiv 2002.05709, appendix A: with probability 0.5, from 0.1 pixels on).

SimCLR blurs by up to 2 pixels images of 224; the default here is meant for images of about 32.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor
from torch.nn import functional

from ablation.augmentations.choosing import change_some
from ablation.augmentations.levels import per_image
from ablation.contracts import Augmentation
from ablation.errors import InputError
from ablation.settings import Probability

LEAST = 0.1
"""The weakest blur, in pixels: it changes next to nothing."""

Deviation = Annotated[float, Field(ge=0.1, examples=[0.5, 1.0, 2.0])]


def build(*, probability: Probability = 0.5, sigma: Deviation = 1.0) -> Augmentation:
    """Blur an image, with the given probability, by a Gaussian of 0.1 to `sigma` pixels (standard deviation)."""
    radius = math.ceil(3 * sigma)

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        if radius >= min(images.shape[-2:]):
            height, width = images.shape[-2:]
            raise InputError(
                f"augmentation blur: a sigma of {sigma:g} reaches {radius} pixels far, and images of {height} x "
                f"{width} pixels have no reflection of so many; choose sigma up to {(min(height, width) - 1) // 3}."
            )
        draws = torch.rand(len(images), 2, generator=generator, dtype=torch.float64)
        sigmas = LEAST + draws[:, 1] * (sigma - LEAST)
        chosen = draws[:, 0] < probability
        return change_some(images, (chosen, lambda some, rows: blur_batch(some, sigmas[rows], radius))), targets

    return augment


def blur_batch(images: Tensor, sigmas: Tensor, radius: int) -> Tensor:
    """Blur each image by a Gaussian of its own (float64 N, on the CPU), cut at `radius` pixels; edges are reflected."""
    distances = torch.arange(-radius, radius + 1)
    weights = torch.softmax(-((distances / sigmas[:, None]) ** 2) / 2, dim=1)
    levels = functional.pad(images.to(torch.float32), (radius,) * 4, mode="reflect")
    for axis in (2, 3):
        length = levels.shape[axis] - 2 * radius
        total = torch.zeros_like(levels.narrow(axis, 0, length))
        for start, weight in enumerate(weights.unbind(1)):
            total.addcmul_(levels.narrow(axis, start, length), per_image(weight, images))
        levels = total
    return levels.round_().to(torch.uint8)
