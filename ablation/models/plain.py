"""The plain nets that residual nets were held against: the same layers without shortcuts (arXiv 1512.03385, 4.2).

Depths as in `resnet`. The paper draws its plain nets for CIFAR-10 (figure 6, left) and prints no numbers: errors grow
with the depth, from 20 to 56 layers in training as in test, and at 110 they stay above 60 %.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from torch import nn

from ablation.models.residual import PLANS, Layers, ResNet
from ablation.settings import Count, Fraction


def build(
    num_classes: int,
    in_channels: int,
    *,
    depth: Literal[18, 20, 32, 34, 44, 50, 56, 110] = 20,
    width: Count | None = None,
    normalization: Literal["batch", "group", "none"] = "batch",
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"] = "relu",
    filter_size: Literal[3, 5, 7] = 3,
    global_pooling: Literal["average", "max"] = "average",
    dropout: Fraction = 0.0,
    initialization: Literal["he", "glorot", "normal", "torch"] = "he",
) -> nn.Module:
    """A residual net of the same depth without its shortcuts, which `resnet` with `shortcut: none` is as well."""
    plan = replace(PLANS[depth], width=width or PLANS[depth].width, shortcut="none")
    layers = Layers(normalization, activation, filter_size, global_pooling, dropout, initialization)
    return ResNet("plain", num_classes, in_channels, plan, layers)
