"""The disk under a study: what it needs, whether that is there before the start, and a pause when it gives out."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablation import designs
from ablation.durable import disk_failure, write_whole
from ablation.errors import AblationError, PausedError
from ablation.study import Search, Study
from ablation.trial import Arm, Record

FILES_A_TRIAL = 10
BLOCK_BYTES = 4096
"""What a small file takes of most file systems."""
EPOCH_BYTES = 400
REPORT_BYTES = 10_000_000
"""The page holds Plotly's script of 5 MB, and the one before stands until the new one is whole."""
NUMBERS_A_WEIGHT = 3
"""In a checkpoint: the weight, and two more that Adam keeps of it. SGD with momentum keeps one."""
CHECKPOINTS_A_SLOT = 3
"""Two are kept, and the next one is written before the oldest goes."""


@dataclass(frozen=True, slots=True)
class Need:
    """Bytes that a study will put on the disk, None where something is not known yet. MLflow's store is not in it."""

    results: int | None
    """Records, predictions and the report."""
    weights: int | None
    """Final weights that are kept."""
    checkpoints: int | None
    """Of the trials that run at one time; they go with a trial's end."""
    files: int

    @property
    def known(self) -> int:
        """As much as is known of it."""
        return (self.results or 0) + (self.weights or 0) + (self.checkpoints or 0)

    @property
    def total(self) -> int | None:
        """All of it, None where a part is not known."""
        return None if None in (self.results, self.weights, self.checkpoints) else self.known

    def __str__(self) -> str:
        parts = {
            "results": self.results,
            "kept weights": self.weights,
            "checkpoints while it runs": self.checkpoints,
        }
        known = ", ".join(f"{megabytes(value)} of {name}" for name, value in parts.items() if value is not None)
        unknown = " and ".join(name for name, value in parts.items() if value is None)
        return "; ".join(text for text in (known, unknown and f"not known yet: {unknown}") if text)


@dataclass(frozen=True, slots=True)
class Sizes:
    """What decides how much a trial writes; None where it is not known."""

    images: int | None
    """That its outcome is read on."""
    classes: int | None
    parameters: tuple[int, ...] | None
    """Of each arm's model."""


def disk_need(study: Study, arms: Sequence[Arm], records: Sequence[Record], sizes: Sizes, slots: int) -> Need:
    """What the trials that have no outcome yet will take."""
    ended = [record for record in records if record.outcome]
    trials = designs.planned_count(study, arms) - len(ended)
    running = min(slots, trials)
    kept = {"none": 0, "all": trials, "best-per-arm": trials}[study.execution.keep]
    if study.execution.keep == "best-per-arm" and not isinstance(study.design, Search):
        # An arm's best so far stays until a better one is written.
        kept = min(trials, len(arms) - len({record.trial.arm.settings.signature() for record in ended}) + running)
    small = trials * (FILES_A_TRIAL * BLOCK_BYTES + study.baseline.recipe.epochs * EPOCH_BYTES) + REPORT_BYTES * (
        trials > 0
    )
    results = weights = checkpoints = None
    if sizes.images is not None and sizes.classes is not None:
        results = small + trials * sizes.images * (2 * sizes.classes + 8)  # float16 probabilities, int64 labels
    if sizes.parameters:
        weights = kept * 4 * sum(sizes.parameters) // len(sizes.parameters)
        checkpoints = running * CHECKPOINTS_A_SLOT * NUMBERS_A_WEIGHT * 4 * max(sizes.parameters)
    return Need(results, 0 if kept == 0 else weights, checkpoints, trials * FILES_A_TRIAL)


def check_writable(folder: Path) -> None:
    """Refuse to start where nothing can be written.

    Raises:
        AblationError: the folder cannot be made or written to.
    """
    probe = folder / ".writable"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(probe, "")
        probe.unlink()
    except OSError as error:
        raise AblationError(
            f"nothing can be written to {folder}: {error.strerror}. Make it writable, or give another --runs-dir."
        ) from error


def check_room(folder: Path, need: Need) -> None:
    """Refuse to start where the disk is too small for as much as is known of the need.

    Raises:
        AblationError: there is less room, or there are fewer files left.
    """
    free = shutil.disk_usage(folder).free
    if free < need.known:
        raise AblationError(
            f"{folder} needs {megabytes(need.known)} ({need}), and {megabytes(free)} are free on its disk. Free some "
            "(`ablate clean` removes weights), give another --runs-dir, run fewer --slots, or keep no weights with "
            "execution.keep: none."
        )
    if hasattr(os, "statvfs") and (system := os.statvfs(folder)).f_files and system.f_favail < need.files:
        raise AblationError(
            f"{folder} needs about {need.files:,} files, and its file system has room for {system.f_favail:,}. "
            "Remove some, or give another --runs-dir."
        )


@contextlib.contextmanager
def pausing(folder: Path) -> Iterator[None]:
    """Turn what the disk refuses while a study runs into a pause: the same command goes on.

    Raises:
        PausedError: the disk of the run folder is full, read-only or broken.
    """
    try:
        yield
    except Exception as error:
        failure = disk_failure(error)
        if failure is None or (type(error) is not AblationError and isinstance(error, AblationError)):
            raise
        if isinstance(failure, OSError) and _elsewhere(failure, folder):
            raise
        raise PausedError(
            f"{folder} is paused, since the disk gave out ({told(failure)}). Nothing is lost: free some room (`ablate "
            f"clean {folder}` removes weights) or make it writable, then run the same command again."
        ) from error


def told(failure: OSError | sqlite3.Error) -> str:
    """What the disk refused, in words."""
    if isinstance(failure, OSError):
        return f"{failure.strerror}: {failure.filename}" if failure.filename else f"{failure.strerror}"
    return f"SQLite: {failure}"


def megabytes(count: int) -> str:
    """`12.3 MB`, `4.56 GB`."""
    return f"{count / 1e6:,.1f} MB" if count < 1e9 else f"{count / 1e9:,.2f} GB"


def _elsewhere(failure: OSError, folder: Path) -> bool:
    """Whether the error names a file that has nothing to do with the runs: a data set that may not be read, say."""
    named = failure.filename
    return isinstance(named, str) and not Path(named).absolute().is_relative_to(folder.absolute().parent)
