"""Image files through an opened model. A file that cannot be read does not keep the others from being read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablation.errors import InputError
from ablation.exporting.description import Description
from ablation.exporting.opened import Run
from ablation.sources.pictures import Picture, read_picture


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model takes one file for, or why it cannot say."""

    path: Path
    ranked: tuple[tuple[str, float], ...] = ()
    """Classes with their probabilities, the most probable first."""
    changes: tuple[str, ...] = ()
    """What was done to the picture, in words."""
    error: str = ""


def predict(run: Run, description: Description, paths: Iterable[Path]) -> tuple[Prediction, ...]:
    """One prediction a path, in their order; files that cannot be read have their error."""
    read = {path: _read(path, description) for path in dict.fromkeys(paths)}
    pictures = {path: found for path, found in read.items() if isinstance(found, Picture)}
    rows = run(np.stack([picture.pixels for picture in pictures.values()])) if pictures else ()
    said = {path: _ranked(row, description.classes) for path, row in zip(pictures, rows, strict=True)}
    return tuple(
        Prediction(path, said[path], found.changes) if isinstance(found, Picture) else Prediction(path, error=found)
        for path, found in read.items()
    )


def _read(path: Path, description: Description) -> Picture | str:
    try:
        return read_picture(path, description.shape)
    except InputError as error:
        return str(error)


def _ranked(row: NDArray[np.float32], classes: Sequence[str]) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-row, kind="stable")
    return tuple((classes[at], float(row[at])) for at in order)
