"""DenseNets for small images (Huang et al. 2017, arXiv 1608.06993, section 4.2): three blocks of equal depth.

Every layer takes the maps of all layers before it in its block and adds `growth` of its own. With bottlenecks (-B) a
1x1 convolution first makes 4 `growth` maps; `compression` (-C) is the share of its maps that a block hands on to the
next. The first convolution gives 2 `growth` maps, or 16 in a net without bottlenecks, as in the paper.

Published for CIFAR-10 with shifts and mirroring: depth 100, growth 12 95.49 %; 190 and 40 96.54 %; 250 and 24 96.38 %;
without bottlenecks and compression, 40 and 12 94.76 % and 100 and 12 95.90 % (github.com/liuzhuang13/DenseNet). Depth
22: not known here; it is one for a laptop.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ablation.models.image_size import require_size
from ablation.models.initialisation import initialise
from ablation.settings import Count, Fraction, Portion


def build(
    num_classes: int,
    in_channels: int,
    *,
    depth: Literal[22, 40, 100, 190, 250] = 100,
    growth: Count = 12,
    bottleneck: bool = True,
    compression: Portion = 0.5,
    dropout: Fraction = 0.0,
) -> nn.Module:
    """DenseNet: a layer sees all before it in its block; with 1x1 bottlenecks and compression it is DenseNet-BC."""
    return DenseNet(num_classes, in_channels, Plan(depth, growth, bottleneck, compression, dropout))


@dataclass(frozen=True, slots=True)
class Plan:
    """The choices."""

    depth: int
    growth: int
    bottleneck: bool
    compression: float
    dropout: float

    @property
    def layers(self) -> int:
        """Of each block: the first convolution, two transitions and the linear layer are the other four."""
        return (self.depth - 4) // (6 if self.bottleneck else 3)


class DenseNet(nn.Module):
    """A 3x3 convolution, dense blocks with a transition between them, the mean over all places, one linear layer."""

    def __init__(self, num_classes: int, in_channels: int, plan: Plan) -> None:
        super().__init__()
        channels = 2 * plan.growth if plan.bottleneck else 16
        features: list[nn.Module] = [nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)]
        for block in range(3):
            if block > 0:
                kept = int(channels * plan.compression)
                features.append(_transition(channels, kept))
                channels = kept
            for _ in range(plan.layers):
                features.append(DenseLayer(channels, plan))
                channels += plan.growth
        self.features = nn.Sequential(*features, nn.BatchNorm2d(channels), nn.ReLU(inplace=True))
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
        self.name = f"densenet (depth {plan.depth})"
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size(self.name, images, smallest=4)
        logits: Tensor = self.classifier(self.features(images))
        return logits


class DenseLayer(nn.Module):
    """What it is given, with `growth` new maps behind."""

    def __init__(self, channels: int, plan: Plan) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if plan.bottleneck:
            layers += _activated_convolution(channels, 4 * plan.growth, 1, plan.dropout)
            channels = 4 * plan.growth
        layers += _activated_convolution(channels, plan.growth, 3, plan.dropout)
        self.layers = nn.Sequential(*layers)

    def forward(self, maps: Tensor) -> Tensor:
        """Maps N x C x H x W to N x (C + growth) x H x W."""
        return torch.cat([maps, self.layers(maps)], dim=1)


def _activated_convolution(in_channels: int, out_channels: int, size: int, dropout: float) -> list[nn.Module]:
    return [
        nn.BatchNorm2d(in_channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(in_channels, out_channels, size, padding=size // 2, bias=False),
        *([nn.Dropout(dropout)] if dropout else []),
    ]


def _transition(channels: int, kept: int) -> nn.Module:
    return nn.Sequential(
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, kept, 1, bias=False),
        nn.AvgPool2d(2),
    )
