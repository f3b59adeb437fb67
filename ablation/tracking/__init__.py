"""Where a study is looked up afterwards: MLflow. Only this folder knows it, imports it late, and never loads torch.

A tracker is an index: everything it holds is rebuilt from the run folder by calling `begin` and `log` again. The driver
calls it from one background thread, so that a slow store never holds up training, and turns a `TrackingError` into a
warning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ablation.addresses import default_uri
from ablation.study import Study
from ablation.tracking.models import Ended
from ablation.trial import Record, Stamp

__all__ = ["NoTracker", "StudyNote", "Tracker", "default_uri"]


@dataclass(frozen=True, slots=True)
class StudyNote:
    """What is worth writing down about a study beside what its file says.

    `key` tells this run folder from every other one that shares the store, and never changes: neither when seed blocks
    are added nor when the folder is moved. `arms` and `trials` are the planned numbers.
    """

    key: str
    digest: str
    """The study's digest as `plan`, `study.json` and the report say it."""
    stamp: Stamp
    arms: int
    trials: int
    study_file: Path | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    """Tags that lead to the search that a study confirms, or to the confirmations of a search."""


class Tracker(Protocol):
    """Takes a study as it goes on. Each call may be repeated and raises `TrackingError` where the store refuses it."""

    def begin(self, study: Study, about: StudyNote) -> None:
        """Open the study, or find it again; comes before everything else."""

    def log(self, record: Record, folder: Path) -> bool:
        """Write one trial that has an outcome, with the files that its folder holds. False where it stands there."""
        ...

    def pause(self) -> None:
        """Show the study as one that stands still; nothing is written of its trials or findings."""

    def end(self, findings_markdown: str, artifacts: Sequence[Path], complete: bool) -> None:
        """Write the findings and close the study; `complete` says that no trial is left to run.

        Every trial that has an outcome was given to `log` before: what else stands in the study goes.
        """

    def missing_models(self, ended: Ended) -> Ended:
        """Of a study that is complete and ended here the trials whose models are to be logged yet."""
        ...

    def log_model(self, record: Record, files: Path) -> None:
        """Write the model of one trial, with its files."""


class NoTracker:
    """Writes nothing: `--no-tracking`."""

    def begin(self, study: Study, about: StudyNote) -> None:
        """Do nothing."""

    def log(self, record: Record, folder: Path) -> bool:  # noqa: ARG002
        """Do nothing."""
        return False

    def pause(self) -> None:
        """Do nothing."""

    def end(self, findings_markdown: str, artifacts: Sequence[Path], complete: bool) -> None:
        """Do nothing."""

    def missing_models(self, ended: Ended) -> Ended:  # noqa: ARG002
        """Ask for none."""
        return ()

    def log_model(self, record: Record, files: Path) -> None:
        """Do nothing."""
