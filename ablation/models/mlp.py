"""A multilayer perceptron: it sees pixels as a list, and does not know which are neighbours.

Rows of linear layers of one width, each with normalisation and an activation; weights of the hidden layers start as He
et al. say for rectifiers (arXiv 1502.01852). What a convolution is worth is seen against it.

Its accuracy on CIFAR-10 is not known here; Bachmann et al. (2023, arXiv 2306.13575) measure perceptrons up to scale.
"""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from ablation.models.activations import activated
from ablation.models.image_size import require_exact_size
from ablation.settings import Count, Fraction


def build(
    num_classes: int,
    in_channels: int,
    *,
    image_size: Count = 32,
    depth: Count = 3,
    width: Count = 512,
    normalization: Literal["batch", "layer", "none"] = "none",
    activation: Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"] = "relu",
    dropout: Fraction = 0.0,
) -> nn.Module:
    """Perceptron of `depth` hidden layers for square images of `image_size` pixels a side."""
    layers: list[nn.Module] = [nn.Flatten()]
    inputs = in_channels * image_size**2
    for _ in range(depth):
        hidden = nn.Linear(inputs, width)
        nn.init.kaiming_normal_(hidden.weight, nonlinearity="relu")
        nn.init.zeros_(hidden.bias)
        layers += [hidden, *_normalized(normalization, width), activated(activation), nn.Dropout(dropout)]
        inputs = width
    return Perceptron(nn.Sequential(*layers, nn.Linear(inputs, num_classes)), image_size)


class Perceptron(nn.Module):
    """Linear layers on all pixels of an image."""

    def __init__(self, layers: nn.Sequential, image_size: int) -> None:
        super().__init__()
        self.layers = layers
        self.image_size = image_size

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_exact_size("mlp", images, self.image_size)
        logits: Tensor = self.layers(images)
        return logits


def _normalized(kind: Literal["batch", "layer", "none"], width: int) -> list[nn.Module]:
    if kind == "none":
        return []
    return [nn.BatchNorm1d(width) if kind == "batch" else nn.LayerNorm(width)]
