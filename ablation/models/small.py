"""A plain convolutional net for studies on a laptop: the first three stages of VGG (arXiv 1409.1556), batch-normalised.

At width 32: 0.29 million parameters and, on a 3 x 32 x 32 image, 0.23 GFLOP forward and backward. What it reaches on
CIFAR-10 in a long training: not known here.
"""

from __future__ import annotations

from torch import Tensor, nn

from ablation.models.image_size import require_size
from ablation.models.initialisation import initialise
from ablation.settings import Count, Fraction


def build(num_classes: int, in_channels: int, *, width: Count = 32, dropout: Fraction = 0.0) -> nn.Module:
    """Six 3x3 convolutions in stages of `width`, 2 `width` and 4 `width` channels, for images from 4 x 4 pixels."""
    return SmallNet(num_classes, in_channels, width, dropout)


class SmallNet(nn.Module):
    """Stages of two convolutions, maximum pooling between them, the mean over all places, and one linear layer."""

    def __init__(self, num_classes: int, in_channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolution(in_channels, width),
            *_convolution(width, width, pooled=True),
            *_convolution(width, 2 * width),
            *_convolution(2 * width, 2 * width, pooled=True),
            *_convolution(2 * width, 4 * width),
            *_convolution(4 * width, 4 * width),
        )
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(4 * width, num_classes)
        )
        initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_size("small", images, smallest=4)
        logits: Tensor = self.classifier(self.features(images))
        return logits


def _convolution(in_channels: int, out_channels: int, *, pooled: bool = False) -> list[nn.Module]:
    """Pooling before the rectifier: the same numbers forward and backward, and a quarter of them to rectify."""
    return [
        nn.Conv2d(in_channels, out_channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(out_channels),
        *([nn.MaxPool2d(2)] if pooled else []),
        nn.ReLU(inplace=True),
    ]
