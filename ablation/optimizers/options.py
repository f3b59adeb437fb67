"""The options of another library's optimizers, by their own names."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ablation import wording
from ablation.errors import InputError

_NOT_OPTIONS = {"self", "params", "lr", "foreach", "fused", "capturable", "differentiable", "maximize", "verbose"}
"""What the recipe says itself, and what changes how and not what is computed."""


def check_options(name: str, create: Callable[..., Any], options: Mapping[str, Any]) -> None:
    """Raise InputError where an optimizer does not take an option; its signature says what it takes."""
    allowed = [option for option in inspect.signature(create).parameters if option not in _NOT_OPTIONS]
    for option in options:
        if option not in allowed:
            hint = " The learning rate is that of the recipe." if option == "lr" else ""
            raise InputError(f"{name} has no option {wording.shown(option)}.{wording.meant(option, allowed)}{hint}")
