"""What is to be exported, and where to: all that can be known before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ablation.cli.chosen import chosen_trial, require_weights
from ablation.cli.locate import find_folder
from ablation.errors import InputError
from ablation.exporting.description import FORMATS, Format
from ablation.exporting.places import Places, places_in
from ablation.run_folder import RunFolder
from ablation.trial import Record
from ablation.wording import meant, shown


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says about an export."""

    study: Path
    trial: str
    to: str
    runs_dir: Path
    scale: str | None = None
    out: Path | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """A trial that has its weights, and free places for its model and card."""

    folder: RunFolder
    record: Record
    to: Format
    places: Places


def find_export(asked: Asked) -> Ready:
    """The trial and the places.

    Raises:
        InputError: there is no such format or trial, its weights are gone, or something would be overwritten.
    """
    to = next((each for each in FORMATS if each == asked.to), None)
    if to is None:
        raise InputError(f"--to: there is no format {shown(asked.to)}.{meant(asked.to, FORMATS)}")
    folder = find_folder(asked.study, asked.runs_dir, asked.scale)
    record = chosen_trial(folder, asked.trial)
    require_weights(folder, record)
    out = asked.out or Path(f"{folder.beginning().study.folder_name}-{record.trial.id}-{to}")
    return Ready(folder, record, to, places_in(out, to, asked.force))
