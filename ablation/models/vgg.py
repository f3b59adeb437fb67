"""VGG nets of 3x3 filters (Simonyan and Zisserman 2015, arXiv 1409.1556, table 1: A, B, D, E), for 32 x 32 images.

The convolutions and the five poolings are the paper's. They leave one pixel of 512 channels of a 32 x 32 image, so the
three fully connected layers (124 million parameters for 224 x 224 images) become a mean over the pixels that are left
and one linear layer. Weights start as in arXiv 1502.01852, which trains such depths without layers taken from shallower
nets. Without batch normalisation, learning rates well below 0.1 are needed.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ablation.models.image_size import require_size
from ablation.models.initialisation import initialise
from ablation.settings import Fraction

_CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""By depth (counted with the paper's three linear layers), how many convolutions each stage has before its pooling."""

_CHANNELS = (64, 128, 256, 512, 512)


def build(
    num_classes: int,
    in_channels: int,
    *,
    depth: Literal[11, 13, 16, 19] = 16,
    batch_norm: bool = True,
    dropout: Fraction = 0.0,
) -> nn.Module:
    """VGG of 3x3 filters for images from 32 x 32 pixels, with or without batch normalisation, and one linear layer."""
    return VGG(num_classes, _features(in_channels, depth, batch_norm), dropout, f"vgg (depth {depth})")


class VGG(nn.Module):
    """Convolutions and poolings, the mean over all places, and one linear layer."""

    def __init__(self, num_classes: int, features: nn.Sequential, dropout: float, name: str) -> None:
        super().__init__()
        self.name = name
        self.features = features
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(_CHANNELS[-1], num_classes)
        )
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size(self.name, images, smallest=32)
        logits: Tensor = self.classifier(self.features(images))
        return logits


def _features(in_channels: int, depth: int, batch_norm: bool) -> nn.Sequential:
    layers: list[nn.Module] = []
    for convolutions, channels in zip(_CONVOLUTIONS[depth], _CHANNELS, strict=True):
        for _ in range(convolutions):
            layers.append(nn.Conv2d(in_channels, channels, 3, padding=1))
            if batch_norm:
                layers.append(nn.BatchNorm2d(channels))
            layers.append(nn.ReLU(inplace=True))
            in_channels = channels
        layers.append(nn.MaxPool2d(2))
    return nn.Sequential(*layers)
