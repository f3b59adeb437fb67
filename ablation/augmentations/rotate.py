"""Rotate images at random (affine distortions of training images: Simard et al. 2003, ICDAR, section 2)."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from ablation.augmentations.affine import rotations, warp
from ablation.contracts import Augmentation
from ablation.settings import Byte, Interpolation

Degrees = Annotated[float, Field(ge=0, le=180, examples=[5.0, 15.0, 30.0, 90.0])]


def build(*, degrees: Degrees = 15.0, interpolation: Interpolation = "bilinear", fill: Byte = 0) -> Augmentation:
    """Rotate an image about its centre by an angle within +- `degrees`; what comes in is grey of level `fill`."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        angles = degrees * (2 * torch.rand(len(images), generator=generator, dtype=torch.float64) - 1)
        return warp(images, rotations(angles), interpolation, fill), targets

    return augment
