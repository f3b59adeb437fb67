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
    """The layers that multiply by a weight (convolutions and linear layers), in the order of their declaration."""
    return tuple(name for name, _ in _weights(model))


def gradient_norms(model: nn.Module) -> tuple[float | None, ...]:
    """The Euclidean norm of the gradient of each such weight, as the last step left it; None where it is not finite.

    The device is waited for once.
    """
    norms = [
        torch.linalg.vector_norm(weight.grad.float())
        if weight.grad is not None
        else torch.zeros((), device=weight.device)
        for _, weight in _weights(model)
    ]
    values: list[float] = torch.stack(norms).tolist() if norms else []
    return tuple(float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for value in values)


def _weights(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    for name, module in model.named_modules():
        weight = getattr(module, "weight", None)
        if isinstance(weight, nn.Parameter) and weight.ndim > 1:
            yield name, weight
