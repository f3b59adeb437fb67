"""What normalises feature maps between a layer and its activation.

Batch normalisation (Ioffe and Szegedy 2015, arXiv 1502.03167); group normalisation (Wu and He 2018, arXiv 1803.08494),
which knows no batch; or nothing, where learning rates have to be well below 0.1.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

Normalization = Literal["batch", "group", "none"]

_GROUP = 16
"""Channels of a group. The paper finds 16 as good as its 32 groups (table 3), and narrow layers have 16 as well."""


def normalized(kind: Normalization, channels: int) -> list[nn.Module]:
    """The layers, one or none, that normalise this many channels; they start as the identity but for the statistics.

    Where 16 do not divide the channels a group has the largest number below that does.
    """
    if kind == "none":
        return []
    if kind == "batch":
        return [nn.BatchNorm2d(channels)]
    size = next(size for size in range(_GROUP, 0, -1) if channels % size == 0)
    return [nn.GroupNorm(channels // size, channels)]
