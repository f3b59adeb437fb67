"""Where an exported model goes. Loads no torch: what stands in the way is told before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ablation.errors import InputError
from ablation.exporting.description import Format

CARD = "MODEL.md"


@dataclass(frozen=True, slots=True)
class Places:
    """The two files of an export."""

    model: Path
    card: Path


def places_in(folder: Path, to: Format, force: bool) -> Places:
    """Where the model and its card go in a folder.

    Raises:
        InputError: something stands there already, and `force` does not allow to overwrite it.
    """
    places = Places(folder / f"model.{to}", folder / CARD)
    taken = [str(file) for file in (places.model, places.card) if file.exists()]
    if taken and not force:
        raise InputError(f"{' and '.join(taken)} would be overwritten. Give another folder with --out, or --force.")
    return places
