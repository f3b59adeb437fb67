"""Designed, paired and tracked ablation studies of image classifiers.

`ablation.load("runs/augmentation")` reads a study back (`ablation.loading.load`); all else is the command `ablate`.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Give `load` when it is asked for: what it needs takes a second to import, and no command wants all of it."""
    if name == "load":
        return import_module("ablation.loading").load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
