"""Mirror images, each with a probability of its own (horizontal: Krizhevsky et al. 2012, section 4.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Generator, Tensor

from ablation.sending import send
from ablation.settings import Probability


def build(
    *, probability: Probability = 0.5, direction: Literal["horizontal", "vertical"] = "horizontal"
) -> Callable[[Tensor, Tensor, Generator], tuple[Tensor, Tensor]]:
    """Mirror an image left to right or top to bottom, with the given probability."""
    axis = {"horizontal": 3, "vertical": 2}[direction]

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        flipped = torch.rand(len(images), generator=generator) < probability
        return flip_batch(images, send(flipped, images.device), axis), targets

    return augment


def flip_batch(images: Tensor, flipped: Tensor, axis: int = 3) -> Tensor:
    """Mirror the images where `flipped` (bool of shape N) holds; axis 3 is left to right, 2 top to bottom."""
    return torch.where(flipped[:, None, None, None], images.flip(axis), images)
