"""How much gradient reaches each layer: where it shrinks from the last layer to the first, gradients vanish.

Glorot and Bengio (2010, PMLR 9:249) look at it in the same way, by layer and in the course of the training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

_DIGITS = 4


def layer_names(model: nn.Module) -> tuple[str, ...]:
    """The layers that multiply by a weight (convolutions, linear layers, attention), in the order of their declaration.

    By their own names; a weight of torch's attention by its own, `attention.in_proj`.
    """
    return tuple(name for name, _ in _weights(model))


def gradient_norms(model: nn.Module) -> Tensor:
    """The Euclidean norm of the gradient of each such weight, on the device, as the last step left it."""
    norms = [
        torch.linalg.vector_norm(weight.grad.float()) if weight.grad is not None else weight.new_zeros(())
        for _, weight in _weights(model)
    ]
    return torch.stack(norms).detach() if norms else torch.zeros(0)


def as_numbers(norms: Tensor) -> tuple[float | None, ...]:
    """Norms to be written down; None where one is not finite. Waits for the device."""
    values: list[float] = norms.tolist()
    return tuple(float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for value in values)


def _weights(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1 and name.endswith("weight"):
            yield name.removesuffix("weight").rstrip("._"), parameter
