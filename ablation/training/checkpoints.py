"""All of a training between two steps, on the disk: two deep, each with its sha256 beside it.

A checkpoint is loaded with `weights_only=True` and only where its sum fits; a damaged one falls back to the one before,
then to the start. Random streams keyed by block and epoch have no state; that of the global generators is kept.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ablation.durable import write_whole
from ablation.trial import Epoch, Stamp

KEPT = 2

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a training stands: so many steps into an epoch, counted from 1, after the epochs that are done."""

    epoch: int
    step: int
    seconds: float
    """Spent in this epoch so far."""
    seen: int
    loss_sum: Tensor
    correct: Tensor
    norms: Tensor
    """Of the gradients, where all steps of the epoch are made."""
    model: Mapping[str, Tensor]
    optimizer: Mapping[str, Any]
    generators: Mapping[str, Any]
    """State of torch's global generators by device kind, of Python's and of NumPy's."""
    epochs: tuple[Epoch, ...]
    averaged: Mapping[str, Tensor] = field(default_factory=dict)
    """The average of the weights, where the recipe asks for one."""
    stamps: tuple[Stamp, ...] = ()
    """What it was trained under so far, one for each change."""


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write a checkpoint durably, then let go of all but the newest two."""
    content = {name: getattr(checkpoint, name) for name in Checkpoint.__slots__}
    for name in ("epochs", "stamps"):
        content[name] = json.dumps([each.model_dump(mode="json") for each in content[name]])
    buffer = io.BytesIO()
    torch.save(content, buffer)
    data = buffer.getvalue()
    path = folder / f"checkpoint-{checkpoint.epoch:05d}-{checkpoint.step:07d}.pt"
    write_whole(path, data)
    write_whole(_sum_of(path), hashlib.sha256(data).hexdigest())
    for old in checkpoint_files(folder)[KEPT:]:
        _remove(old)


def load(folder: Path, say: Say) -> Checkpoint | None:
    """The newest checkpoint that is whole; `say` hears of each damaged one. None: begin at the start."""
    for path in checkpoint_files(folder):
        try:
            data = path.read_bytes()
            if hashlib.sha256(data).hexdigest() != _sum_of(path).read_text():
                raise ValueError("its sha256 differs from the one beside it")
            content = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            epochs = tuple(Epoch.model_validate(each) for each in json.loads(content["epochs"]))
            stamps = tuple(Stamp.model_validate(each) for each in json.loads(content["stamps"]))
            return Checkpoint(**{**content, "epochs": epochs, "stamps": stamps})
        except Exception as error:  # noqa: BLE001 - a damaged file raises whatever its reader stumbles over
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            say(f"{path.name} is damaged ({reason}); going on from the one before, or from the start")
            _remove(path)
    return None


def checkpoint_files(folder: Path) -> list[Path]:
    """The checkpoints of a trial, the newest first."""
    return sorted(folder.glob("checkpoint-*.pt"), reverse=True)


def _sum_of(path: Path) -> Path:
    return path.with_suffix(".sha256")


def _remove(path: Path) -> None:
    """The sum last: a checkpoint without its sum is damaged, a sum without its checkpoint is nothing."""
    path.unlink(missing_ok=True)
    _sum_of(path).unlink(missing_ok=True)
