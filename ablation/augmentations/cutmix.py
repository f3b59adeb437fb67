"""Put a piece of one image into another (Yun et al. 2019, arXiv 1905.04899: alpha 1, on CIFAR with probability 0.5).

Every image has a box of its own, where the authors draw one for a batch; it is drawn as by `torchvision`'s CutMix.
"""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field
from torch import Generator, Tensor

from ablation.augmentations.boxes import inside
from ablation.augmentations.partners import beta_quantiles, ring
from ablation.contracts import Mixing
from ablation.sending import send
from ablation.settings import Probability

Alpha = Annotated[float, Field(ge=0.01, le=100, examples=[0.2, 1.0, 4.0])]


def build(*, alpha: Alpha = 1.0, probability: Probability = 0.5) -> Mixing:
    """Put a box of another image into one, with the given probability; classes count by area, of Beta(alpha, alpha)."""

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        draws = torch.rand(len(images), 5, generator=generator, dtype=torch.float64)
        kept = beta_quantiles(draws[:, 1], alpha).masked_fill_(draws[:, 2] >= probability, 1.0)
        boxes = boxes_around(draws[:, 3:], kept, images.shape[-2:])
        return cutmix_batch(images, targets, ring(draws[:, 0]), boxes)

    return Mixing(augment)


def boxes_around(draws: Tensor, kept: Tensor, size: tuple[int, ...]) -> Tensor:
    """Boxes (int64 N x 4: top, left, bottom, right) around drawn middles, cut at the edges.

    Uncut a box has the share 1 - `kept` (float64 N) of the area of an image of this height and width.
    """
    sides = torch.tensor(size)
    middles = (draws * sides).long()
    halves = ((1 - kept).sqrt()[:, None] * 0.5 * sides).long()
    return torch.cat([(middles - halves).clamp_(min=0), torch.minimum(middles + halves, sides)], dim=1)


def cutmix_batch(images: Tensor, targets: Tensor, partners: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Replace a box of each image by its partner's (int64 N); targets by the share of its pixels that each keeps."""
    height, width = images.shape[-2:]
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    taken = send(areas / (height * width), targets.device)[:, None]
    there = send(partners, images.device)
    mixed = torch.where(inside(boxes, images), images.index_select(0, there), images)
    return mixed, targets.index_select(0, there) * taken + targets * (1 - taken)
