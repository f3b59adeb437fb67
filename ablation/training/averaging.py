"""A smoothed copy of the weights, scored in their place (Polyak and Juditsky 1992, doi:10.1137/0330046).

As in TensorFlow's `ExponentialMovingAverage` the copy follows quickly at first: else it would still hold much of the
initial weights at the end of a short training.
"""

from __future__ import annotations

import copy
from itertools import chain

from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn


def averaged_copy(model: nn.Module) -> nn.Module:
    """A model of the same weights, which no gradient reaches."""
    return copy.deepcopy(model).requires_grad_(requires_grad=False)


def follow(averaged: nn.Module, model: nn.Module, decay: float, steps: int) -> None:
    """Move the average to the model after so many steps; it keeps the share `decay` of itself, less in the first ones.

    Running statistics of normalisation are averaged too, since they go with the weights; numbers that count are copied.
    """
    kept = min(decay, (1 + steps) / (10 + steps))
    before, now = _state(averaged), _state(model)
    get_ema_multi_avg_fn(kept)(before[True], now[True], steps)
    for old, new in zip(before[False], now[False], strict=True):
        old.copy_(new)


def _state(model: nn.Module) -> dict[bool, list[Tensor]]:
    """Parameters and buffers, apart by whether they are floating-point numbers."""
    state: dict[bool, list[Tensor]] = {True: [], False: []}
    for tensor in chain(model.parameters(), model.buffers()):
        state[tensor.is_floating_point()].append(tensor.detach())
    return state
