"""How many weights a model has, before one is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode


class _Unfilled(TorchFunctionMode):
    """Leaves tensors as they are: in-place functions change numbers, and these have none.

    Without it the first draw on the meta device would load torch's compiler, which takes a second.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name, given = func.__name__, kwargs or {}
        if name.endswith("_") and not name.endswith("__"):
            return args[0] if args else given["tensor"]
        return func(*args, **given)


def count_parameters(build: Callable[[], nn.Module]) -> int:
    """How many numbers the model that `build` gives would learn; no memory is taken for them and nothing drawn."""
    with torch.device("meta"), _Unfilled():
        built = build()
    return sum(parameter.numel() for parameter in built.parameters())
