"""VGG nets (Simonyan and Zisserman 2015, arXiv 1409.1556, table 1: A, B, D, E), for 32 x 32 images.

The convolutions and the five poolings are the paper's. They leave one pixel of 512 channels of a 32 x 32 image, so the
three fully connected layers (124 million parameters for 224 x 224 images) become a mean over the pixels that are left
and one linear layer. Weights start as in arXiv 1502.01852, which trains such depths without layers taken from shallower
nets. Without normalisation, learning rates well below 0.1 are needed.

Larger filters: the paper's claim is that a stack of 3x3 filters beats one large filter that sees as much (sections 2.3
and 4.1: it replaced each pair of 3x3 layers of the net of depth 13 by one 5x5 layer, and lost 7 points on ImageNet). So
`receptive_field: kept` puts one 5x5 layer in place of two, or one 7x7 in place of three, within a stage; what is left
over stays 3x3, or becomes one 5x5 where two are left of a 7x7. With `grows` each layer takes the larger filter.

`pooling: stride` leaves out the poolings: the last convolution of each stage has stride 2 instead (the Strided-CNN of
Springenberg et al. 2015, arXiv 1412.6806).

Known for CIFAR-10: depth 16 with batch normalisation 92.64 % after 350 epochs (github.com/kuangliu/pytorch-cifar). The
other depths and parts: not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from ablation.models.activations import Activation, activated
from ablation.models.image_size import require_size
from ablation.models.initialisation import initialise
from ablation.models.normalization import Normalization, normalized
from ablation.settings import Count, Fraction

_CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
"""By depth (counted with the paper's three linear layers), how many convolutions each stage has before its pooling."""

_WIDENING = (1, 2, 4, 8, 8)
"""Channels of each stage, in those of the first."""

Pooling = Literal["max", "average", "stride"]


def build(
    num_classes: int,
    in_channels: int,
    *,
    depth: Literal[11, 13, 16, 19] = 16,
    width: Count = 64,
    normalization: Literal["batch", "group", "none"] = "batch",
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"] = "relu",
    filter_size: Literal[3, 5, 7] = 3,
    receptive_field: Literal["kept", "grows"] = "kept",
    pooling: Literal["max", "average", "stride"] = "max",
    dropout: Fraction = 0.0,
    initialization: Literal["he", "glorot", "normal", "torch"] = "he",
) -> nn.Module:
    """VGG for images from 32 x 32 pixels: stacks of 3x3 filters, or larger ones in their place; one linear layer."""
    sizes = [stack(count, filter_size, kept=receptive_field == "kept") for count in _CONVOLUTIONS[depth]]
    features = _features(in_channels, width, sizes, Layers(normalization, activation, pooling))
    model = VGG(f"vgg (depth {depth})", features, _WIDENING[-1] * width, num_classes, dropout)
    initialise(model, initialization)
    return model


@dataclass(frozen=True, slots=True)
class Layers:
    """What the layers are."""

    normalization: Normalization
    activation: Activation
    pooling: Pooling


class VGG(nn.Module):
    """Convolutions and poolings, the mean over all places, and one linear layer."""

    def __init__(self, name: str, features: nn.Sequential, channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.name = name
        self.features = features
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, num_classes)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size(self.name, images, smallest=32)
        logits: Tensor = self.classifier(self.features(images))
        return logits


def stack(count: int, largest: int, *, kept: bool) -> list[int]:
    """Sides of the filters of a stage that had so many 3x3 layers.

    `kept`: the stage sees as many pixels as before, which fewer of the larger filters do.
    """
    if not kept:
        return [largest] * count
    sizes = []
    while count:
        size = min(largest, 2 * count + 1)  # n layers of 3x3 see 2 n + 1 pixels
        sizes.append(size)
        count -= size // 2
    return sizes


def _features(in_channels: int, width: int, sizes: list[list[int]], layers: Layers) -> nn.Sequential:
    made: list[nn.Module] = []
    for filters, widening in zip(sizes, _WIDENING, strict=True):
        channels = widening * width
        for position, size in enumerate(filters):
            stride = 2 if layers.pooling == "stride" and position == len(filters) - 1 else 1
            made.append(nn.Conv2d(in_channels, channels, size, stride, padding=size // 2))
            made += [*normalized(layers.normalization, channels), activated(layers.activation)]
            in_channels = channels
        if layers.pooling != "stride":
            made.append(nn.MaxPool2d(2) if layers.pooling == "max" else nn.AvgPool2d(2))
    return nn.Sequential(*made)
