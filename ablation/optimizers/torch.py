"""Any optimizer of torch (docs.pytorch.org/docs/stable/optim.html) by the name of its class, with torch's defaults.

`sgd`, `adam`, `adamw` and `rmsprop` have their choices checked before anything is built, and torch's fused kernels.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from functools import partial

from torch import nn, optim

from ablation.errors import InputError
from ablation.libraries import made, require_known
from ablation.optimizers.options import check_options

_REFUSED = {
    "LBFGS": "it evaluates the model several times within a step, which it must be given a closure for",
    "SparseAdam": "it takes sparse gradients alone, and those of these models are dense",
}


def build(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    *,
    optimizer: str = "Adagrad",
    options: dict[str, bool | int | float | str | list[float] | None] = {},  # noqa: B006 - never written to
) -> optim.Optimizer:
    """Any optimizer of torch; `options` are its keyword arguments: `{lr_decay: 0.01}`."""
    classes = dict(inspect.getmembers(optim, _is_optimizer))
    require_known("torch", "optimizer", optimizer, sorted(classes))
    if optimizer in _REFUSED:
        raise InputError(f"optimizer torch ({optimizer}) cannot be used here: {_REFUSED[optimizer]}.")
    name = f"torch ({optimizer})"
    check_options(name, classes[optimizer], options)
    built: optim.Optimizer = made(name, partial(classes[optimizer], list(parameters)), {"lr": learning_rate, **options})
    return built


def _is_optimizer(found: object) -> bool:
    return inspect.isclass(found) and issubclass(found, optim.Optimizer) and found is not optim.Optimizer
