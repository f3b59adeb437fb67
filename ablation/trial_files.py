"""The files of one trial's folder: each carries its sha256, and none is read that does not fit it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from ablation.durable import UNFINISHED, append_line, whole_lines, write_whole
from ablation.errors import DamagedFileError, StudyLockedError
from ablation.sealed import BrokenSealError, seal, sum_of, unseal
from ablation.settings import Frozen
from ablation.trial import Epoch, Outcome, Trial

_Value = TypeVar("_Value", bound=Frozen)

ATTEMPT = "attempt.json"
"""The attempt that is under way, by its token."""


def check_attempt(folder: Path, token: str) -> None:
    """Raise StudyLockedError where the attempt under way is no longer that of this token.

    A worker asks before it writes: its driver may have been suspended, and taken over, while it went on; or its machine
    was taken for lost, and the trial given to another.
    """
    if not token:  # nobody holds the folder, such as one that is thrown away
        return
    with contextlib.suppress(FileNotFoundError):
        if (folder / ATTEMPT).read_text().endswith(f" {token}"):
            return
    raise StudyLockedError(f"{folder} belongs to another attempt by now.")


def write_trial(folder: Path, trial: Trial) -> None:
    """Say what the folder is for, before the trial's launch."""
    write_whole(folder / "trial.json", seal(trial.model_dump_json()))


def read_trial(folder: Path) -> Trial | None:
    """What the folder is for, None where the trial was never opened."""
    way_out = f"Restore it from a copy, or move {folder} away: `ablate run` then runs the trial again."
    return _read(Trial, folder / "trial.json", way_out)


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Close a trial for good."""
    write_whole(folder / "outcome.json", seal(outcome.model_dump_json()))


def read_outcome(folder: Path) -> Outcome | None:
    """How a trial ended, None while it has not."""
    way_out = "Restore it from a copy, or move it away: `ablate run` then runs the trial again."
    return _read(Outcome, folder / "outcome.json", way_out)


def is_whole(folder: Path, name: str, outcome: Outcome) -> bool:
    """Whether a file beside the outcome still holds what was written; True where the outcome has no sum of it."""
    return name not in outcome.files or sum_of((folder / name).read_bytes()) == outcome.files[name]


def remove_leftovers(folder: Path) -> None:
    """Let go of what only an unfinished attempt needs: checkpoints, and files that a crash left half-written."""
    for pattern in ("checkpoint-*", f".*{UNFINISHED}"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)


def write_epochs(folder: Path, epochs: Sequence[Epoch]) -> None:
    """Make the events of a trial those that its checkpoint holds, before it goes on."""
    write_whole(folder / "events.jsonl", "".join(f"{seal(epoch.model_dump_json())}\n" for epoch in epochs))


def append_epoch(folder: Path, epoch: Epoch) -> None:
    """Record one epoch of a trial."""
    append_line(folder / "events.jsonl", seal(epoch.model_dump_json()))


def read_epochs(folder: Path) -> Iterator[Epoch]:
    """The epochs on record, in their order."""
    for line in whole_lines(folder / "events.jsonl"):
        # A line torn by a crash stays in the file, closed by the next append; the epoch was then trained again. Of one
        # that changed on the disk a curve has a gap, and never a wrong point.
        with contextlib.suppress(ValidationError, BrokenSealError):
            yield Epoch.model_validate_json(unseal(line.encode()))


def _read(model: type[_Value], file: Path, way_out: str) -> _Value | None:
    """What a file holds, None where there is none."""
    try:
        data = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return model.model_validate_json(unseal(data))
    except BrokenSealError as error:
        first_member = f'{{"{next(iter(model.model_fields))}":'
        before_sums = data.startswith(first_member.encode())  # no flip of a bit makes one beginning of the other
        reason = "it has no sha256: written before there were any, or by hand" if before_sums else str(error)
        raise DamagedFileError(file, reason, way_out, torn=not before_sums) from None
    except ValidationError as error:
        first = error.errors()[0]
        reason = ".".join([*map(str, first["loc"]), " " + first["msg"]]).strip(". ")
        raise DamagedFileError(file, reason, way_out, torn=False) from None
