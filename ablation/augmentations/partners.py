"""Who is mixed with whom, and by how much: what mixup and cutmix share."""

from __future__ import annotations

import torch
from torch import Tensor

GRID = 4096
"""Steps of the table that turns even draws into those of a Beta distribution: its error is far below a level."""


def ring(keys: Tensor) -> Tensor:
    """A partner for each image (int64 N): in the order of keys (N, even draws) each has the next, the last the first.

    So each is a partner once, none is its own where there are two or more, and all rings are equally likely.
    """
    order = keys.argsort(stable=True)
    partners = torch.empty_like(order)
    partners[order] = order.roll(-1)
    return partners


def beta_quantiles(draws: Tensor, alpha: float) -> Tensor:
    """Values of a Beta(alpha, alpha) distribution from even draws in [0, 1), float64: one draw a value.

    From a table of its distribution function, over a scale on which the density is tame where the values are near 0;
    values above 1/2 mirror those below. Sampling by rejection would take some images more draws than others.
    """
    power = min(alpha, 1.0)
    scale = torch.linspace(0, 1, GRID + 1, dtype=torch.float64)
    values = scale ** (1 / power) / 2
    density = scale ** (alpha / power - 1) * (1 - values) ** (alpha - 1)
    below = torch.cat([scale[:1], torch.cumulative_trapezoid(density)])
    below = below * (0.5 / below[-1])
    lower = torch.minimum(draws, 1 - draws)
    right = torch.searchsorted(below, lower, right=True).clamp(max=GRID)
    left = right - 1
    shares = (lower - below[left]) / (below[right] - below[left])
    found = (scale[left] + shares * (scale[right] - scale[left])) ** (1 / power) / 2
    return torch.where(draws < 0.5, found, 1 - found)
