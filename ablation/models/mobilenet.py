"""MobileNetV2 (Sandler et al. 2018, arXiv 1801.04381, table 2) for small images.

Inverted residuals: a 1x1 convolution widens the maps `expansion`-fold, a depthwise 3x3 convolution filters each by
itself, a second 1x1 narrows them again without an activation (the linear bottleneck). The first convolution and the
first stage of stride 2 have stride 1 here, so that a 32 x 32 image is halved three times and not five; the rest, and
the rounding of channels to multiples of 8, is torchvision's.

Known for CIFAR-10: 94.43 % after 350 epochs at width 1 (github.com/kuangliu/pytorch-cifar, which keeps a little more).
The other choices: not known here; the paper compares them on ImageNet (section 6.4, figure 6).
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ablation.models.image_size import require_size
from ablation.models.initialisation import initialise
from ablation.settings import Count, Fraction, Positive

_STAGES = (
    (16, 1, 1),
    (24, 2, 1),
    (32, 3, 2),
    (64, 4, 2),
    (96, 3, 1),
    (160, 3, 2),
    (320, 1, 1),
)
"""Channels, blocks and the stride of the first of them. The first stage does not expand."""

_ACTIVATIONS = {"relu6": nn.ReLU6, "relu": nn.ReLU, "silu": nn.SiLU}


def build(
    num_classes: int,
    in_channels: int,
    *,
    width: Positive = 1.0,
    expansion: Count = 6,
    shortcut: bool = True,
    linear_bottleneck: bool = True,
    activation: Literal["relu6", "relu", "silu"] = "relu6",
    dropout: Fraction = 0.0,
) -> nn.Module:
    """MobileNetV2 for images from 8 x 8 pixels; `width` scales all channels."""
    make = _ACTIVATIONS[activation]
    channels, last = _rounded(32 * width), _rounded(1280 * max(1.0, width))
    layers: list[nn.Module] = [*_convolution(in_channels, channels, 3), make()]
    for number, (base, blocks, first_stride) in enumerate(_STAGES):
        for position in range(blocks):
            out_channels, stride = _rounded(base * width), first_stride if position == 0 else 1
            branch = _inverted(channels, out_channels, stride, 1 if number == 0 else expansion, make)
            after = nn.Identity() if linear_bottleneck else make()
            adds = shortcut and stride == 1 and channels == out_channels
            layers.append(InvertedResidual(branch, after, adds=adds))
            channels = out_channels
    layers += [*_convolution(channels, last, 1), make()]
    return MobileNet(nn.Sequential(*layers), last, num_classes, dropout)


class MobileNet(nn.Module):
    """Convolutions, the mean over all places, and one linear layer."""

    def __init__(self, features: nn.Sequential, channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.features = features
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(channels, num_classes)
        )
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size("mobilenet", images, smallest=8)
        logits: Tensor = self.classifier(self.features(images))
        return logits


class InvertedResidual(nn.Module):
    """A wide branch between narrow ends, added to its input where both have one shape."""

    def __init__(self, branch: nn.Module, after: nn.Module, *, adds: bool) -> None:
        super().__init__()
        self.branch = branch
        self.after = after
        self.adds = adds

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps N x C x H x W to the next ones."""
        maps: Tensor = self.after(self.branch(images))
        return images + maps if self.adds else maps


def _inverted(in_channels: int, out_channels: int, stride: int, expansion: int, make: type[nn.Module]) -> nn.Sequential:
    inner = in_channels * expansion
    widening = [*_convolution(in_channels, inner, 1), make()] if expansion > 1 else []
    depthwise = [*_convolution(inner, inner, 3, stride, groups=inner), make()]
    return nn.Sequential(*widening, *depthwise, *_convolution(inner, out_channels, 1))


def _convolution(
    in_channels: int, out_channels: int, size: int, stride: int = 1, *, groups: int = 1
) -> list[nn.Module]:
    layer = nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(out_channels)]


def _rounded(channels: float) -> int:
    """To the nearest multiple of 8, at least 8, and never down by more than a tenth."""
    nearest = max(8, int(channels + 4) // 8 * 8)
    return nearest + 8 if nearest < 0.9 * channels else nearest
