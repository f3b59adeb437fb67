"""A model file that was opened, whatever its format: what it says of itself, and a function over images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ablation.exporting.description import Description

Run = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""Images N x C x H x W of the described size to probabilities N x K; any N from 1 on."""

_AT_ONCE = 128


@dataclass(frozen=True, slots=True)
class Opened:
    """A model file, looked into. Nothing that it names has been imported yet."""

    description: Description
    load: Callable[[], Run]
    outsiders: tuple[str, ...] = ()
    """Components from outside the package that loading imports and runs."""


def in_pieces(images: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The images, so many at a time as the memory bears."""
    return [np.ascontiguousarray(images[at : at + _AT_ONCE]) for at in range(0, len(images), _AT_ONCE)]
