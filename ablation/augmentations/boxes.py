"""Boxes in images: int64 N x 4, one for each, from top and left to before bottom and right."""

from __future__ import annotations

import torch
from torch import Tensor

from ablation.sending import send


def inside(boxes: Tensor, images: Tensor) -> Tensor:
    """Which pixels lie in the box of their image: bool N x 1 x H x W, beside the images."""
    top, left, bottom, right = send(boxes, images.device)[:, :, None].unbind(1)
    down, across = (torch.arange(side, device=images.device) for side in images.shape[-2:])
    rows, columns = (down >= top) & (down < bottom), (across >= left) & (across < right)
    return (rows[:, :, None] & columns[:, None, :])[:, None]
