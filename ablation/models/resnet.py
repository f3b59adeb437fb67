"""Residual nets (He et al. 2016, arXiv 1512.03385) for small images.

20, 32, 44, 56 and 110 are those of section 4.2: three stages of 16, 32 and 64 channels after a 3x3 convolution. 18, 34
and 50 are those of table 1 with a stem for small images: one 3x3 convolution of stride 1 in place of the 7x7 of stride
2 and its pooling. Depth 50 halves an image in the 3x3 convolution of a bottleneck, as torchvision does, not in its
first 1x1.

Published for CIFAR-10 after 64,000 steps (table 6): 91.25, 92.49, 92.83, 93.03 and 93.57 % at depths 20, 32, 44, 56
and 110; 18 and 50 in github.com/kuangliu/pytorch-cifar, 350 epochs: 93.02 and 93.62 %. With other parts than the
paper's: not known here. Without shortcuts it is `plain`; without normalisation the maps grow from block to block, and
learning rates well below 0.1 are needed.
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
    depth: Literal[18, 20, 32, 34, 44, 50, 56, 110] = 18,
    width: Count | None = None,
    shortcut: Literal["paper", "A", "B", "none"] = "paper",
    normalization: Literal["batch", "group", "none"] = "batch",
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"] = "relu",
    filter_size: Literal[3, 5, 7] = 3,
    global_pooling: Literal["average", "max"] = "average",
    dropout: Fraction = 0.0,
    initialization: Literal["he", "glorot", "normal", "torch"] = "he",
) -> nn.Module:
    """Residual net; where channels change, shortcuts pad zeros (A, the paper's at 20 to 56 and 110) or project (B)."""
    plan = PLANS[depth]
    plan = replace(plan, width=width or plan.width, shortcut=plan.shortcut if shortcut == "paper" else shortcut)
    layers = Layers(normalization, activation, filter_size, global_pooling, dropout, initialization)
    return ResNet("resnet", num_classes, in_channels, plan, layers)
