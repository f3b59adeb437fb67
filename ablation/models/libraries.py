"""Nets of other libraries: shown a few images, and told about in words where they do not fit."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ablation.errors import InputError
from ablation.failures import failure_of
from ablation.libraries import words_of
from ablation.models.image_size import require_exact_size


class LibraryNet(nn.Module):
    """A net of a library, for square images of one size."""

    def __init__(self, name: str, net: nn.Module, image_size: int) -> None:
        super().__init__()
        self.name = name
        self.net = net
        self.image_size = image_size

    def forward(self, images: Tensor) -> Tensor:
        """Logits N x K of images N x C x H x W."""
        require_exact_size(self.name, images, self.image_size)
        logits: Tensor = self.net(images)
        return logits


def try_out(name: str, net: nn.Module, images: Tensor) -> None:
    """Show a net images without changing it. Raises InputError with its own words where it fails."""
    training = net.training
    try:
        with torch.no_grad():
            net.eval()(images.to(next(net.parameters()).device))
    except Exception as error:
        if failure_of(error).is_accident:
            raise
        height, width = images.shape[-2:]
        raise InputError(
            f"{name} cannot take images of {height} x {width} pixels ({words_of(error)}). Set image_size to the size "
            "of the images, stem: original for large ones, or take another architecture."
        ) from error
    finally:
        net.train(training)


def first_convolution(net: nn.Module) -> nn.Conv2d:
    """The one that is declared first, which sees the image."""
    return next(layer for layer in net.modules() if isinstance(layer, nn.Conv2d))
