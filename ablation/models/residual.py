"""Residual nets for small images, and the same nets without shortcuts: what `resnet` and `plain` are made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from ablation.models.activations import Activation, activated
from ablation.models.image_size import require_size
from ablation.models.initialisation import Initialization, initialise
from ablation.models.normalization import Normalization, normalized

Shortcut = Literal["A", "B", "none"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a depth stands for."""

    depth: int
    blocks: tuple[int, ...]
    """Of each stage."""
    width: int
    """Channels of the first stage, doubled from one to the next."""
    shortcut: Shortcut
    """The paper's, where the number of channels changes."""
    bottleneck: bool = False


PLANS = {
    plan.depth: plan
    for plan in (
        Plan(18, (2, 2, 2, 2), 64, "B"),
        Plan(34, (3, 4, 6, 3), 64, "B"),
        Plan(50, (3, 4, 6, 3), 64, "B", bottleneck=True),
        Plan(20, (3, 3, 3), 16, "A"),
        Plan(32, (5, 5, 5), 16, "A"),
        Plan(44, (7, 7, 7), 16, "A"),
        Plan(56, (9, 9, 9), 16, "A"),
        Plan(110, (18, 18, 18), 16, "A"),
    )
}


@dataclass(frozen=True, slots=True)
class Layers:
    """What the layers of a net are, whatever its plan."""

    normalization: Normalization = "batch"
    activation: Activation = "relu"
    filter_size: int = 3
    """Of what is 3x3 in the paper."""
    global_pooling: Literal["average", "max"] = "average"
    dropout: float = 0.0
    """Before the linear layer."""
    initialization: Initialization = "he"

    def convolution(self, in_channels: int, out_channels: int, size: int, stride: int = 1) -> list[nn.Module]:
        """A convolution and what normalises its maps; it has a bias only where nothing does."""
        bias = self.normalization == "none"
        layer = nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=bias)
        return [layer, *normalized(self.normalization, out_channels)]

    def classifier(self, channels: int, num_classes: int) -> nn.Sequential:
        """One number for each channel, and a linear layer."""
        pooling = nn.AdaptiveAvgPool2d(1) if self.global_pooling == "average" else nn.AdaptiveMaxPool2d(1)
        dropout = [nn.Dropout(self.dropout)] if self.dropout else []
        return nn.Sequential(pooling, nn.Flatten(), *dropout, nn.Linear(channels, num_classes))


class ResNet(nn.Module):
    """A 3x3 convolution, stages of blocks, one number for each channel, and one linear layer."""

    def __init__(self, name: str, num_classes: int, in_channels: int, plan: Plan, layers: Layers) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            *layers.convolution(in_channels, plan.width, layers.filter_size), activated(layers.activation)
        )
        branch_of = _bottleneck if plan.bottleneck else _basic
        channels, blocks = plan.width, list[nn.Module]()
        for stage, count in enumerate(plan.blocks):
            for position in range(count):
                stride = 2 if stage > 0 and position == 0 else 1
                branch, out_channels = branch_of(layers, channels, plan.width * 2**stage, stride)
                shortcut = _shortcut(layers, plan.shortcut, channels, out_channels, stride)
                blocks.append(_block(branch, shortcut, activated(layers.activation)))
                channels = out_channels
        self.blocks = nn.Sequential(*blocks)
        self.classifier = layers.classifier(channels, num_classes)
        self.name = f"{name} (depth {plan.depth})"
        self.smallest_image = 2 ** (len(plan.blocks) - 1)
        initialise(self, layers.initialization)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size(self.name, images, self.smallest_image)
        logits: Tensor = self.classifier(self.blocks(self.stem(images)))
        return logits


class Residual(nn.Module):
    """What a branch gives, added to its input, and activated."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module, activation: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut
        self.activation = activation

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps N x C x H x W to the next ones."""
        activated_sum: Tensor = self.activation(self.branch(images).add_(self.shortcut(images)))
        return activated_sum


class ZeroPadding(nn.Module):
    """Shortcut of option A: every `stride`-th pixel; zeros for the new channels, half before and half after the old."""

    def __init__(self, new_channels: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.before = new_channels // 2
        self.after = new_channels - self.before

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps N x C x H x W to the shape of the next stage."""
        return functional.pad(images[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.before, self.after))


def _block(branch: nn.Module, shortcut: nn.Module | None, activation: nn.Module) -> nn.Module:
    return nn.Sequential(branch, activation) if shortcut is None else Residual(branch, shortcut, activation)


def _basic(layers: Layers, in_channels: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Two 3x3 convolutions, and how many channels they give."""
    size = layers.filter_size
    branch = [
        *(*layers.convolution(in_channels, width, size, stride), activated(layers.activation)),
        *layers.convolution(width, width, size),
    ]
    return nn.Sequential(*branch), width


def _bottleneck(layers: Layers, in_channels: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """1x1, 3x3 and 1x1 convolutions, and how many channels they give."""
    branch = [
        *(*layers.convolution(in_channels, width, 1), activated(layers.activation)),
        *(*layers.convolution(width, width, layers.filter_size, stride), activated(layers.activation)),
        *layers.convolution(width, 4 * width, 1),
    ]
    return nn.Sequential(*branch), 4 * width


def _shortcut(layers: Layers, kind: Shortcut, in_channels: int, out_channels: int, stride: int) -> nn.Module | None:
    if kind == "none":
        return None
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    if kind == "A":
        return ZeroPadding(out_channels - in_channels, stride)
    return nn.Sequential(*layers.convolution(in_channels, out_channels, 1, stride))
