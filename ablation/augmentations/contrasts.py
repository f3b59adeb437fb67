"""Operations of the learned and random policies that look at neighbours or at all pixels of an image.

As in `torchvision.transforms.v2.functional` on uint8; the results are equal to the last bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ablation.augmentations.levels import per_image, to_bytes


def adjust_sharpness(images: Tensor, factors: Tensor) -> Tensor:
    """Blend each image with its smoothed version, as by a lens for factors (float64 N) below 1; edges stay."""
    if min(images.shape[-2:]) <= 2:
        return images
    levels = images.to(torch.float32)
    inner = levels[..., 1:-1, 1:-1]
    # Means of thirteenths of whole levels: none lies half way between two levels, so any order of summing will do.
    rows = levels[..., :-2, :] + levels[..., 1:-1, :] + levels[..., 2:, :]
    smooth = (rows[..., :-2] + rows[..., 1:-1] + rows[..., 2:]).add_(inner, alpha=4).div_(13).round_()
    inner.addcmul_(smooth.sub_(inner), per_image(1 - factors, images))
    return to_bytes(levels.clamp_(0, 255))


def stretch_contrast(images: Tensor) -> Tensor:
    """Spread the levels of each channel over 0 to 255; a channel of one level stays."""
    levels = images.to(torch.float32)
    least, greatest = levels.amin((2, 3), keepdim=True), levels.amax((2, 3), keepdim=True)
    even = (least == greatest).to(torch.float32)
    scale = (greatest - least).mul_(1 / 255).add_(even)
    return to_bytes(levels.sub_(least * (1 - even)).div_(scale).clamp_(0, 255))


def equalize(images: Tensor) -> Tensor:
    """Spread the levels of each channel so that all are about equally frequent, by Pillow's rule."""
    levels = images.flatten(2).long()
    counts = torch.zeros((*levels.shape[:2], 256), dtype=torch.int32, device=images.device)
    counts.scatter_add_(2, levels, counts.new_ones(()).expand(levels.shape))
    # The pixels below the highest level are shared out over 255 steps; where they are fewer, the channel stays.
    of_highest = counts.gather(2, levels.amax(2, keepdim=True))
    step = (levels.shape[2] - of_highest) // 255
    below = counts.cumsum(2, dtype=torch.int32).sub_(counts)
    table = below.add_(step // 2).floor_divide_(step.clamp(min=1)).clamp_(0, 255).to(torch.uint8)
    stays = torch.arange(256, dtype=torch.uint8, device=images.device)
    return torch.where(step > 0, table, stays).gather(2, levels).view(images.shape)
