"""Wide residual nets WRN-depth-width (Zagoruyko and Komodakis 2016, arXiv 1605.07146).

A 3x3 convolution of 16 channels and three stages of 16, 32 and 64 times `width` channels, of pre-activated basic
blocks. Dropout, where there is any, lies between the two convolutions of a block (the paper takes 0.3).

Published for CIFAR-10: WRN-28-10 96.00 %, with dropout 96.11 % (github.com/szagoruyko/wide-residual-networks).
Other depths, widths and parts: not known here. WRN-28-10 takes 36.5 million parameters; a width of 1 or 2 is one for a
laptop.
"""

from __future__ import annotations

from typing import Literal

from torch import nn

from ablation.models.preactivation import Layers, Plan, PreActivationNet
from ablation.settings import Count, Fraction


def build(
    num_classes: int,
    in_channels: int,
    *,
    depth: Literal[10, 16, 22, 28, 40] = 28,
    width: Count = 10,
    dropout: Fraction = 0.0,
    shortcut: Literal["B", "none"] = "B",
    normalization: Literal["batch", "group", "none"] = "batch",
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"] = "relu",
) -> nn.Module:
    """Residual net that is shallow and wide: stages of 16, 32 and 64 times `width` channels, pre-activated."""
    plan = Plan(f"wide_resnet ({depth}-{width})", 16, (16 * width, 32 * width, 64 * width), (depth - 4) // 6)
    return PreActivationNet(num_classes, in_channels, plan, Layers(normalization, activation, dropout, shortcut))
