"""`ablate clean`: room on the disk, from what no finding needs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ablation.cli.locate import find_folder
from ablation.cli.running.room import megabytes
from ablation.cli.terminal import say
from ablation.durable import UNFINISHED
from ablation.errors import StudyLockedError
from ablation.holding import lock_alone
from ablation.run_folder import RunFolder
from ablation.trial_files import read_outcome

_OF_ENDED_TRIALS = ("weights.pt", "checkpoint-*")


def clean_study(study: Path, runs_dir: Path, scale: str | None, dry_run: bool) -> None:
    """Remove weights, checkpoints of trials that have ended, and files that were never finished; say how much it is.

    Records, events, outcomes, predictions and logs stay, and so do the checkpoints that an unfinished trial goes on
    from.

    Raises:
        StudyLockedError: a driver holds the study.
    """
    folder = find_folder(study, runs_dir, scale)
    if holder := folder.holder():
        raise StudyLockedError(f"{folder.path} is being run by {holder}. Wait for its end, or stop it, then clean.")
    # On a full disk the record of who holds the study finds no room: what no driver reads goes first, without one.
    with contextlib.nullcontext() if dry_run else lock_alone(folder.path):
        freed = _take_away(_spare(folder), dry_run)
    with contextlib.nullcontext() if dry_run else folder.lock():
        freed += _take_away(_unfinished(folder), dry_run)
    say(f"{'would free' if dry_run else 'freed'} {megabytes(freed)} in {folder.path}")


def _spare(folder: RunFolder) -> Iterator[Path]:
    """Weights and checkpoints of trials that have their outcome."""
    for trial in sorted((folder.path / "trials").glob("*")):
        if read_outcome(trial) is not None:
            for pattern in _OF_ENDED_TRIALS:
                yield from sorted(trial.glob(pattern))


def _unfinished(folder: RunFolder) -> Iterator[Path]:
    """What a process was writing when it was killed."""
    return folder.path.rglob(f".*{UNFINISHED}")


def _take_away(files: Iterable[Path], dry_run: bool) -> int:
    """Remove the files; their bytes."""
    freed = 0
    for file in list(files):
        freed += file.stat().st_size
        if not dry_run:
            file.unlink()
    return freed
