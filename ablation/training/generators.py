"""The global generators that a component may draw from: torch's, Python's and NumPy's.

A trial seeds them for what it runs, keeps their states in its checkpoints, and leaves the process its own.
"""
# ruff: noqa: NPY002 - it is NumPy's old global generator that a component may draw from

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def forked_generator(device: str, seed: int) -> Iterator[None]:
    """Seed the global generators for what runs within, and put them back afterwards."""
    fork = torch.random.fork_rng(devices=[]) if device == "cpu" else torch.random.fork_rng(device_type=device)
    of_python, of_numpy = random.getstate(), np.random.get_state()
    try:
        with fork:
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed([seed & 0xFFFFFFFF, seed >> 32])
            yield
    finally:
        random.setstate(of_python)
        np.random.set_state(of_numpy)


def generator_states(device: str) -> dict[str, Any]:
    """The states of the generators that a training on this device draws from, as `weights_only=True` loads them."""
    of_numpy: Any = np.random.get_state()
    name, keys, *rest = of_numpy
    kept = (name, keys.tolist(), *rest)
    states: dict[str, Any] = {"cpu": torch.get_rng_state(), "python": random.getstate(), "numpy": kept}
    if device != "cpu":
        states[device] = torch.get_device_module(device).get_rng_state()
    return states


def restore_generators(states: Mapping[str, Any]) -> None:
    """Put the generators where a checkpoint found them."""
    for name, state in states.items():
        if name == "python":
            random.setstate(state)
        elif name == "numpy":
            np.random.set_state(state)
        elif name == "cpu":
            torch.set_rng_state(state)
        else:
            torch.get_device_module(name).set_rng_state(state)
