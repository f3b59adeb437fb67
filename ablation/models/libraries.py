"""Nets of other libraries by name: made, shown a few images, and told about in words where they do not fit."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ablation import wording
from ablation.errors import AblationError, InputError
from ablation.failures import failure_of
from ablation.models.image_size import require_exact_size

_NEAR = 5
"""How many names are told that were perhaps meant."""


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


def missing(library: str, error: ImportError) -> AblationError:
    """What to say where a library is not installed."""
    hint = f"Install it: pip install 'ablation-harness[{library}]'"
    return AblationError(f"model {library} needs the package {library} ({error}). {hint}")


def require_known(library: str, architecture: str, known: Sequence[str]) -> None:
    """Raise InputError where the library has no such architecture."""
    if architecture in known:
        return
    near = wording.listed(difflib.get_close_matches(architecture, known, n=_NEAR, cutoff=0.4))
    message = f"{library} has no architecture {wording.shown(architecture)} among its {len(known)}"
    raise InputError(f"{message}; the nearest names: {near}.")


def made(name: str, create: Callable[..., nn.Module], given: Mapping[str, Any]) -> nn.Module:
    """What a library makes of these arguments. Raises InputError with its own words where it cannot."""
    try:
        return create(**given)
    except Exception as error:
        if failure_of(error).is_accident:
            raise
        wanted = ", ".join(f"{key} {value}" for key, value in given.items())
        raise InputError(f"{name} cannot be made with {wanted} ({_words(error)}).") from error


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
            f"{name} cannot take images of {height} x {width} pixels ({_words(error)}). Set image_size to the size of "
            "the images, stem: original for large ones, or take another architecture."
        ) from error
    finally:
        net.train(training)


def first_convolution(net: nn.Module) -> nn.Conv2d:
    """The one that is declared first, which sees the image."""
    return next(layer for layer in net.modules() if isinstance(layer, nn.Conv2d))


def _words(error: Exception) -> str:
    """The first line of what an error says, with its name."""
    return f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"
