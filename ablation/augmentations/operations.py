"""The operations that learned and random policies draw from, each on the images that drew it.

The arithmetic is that of `torchvision.transforms.v2.functional`; the results are equal to the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ablation.augmentations.affine import rotations, shears, translations, warp
from ablation.augmentations.choosing import Change, change_some
from ablation.augmentations.color_jitter import adjust_brightness, adjust_contrast, adjust_saturation
from ablation.augmentations.contrasts import adjust_sharpness, equalize, stretch_contrast
from ablation.augmentations.posterize import posterize_batch
from ablation.augmentations.solarize import solarize_batch
from ablation.settings import Interpolation


@dataclass(frozen=True, slots=True)
class Look:
    """How pixels that were moved are shown."""

    interpolation: Interpolation = "nearest"
    fill: int = 0


MOVES = frozenset({"shear_x", "shear_y", "translate_x", "translate_y", "rotate"})

SIGNED = frozenset({*MOVES, "brightness", "color", "contrast", "sharpness"})
"""Operations whose magnitude is negative for half of the images."""


def signed(names: tuple[str, ...], operations: Tensor, drawn: Tensor, sides: Tensor) -> Tensor:
    """The magnitudes `drawn` (float64 N) turned round where the operation has two sides and `sides` is below one half.

    Operations are numbers (int64 N) of the `names`, sides float64 N in [0, 1).
    """
    turned = torch.tensor([name in SIGNED for name in names])[operations] & (sides < 0.5)
    return torch.where(turned, -drawn, drawn)


def apply(images: Tensor, names: tuple[str, ...], drawn: tuple[Tensor, Tensor], look: Look) -> Tensor:
    """Do to each image the operation that it drew, all images of one operation at once; identity does nothing.

    `drawn` are the numbers (int64 N) of the operations among the names and their magnitudes (float64 N), on the CPU.
    """
    operations, by = drawn
    groups: list[tuple[Tensor, Change]] = []
    maps = torch.empty(len(images), 2, 3, dtype=torch.float64)
    for number, name in enumerate(names):
        chosen = operations == number
        if name in MOVES:
            maps[chosen] = _maps(name, by[chosen], images)
        elif name != "identity":
            groups.append((chosen, partial(_coloured, name, by)))
    moved = torch.tensor([name in MOVES for name in names])[operations]
    groups.append((moved, lambda some, rows: warp(some, maps[rows], look.interpolation, look.fill)))
    return change_some(images, *groups)


def _maps(name: str, by: Tensor, images: Tensor) -> Tensor:
    height, width = images.shape[-2:]
    match name:
        case "shear_x":
            return shears(by, 0, height)
        case "shear_y":
            return shears(by, 1, width)
        case "rotate":
            return rotations(by)
    pixels = by.trunc()[:, None] * torch.tensor([[1.0, 0.0] if name == "translate_x" else [0.0, 1.0]])
    return translations(pixels)


def _coloured(name: str, by: Tensor, images: Tensor, rows: Tensor) -> Tensor:
    by = by[rows]
    scaled = {
        "brightness": adjust_brightness,
        "color": adjust_saturation,
        "contrast": adjust_contrast,
        "sharpness": adjust_sharpness,
    }
    if name in scaled:
        return scaled[name](images, 1 + by)
    match name:
        case "posterize":
            return posterize_batch(images, by.long())
        case "solarize":
            return solarize_batch(images, 255 * by)
        case "auto_contrast":
            return stretch_contrast(images)
        case "equalize":
            return equalize(images)
        case "invert":
            return images.bitwise_not()
    raise AssertionError(f"there is no operation {name}")
