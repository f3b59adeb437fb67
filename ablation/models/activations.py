"""Activations by name: what a layer's numbers go through, one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from torch import nn

Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]

_LAYERS: dict[Activation, Callable[[], nn.Module]] = {
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}
"""With torch's slopes. (Rectifiers below: they alone can overwrite what they are given and need no copy of it.)"""


def activated(name: Activation, *, inplace: bool = True) -> nn.Module:
    """The layer. `inplace` says that nobody else needs what it is given: a rectifier then overwrites it."""
    return nn.ReLU(inplace=inplace) if name == "relu" else _LAYERS[name]()
