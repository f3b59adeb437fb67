"""Residual nets that normalise and activate before each convolution: `preact_resnet` and `wide_resnet`.

Where a block changes the number of channels, its projection takes what the first activation gives, as in the code of
both papers; every other shortcut hands on what the block was given, untouched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn

from ablation.models.activations import Activation, activated
from ablation.models.image_size import require_size
from ablation.models.initialisation import initialise
from ablation.models.normalization import Normalization, normalized


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a net."""

    name: str
    stem: int
    """Channels of the first convolution."""
    widths: tuple[int, ...]
    """Channels that the blocks of each stage give."""
    blocks: int
    """Of each stage."""
    bottleneck: bool = False


@dataclass(frozen=True, slots=True)
class Layers:
    """What its layers are."""

    normalization: Normalization
    activation: Activation
    dropout: float
    shortcut: Literal["B", "none"]

    def before(self, channels: int) -> list[nn.Module]:
        """What comes before a convolution. Nothing is overwritten that a shortcut may hand on."""
        inplace = self.normalization != "none"
        return [*normalized(self.normalization, channels), activated(self.activation, inplace=inplace)]

    def convolution(self, in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Conv2d:
        """With a bias only where nothing normalises."""
        bias = self.normalization == "none"
        return nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=bias)


class PreActivationNet(nn.Module):
    """A 3x3 convolution, stages of blocks, a last activation, the mean over all places, and one linear layer."""

    def __init__(self, num_classes: int, in_channels: int, plan: Plan, layers: Layers) -> None:
        super().__init__()
        self.stem = layers.convolution(in_channels, plan.stem, 3)
        channels, blocks = plan.stem, list[nn.Module]()
        for stage, width in enumerate(plan.widths):
            for position in range(plan.blocks):
                stride = 2 if stage > 0 and position == 0 else 1
                branch = _bottleneck if plan.bottleneck else _basic
                blocks.append(Block(layers, channels, width, stride, branch(layers, channels, width, stride)))
                channels = width
        self.blocks = nn.Sequential(*blocks, *layers.before(channels))
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
        self.name = plan.name
        self.smallest_image = 2 ** (len(plan.widths) - 1)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size(self.name, images, self.smallest_image)
        logits: Tensor = self.classifier(self.blocks(self.stem(images)))
        return logits


class Block(nn.Module):
    """What a branch makes of the normalised and activated input, added to the input or to its projection."""

    def __init__(self, layers: Layers, in_channels: int, width: int, stride: int, branch: nn.Module) -> None:
        super().__init__()
        self.before = nn.Sequential(*layers.before(in_channels))
        self.branch = branch
        self.adds = layers.shortcut != "none"
        projects = self.adds and (in_channels != width or stride != 1)
        self.projection = layers.convolution(in_channels, width, 1, stride) if projects else None

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps N x C x H x W to the next ones."""
        ready = self.before(images)
        maps: Tensor = self.branch(ready)
        if not self.adds:
            return maps
        return maps.add_(images if self.projection is None else self.projection(ready))


def _basic(layers: Layers, in_channels: int, width: int, stride: int) -> nn.Module:
    """Two 3x3 convolutions; dropout between them."""
    dropout = [nn.Dropout(layers.dropout)] if layers.dropout else []
    return nn.Sequential(
        layers.convolution(in_channels, width, 3, stride),
        *layers.before(width),
        *dropout,
        layers.convolution(width, width, 3),
    )


def _bottleneck(layers: Layers, in_channels: int, width: int, stride: int) -> nn.Module:
    """1x1, 3x3 and 1x1 convolutions, the inner ones of a quarter of the channels."""
    inner = width // 4
    return nn.Sequential(
        layers.convolution(in_channels, inner, 1, stride),
        *layers.before(inner),
        layers.convolution(inner, inner, 3),
        *layers.before(inner),
        layers.convolution(inner, width, 1),
    )
