"""The trials of a study that was begun, by the names that the command line gives."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Literal

from ablation import designs
from ablation.errors import InputError
from ablation.run_folder import RunFolder
from ablation.trial import Record, Status
from ablation.visible import visible

State = Literal[Status, "running", "waiting"]


def find_trial(folder: RunFolder, trial_id: str) -> Record:
    """A trial that is planned or was drawn, with what is known of it.

    Raises:
        InputError: the study has no such trial.
    """
    planned = {trial.id: trial for trial in designs.planned_trials(folder.beginning().study)}
    names = {*planned, *(place.name for place in (folder.path / "trials").iterdir())}
    record = folder.record(trial_id) if trial_id in names else None
    if trial_id in planned:
        if record is None:
            return Record(trial=planned[trial_id])
        # Its arm as the study is now: a factor may have been added since.
        return record.model_copy(update={"trial": planned[trial_id].model_copy(update={"number": record.trial.number})})
    if record is None:
        close = difflib.get_close_matches(trial_id, names, n=3)
        question = f" Did you mean {' or '.join(close)}?" if close else ""
        raise InputError(f"{folder.path} has no trial {visible(trial_id)}.{question} Their names are those in trials/.")
    return record


def state_of(folder: RunFolder, record: Record) -> State:
    """Where a trial stands."""
    if record.outcome is not None:
        return record.outcome.status
    opened = (folder.trial_folder(record.trial.id) / "trial.json").exists()
    return "running" if opened and folder.holder() is not None else "waiting"


def label(record: Record) -> str:
    """A trial in words."""
    return f"{record.trial.id} ({record.trial.arm.name}, seed block {record.trial.block})"


def log_lines(place: Path) -> list[str]:
    """What a trial wrote to its log, with nothing unseen in it."""
    log = place / "log.txt"
    if not log.exists():
        return []
    return [visible(line, keep="\t") for line in log.read_text("utf-8", errors="replace").split("\n")[:-1]]
