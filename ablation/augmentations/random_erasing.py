"""Cover a rectangle of some images (Zhong et al. 2020, arXiv 1708.04896: half of them, 2 to 33 % of the area).

The rectangle is drawn as by `torchvision.transforms.v2.RandomErasing`: up to ten times, until one fits. The authors
cover CIFAR with its mean colour, which mid-grey comes nearest to without statistics, or with random levels.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Generator, Tensor

from ablation.augmentations.boxes import inside
from ablation.augmentations.choosing import change_some
from ablation.contracts import Augmentation
from ablation.errors import InputError
from ablation.sending import send
from ablation.settings import Byte, Positive, Probability

TRIES = 10

MinArea = Annotated[float, Field(gt=0, lt=1, examples=[0.02, 0.2])]
MaxArea = Annotated[float, Field(gt=0, lt=1, examples=[0.1, 0.33, 0.6])]


def build(
    *,
    probability: Probability = 0.5,
    min_area: MinArea = 0.02,
    max_area: MaxArea = 0.33,
    min_aspect: Positive = 0.3,
    max_aspect: Positive = 3.3,
    fill: Byte | Literal["random"] = 128,
) -> Augmentation:
    """Cover a rectangle of an image, with the given probability; shares of the area and height to width are ranges."""
    for name, low, high in (("area", min_area, max_area), ("aspect", min_aspect, max_aspect)):
        if low > high:
            raise InputError(
                f"augmentation random_erasing: min_{name} {low:g} is above max_{name} {high:g}; choose it below."
            )
    areas, aspects = (min_area, max_area), (min_aspect, max_aspect)

    def augment(images: Tensor, targets: Tensor, generator: Generator) -> tuple[Tensor, Tensor]:
        pixels = images[0].numel() if fill == "random" else 0
        draws = torch.rand(len(images), 3 + 2 * TRIES + pixels, generator=generator)
        boxes = draw_boxes(draws[:, 1 : 3 + 2 * TRIES], images.shape[-2:], areas, aspects)

        def erase(some: Tensor, rows: Tensor) -> Tensor:
            if fill != "random":
                return erase_batch(some, boxes[rows], torch.tensor(fill))
            return erase_batch(some, boxes[rows], (draws[rows, -pixels:] * 256).view(some.shape))

        return change_some(images, (draws[:, 0] < probability, erase)), targets

    return augment


def draw_boxes(
    draws: Tensor, size: tuple[int, ...], areas: tuple[float, float], aspects: tuple[float, float]
) -> Tensor:
    """A box for each row of 2 + 2 * TRIES draws: of even area and even logarithm of the aspect, the first that fits.

    Where none of them is smaller than the image on both sides, it is empty.
    """
    draws, limits = draws.double(), torch.tensor(size)
    tries = draws[:, 2:].view(-1, TRIES, 2)
    area = (areas[0] + tries[:, :, 0] * (areas[1] - areas[0])) * (size[0] * size[1])
    aspect = aspects[0] * (aspects[1] / aspects[0]) ** tries[:, :, 1]
    sides = torch.stack([area * aspect, area / aspect], dim=2).sqrt().round()
    fits = (sides < limits).all(2)
    first = fits.int().argmax(1)
    box = (sides[torch.arange(len(sides)), first] * fits.any(1, keepdim=True)).long()
    corner = (draws[:, :2] * (limits - box + 1)).long()
    return torch.cat([corner, corner + box], dim=1)


def erase_batch(images: Tensor, boxes: Tensor, covers: Tensor) -> Tensor:
    """Cover a box of each image with levels (in [0, 256), on the CPU): one for all, or one for each pixel."""
    return torch.where(inside(boxes, images), send(covers.to(torch.uint8), images.device), images)
