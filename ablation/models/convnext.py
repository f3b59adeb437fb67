"""ConvNeXt (Liu et al. 2022, arXiv 2201.03545) for small images.

A block is one depthwise convolution of large filters, layer normalisation, and a perceptron over the channels of each
pixel, four times as wide inside; its branch starts scaled by `layer_scale`. The sizes are the paper's tiny and the
smaller ones of Woo et al. (2023, arXiv 2301.00808, table 9 of its appendix), without the changes of that paper. Images
are cut into patches of 2 x 2 pixels, not of 4 x 4, before the first stage; each further stage halves them.

Accuracy on CIFAR-10 when trained on it alone: not known here. Use adamw and a warm-up. The paper trains 300 epochs; in
a short training a larger `layer_scale` lets the branches begin sooner.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from ablation.models.image_size import require_size
from ablation.models.stochastic_depth import StochasticDepth, probabilities
from ablation.settings import Fraction, Positive

_SIZES = {
    "atto": ((2, 2, 6, 2), 40),
    "femto": ((2, 2, 6, 2), 48),
    "pico": ((2, 2, 6, 2), 64),
    "nano": ((2, 2, 8, 2), 80),
    "tiny": ((3, 3, 9, 3), 96),
}
"""Blocks of each stage, and channels of the first, doubled from one to the next."""


def build(
    num_classes: int,
    in_channels: int,
    *,
    size: Literal["atto", "femto", "pico", "nano", "tiny"] = "atto",
    patch_size: Literal[1, 2, 4] = 2,
    filter_size: Literal[3, 5, 7, 9, 11] = 7,
    layer_scale: Positive = 1e-6,
    drop_path: Fraction = 0.0,
) -> nn.Module:
    """ConvNeXt from atto (3.4 million weights) to tiny (28 million), for images from 8 x 8 patches."""
    counts, width = _SIZES[size]
    drops = iter(probabilities(sum(counts), drop_path))
    stages: list[nn.Module] = [nn.Conv2d(in_channels, width, patch_size, stride=patch_size), ChannelNorm(width)]
    for stage, count in enumerate(counts):
        channels = width * 2**stage
        if stage > 0:
            stages += [ChannelNorm(channels // 2), nn.Conv2d(channels // 2, channels, 2, stride=2)]
        stages += [Block(channels, filter_size, layer_scale, next(drops)) for _ in range(count)]
    return ConvNeXt(nn.Sequential(*stages), channels, num_classes, smallest=8 * patch_size)


class ConvNeXt(nn.Module):
    """Patches, stages of blocks, the mean over all places, a last normalisation, and one linear layer."""

    def __init__(self, stages: nn.Sequential, channels: int, num_classes: int, *, smallest: int) -> None:
        super().__init__()
        self.stages = stages
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LayerNorm(channels, eps=1e-6), nn.Linear(channels, num_classes)
        )
        self.smallest = smallest
        self.apply(_initialise)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size("convnext", images, self.smallest)
        logits: Tensor = self.classifier(self.stages(images))
        return logits


class Block(nn.Module):
    """A depthwise convolution and a perceptron for each pixel, added to the input."""

    def __init__(self, channels: int, filter_size: int, layer_scale: float, drop_path: float) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.full((channels,), layer_scale))
        self.depthwise = nn.Conv2d(channels, channels, filter_size, padding=filter_size // 2, groups=channels)
        self.mlp = nn.Sequential(
            nn.LayerNorm(channels, eps=1e-6),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
        )
        self.drop = StochasticDepth(drop_path)

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps N x C x H x W to as many."""
        branch = self.mlp(self.depthwise(maps).permute(0, 2, 3, 1)) * self.scale
        after: Tensor = maps + self.drop(branch.permute(0, 3, 1, 2))
        return after


class ChannelNorm(nn.LayerNorm):
    """Layer normalisation over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels, eps=1e-6)

    def forward(self, maps: Tensor) -> Tensor:
        """Feature maps N x C x H x W."""
        return super().forward(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Conv2d):
        nn.init.trunc_normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
