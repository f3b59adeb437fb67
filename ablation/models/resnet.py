"""Residual nets (He et al. 2016, arXiv 1512.03385) for small images.

20, 32, 44 and 56 are those of section 4.2: three stages of 16, 32 and 64 channels after a 3x3 convolution. 18, 34 and
50 are those of table 1 with a stem for small images: one 3x3 convolution of stride 1 in place of the 7x7 of stride 2
and its pooling. Depth 50 halves an image in the 3x3 convolution of a bottleneck, as torchvision does, not in its
first 1x1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

from ablation.models.image_size import require_size
from ablation.models.initialisation import initialise

Option = Literal["A", "B"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a depth stands for."""

    depth: int
    blocks: tuple[int, ...]
    """Of each stage."""
    channels: int
    """Of the first stage, doubled from one to the next."""
    option: Option
    """The paper's shortcut where the number of channels changes."""
    bottleneck: bool = False


_PLANS = {
    plan.depth: plan
    for plan in (
        Plan(18, (2, 2, 2, 2), 64, "B"),
        Plan(34, (3, 4, 6, 3), 64, "B"),
        Plan(50, (3, 4, 6, 3), 64, "B", bottleneck=True),
        Plan(20, (3, 3, 3), 16, "A"),
        Plan(32, (5, 5, 5), 16, "A"),
        Plan(44, (7, 7, 7), 16, "A"),
        Plan(56, (9, 9, 9), 16, "A"),
    )
}


def build(
    num_classes: int,
    in_channels: int,
    *,
    depth: Literal[18, 20, 32, 34, 44, 50, 56] = 18,
    shortcut: Literal["paper", "A", "B"] = "paper",
) -> nn.Module:
    """Residual net; where channels change, shortcuts pad zeros (A, the paper's at 20, 32, 44, 56) or project (B)."""
    plan = _PLANS[depth]
    return ResNet(num_classes, in_channels, plan, plan.option if shortcut == "paper" else shortcut)


class ResNet(nn.Module):
    """A 3x3 convolution, stages of residual blocks, the mean over all places, and one linear layer."""

    def __init__(self, num_classes: int, in_channels: int, plan: Plan, option: Option) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _convolution(in_channels, plan.channels, 3), nn.BatchNorm2d(plan.channels), nn.ReLU(inplace=True)
        )
        block = _bottleneck if plan.bottleneck else _basic
        channels, layers = plan.channels, []
        for stage, count in enumerate(plan.blocks):
            for position in range(count):
                stride = 2 if stage > 0 and position == 0 else 1
                branch, out_channels = block(channels, plan.channels * 2**stage, stride)
                layers.append(Residual(branch, _shortcut(channels, out_channels, stride, option)))
                channels = out_channels
        self.blocks = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, num_classes))
        self.name = f"resnet (depth {plan.depth})"
        self.smallest_image = 2 ** (len(plan.blocks) - 1)
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size(self.name, images, self.smallest_image)
        logits: Tensor = self.classifier(self.blocks(self.stem(images)))
        return logits


class Residual(nn.Module):
    """What a branch gives, added to its input, and rectified."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, images: Tensor) -> Tensor:
        """Feature maps N x C x H x W to the next ones."""
        return functional.relu(self.branch(images).add_(self.shortcut(images)), inplace=True)


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


def _basic(in_channels: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """Two 3x3 convolutions, and how many channels they give."""
    layers = [
        *(_convolution(in_channels, width, 3, stride), nn.BatchNorm2d(width), nn.ReLU(inplace=True)),
        *(_convolution(width, width, 3), nn.BatchNorm2d(width)),
    ]
    return nn.Sequential(*layers), width


def _bottleneck(in_channels: int, width: int, stride: int) -> tuple[nn.Module, int]:
    """1x1, 3x3 and 1x1 convolutions, and how many channels they give."""
    layers = [
        *(_convolution(in_channels, width, 1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)),
        *(_convolution(width, width, 3, stride), nn.BatchNorm2d(width), nn.ReLU(inplace=True)),
        *(_convolution(width, 4 * width, 1), nn.BatchNorm2d(4 * width)),
    ]
    return nn.Sequential(*layers), 4 * width


def _shortcut(in_channels: int, out_channels: int, stride: int, option: Option) -> nn.Module:
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    if option == "A":
        return ZeroPadding(out_channels - in_channels, stride)
    return nn.Sequential(_convolution(in_channels, out_channels, 1, stride), nn.BatchNorm2d(out_channels))


def _convolution(in_channels: int, out_channels: int, size: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, size, stride, padding=size // 2, bias=False)
