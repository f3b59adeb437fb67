"""Any optimizer of timm (Wightman, github.com/huggingface/pytorch-image-models) by its name there, with its defaults.

Made by `timm.optim.create_optimizer_v2`, which gives a momentum of 0.9 to those that have one. Parameters are grouped
by the recipe (`decay_biases`), as for any other optimizer.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from torch import nn, optim

from ablation.errors import InputError
from ablation.libraries import made, missing, require_known
from ablation.optimizers.options import check_options


def build(
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    *,
    optimizer: str = "lamb",
    options: dict[str, bool | int | float | str | list[float] | None] = {},  # noqa: B006 - never written to
) -> optim.Optimizer:
    """Any optimizer of the package timm; `options` are its keyword arguments: `{betas: [0.9, 0.99]}`."""
    try:
        from timm.optim import create_optimizer_v2, get_optimizer_info, list_optimizers
    except ImportError as error:
        raise missing("optimizer", "timm", error) from error
    require_known("timm", "optimizer", optimizer, list_optimizers())
    name, info = f"timm ({optimizer})", get_optimizer_info(optimizer)
    if reason := _refused(info):
        raise InputError(f"optimizer {name} cannot be used here: {reason}.")
    check_options(name, info.opt_class, options)
    create = partial(create_optimizer_v2, list(parameters), opt=optimizer)
    built: optim.Optimizer = made(name, create, {"lr": learning_rate, **options})
    return built


def _refused(info: Any) -> str:
    """Why no trial can use an optimizer, from what timm says of it; empty where one can."""
    if info.second_order:
        return "it needs gradients of gradients, which no trial computes"
    if isinstance(info.opt_class, str):
        return f"it is {info.opt_class} of another package"
    if info.opt_class.__name__ == "Kron":
        return "it draws from a generator that is in no checkpoint, so a trial that is cut short would end otherwise"
    return ""
