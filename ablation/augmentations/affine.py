"""Affine maps of images about their centre, one for each image.

A map is the upper two rows (x, then y) of the matrix that leads from a place in the new image to the place in the old
one whose colour it shows, both in pixels from the centre. As in `torchvision.transforms.v2.functional`; the results are
equal to the last bit.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from ablation.sending import send
from ablation.settings import Interpolation


def rotations(degrees: Tensor) -> Tensor:
    """Counterclockwise by so many degrees (float64 N): maps N x 2 x 3."""
    turns = torch.deg2rad(degrees)
    cosines, sines, nothing = turns.cos(), turns.sin(), torch.zeros_like(turns)
    return torch.stack([cosines, -sines, nothing, sines, cosines, nothing], dim=1).view(-1, 2, 3)


def translations(pixels: Tensor) -> Tensor:
    """By so many pixels to the right and down (float64 N x 2): maps N x 2 x 3."""
    maps = _identities(len(pixels))
    maps[:, :, 2] = -pixels
    return maps


def shears(shares: Tensor, axis: int, side: int) -> Tensor:
    """Move each row (axis 0) left, or each column (1) up, by this share (float64 N) of its distance from the first."""
    maps = _identities(len(shares))
    maps[:, axis, 1 - axis] = shares
    maps[:, axis, 2] = shares * (side / 2)
    return maps


def warp(images: Tensor, maps: Tensor, interpolation: Interpolation, fill: int) -> Tensor:
    """Show each image through its map (float64 N x 2 x 3, on the CPU); what lies outside of it has the level `fill`."""
    height, width = images.shape[-2:]
    halves = torch.tensor([0.5 * width, 0.5 * height])
    places = _places(height, width).expand(len(maps), -1, -1).bmm(maps.to(torch.float32).transpose(1, 2) / halves)
    grid = send(places.view(-1, height, width, 2), images.device)
    # Outside are zeros, so that zero has to stand for the fill: between it and the image no edge is then darker.
    levels = images.to(torch.float32).sub_(fill)
    shown = grid_sample(levels, grid, mode=interpolation, padding_mode="zeros", align_corners=False)
    return shown.add_(fill).round_().to(torch.uint8)


def _identities(count: int) -> Tensor:
    return torch.eye(2, 3, dtype=torch.float64).repeat(count, 1, 1)


def _places(height: int, width: int) -> Tensor:
    """Every pixel's middle, in pixels from the centre of the image, and 1: float32 1 x (height * width) x 3."""
    across, down = (torch.linspace((1 - side) * 0.5, (side - 1) * 0.5, side) for side in (width, height))
    places = torch.stack([across.expand(height, -1), down[:, None].expand(-1, width)], dim=-1).view(1, -1, 2)
    return torch.nn.functional.pad(places, (0, 1), value=1.0)
