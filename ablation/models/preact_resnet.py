"""Residual nets with normalisation and activation before the convolutions (He et al. 2016, arXiv 1603.05027).

20, 32, 44, 56 and 110 have basic blocks in three stages of 16, 32 and 64 channels, 164 bottlenecks that give 64, 128
and 256; shortcuts project with a 1x1 convolution where channels change (github.com/KaimingHe/resnet-1k-layers). 18 has
four stages of 64 to 512 channels after one 3x3 convolution, as is usual for small images.

Published for CIFAR-10: 94.54 % at depth 164 (table 2 of the paper). 18: 95.11 % in
github.com/kuangliu/pytorch-cifar, whose net leaves the last normalisation out. The other depths and parts: not known
here.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from ablation.models.preactivation import Layers, Plan, PreActivationNet
from ablation.settings import Count


def build(
    num_classes: int,
    in_channels: int,
    *,
    depth: Literal[18, 20, 32, 44, 56, 110, 164] = 18,
    width: Count | None = None,
    shortcut: Literal["B", "none"] = "B",
    normalization: Literal["batch", "group", "none"] = "batch",
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"] = "relu",
) -> nn.Module:
    """Residual net that normalises and activates before each convolution; `width` is that of its first stage."""
    plan = _plan(depth, width)
    return PreActivationNet(num_classes, in_channels, plan, Layers(normalization, activation, 0.0, shortcut))


def _plan(depth: int, width: int | None) -> Plan:
    name = f"preact_resnet (depth {depth})"
    if depth == 18:
        first = width or 64
        return Plan(name, first, (first, 2 * first, 4 * first, 8 * first), 2)
    first = width or 16
    if depth == 164:
        return Plan(name, first, (4 * first, 8 * first, 16 * first), (depth - 2) // 9, bottleneck=True)
    return Plan(name, first, (first, 2 * first, 4 * first), (depth - 2) // 6)
