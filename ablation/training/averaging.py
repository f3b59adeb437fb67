"""An average of the weights, scored in their place: smoothed from step to step, or that of the last epochs.

The first is Polyak and Juditsky's (1992, doi:10.1137/0330046). As in TensorFlow's `ExponentialMovingAverage` it follows
quickly at first: else it would still hold much of the initial weights at the end of a short training. The second is
stochastic weight averaging (Izmailov et al. 2018, arXiv 1803.05407).
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from itertools import chain

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn, get_swa_multi_avg_fn, update_bn


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


def first_averaged(share: float, epochs: int) -> int:
    """The first of the last epochs that are averaged, which are this share of all, and one at least."""
    return epochs - max(1, round(share * epochs)) + 1


@torch.no_grad()
def average_epochs(averaged: nn.Module, model: nn.Module, before: int) -> None:
    """Move the average to the model as one of `before` + 1 equal parts; buffers are copied."""
    parameters = [[each.detach() for each in net.parameters()] for net in (averaged, model)]
    get_swa_multi_avg_fn()(*parameters, before)
    for old, new in zip(averaged.buffers(), model.buffers(), strict=True):
        old.copy_(new)


def take_statistics(averaged: nn.Module, batches: Iterable[Tensor]) -> None:
    """Give batch normalisation the statistics of these inputs under the averaged weights, which no step has seen."""
    update_bn(batches, averaged)


def _state(model: nn.Module) -> dict[bool, list[Tensor]]:
    """Parameters and buffers, apart by whether they are floating-point numbers."""
    state: dict[bool, list[Tensor]] = {True: [], False: []}
    for tensor in chain(model.parameters(), model.buffers()):
        state[tensor.is_floating_point()].append(tensor.detach())
    return state
