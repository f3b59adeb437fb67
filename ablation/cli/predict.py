"""`ablate predict`: what an exported model takes image files for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from ablation.cli.terminal import print_json, print_table, say
from ablation.exporting.opening import open_model
from ablation.exporting.predicting import Prediction, predict
from ablation.wording import listed


def predict_images(model: Path, images: Sequence[Path], top: int, as_json: bool) -> None:
    """Print the most probable classes of each image; Exit 1 where a file could not be read.

    Raises:
        InputError: the model cannot be used.
    """
    opened = open_model(model)
    if opened.outsiders:
        say(f"runs code from outside the package: {listed(opened.outsiders)}")
    found = predict(opened.load(), opened.description, images)
    if as_json:
        print_json([_as_data(one, top) for one in found])
    elif any(one.ranked for one in found):
        print_table(("image", "class", "probability"), _rows(found, top))
    for one in found:
        for change in one.changes:
            say(f"{one.path}: {change}")
        if one.error:
            say(f"error: {one.error}")
    if any(one.error for one in found):
        raise typer.Exit(1)


def _as_data(one: Prediction, top: int) -> dict[str, Any]:
    return {
        "image": str(one.path),
        "predictions": [{"class": name, "probability": value} for name, value in one.ranked[:top]],
        "changes": list(one.changes),
        "error": one.error or None,
    }


def _rows(found: Sequence[Prediction], top: int) -> Iterator[tuple[object, ...]]:
    """The image stands beside its first class alone."""
    for one in found:
        for number, (name, value) in enumerate(one.ranked[:top]):
            yield ("" if number else one.path, name, f"{value:.4f}")
