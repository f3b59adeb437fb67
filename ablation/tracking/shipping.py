"""Finished trials go to the tracker from a thread of its own: a broken tracker costs a warning, never a result."""

from __future__ import annotations

import contextlib
import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Self

from ablation import designs
from ablation.addresses import masked
from ablation.errors import TrackingError
from ablation.faults import point
from ablation.run_folder import RunFolder
from ablation.study import Study
from ablation.tracking import StudyNote, Tracker
from ablation.tracking.models import Make, bring_models
from ablation.trial import Record, Stamp

PATIENCE = 30.0
"""Seconds without a sign from the tracker after which the end of a study waits for it no longer."""

MOMENT = 3.0
"""Seconds that an interrupted study has for its tracker, which may be in the middle of its first words with a store."""


class Shipping:
    """Ships one trial after another, in the order of their ends.

    After a failure it stops trying until the study's end, so that a dead server costs one time-out and not one a trial.
    At the end everything is offered again: a tracker keeps what it has, and takes what earlier runs could not deliver.
    """

    def __init__(
        self, tracker: Tracker, study: Study, about: StudyNote, folder: RunFolder, warn: Callable[[str], None]
    ) -> None:
        self._tracker, self._study, self._about = tracker, study, about
        self._folder, self._warn = folder, warn
        self._waiting: SimpleQueue[Callable[[], object] | Event] = SimpleQueue()
        self._offered, self._begun, self._failed, self._signs = False, False, False, 0
        # A daemon, so that a server that hangs cannot keep the command from ending.
        self._thread = Thread(target=self._serve, name="tracking", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Leave what waits: after an error the next run ships it."""

    def ship(self, record: Record, folder: Path) -> None:
        """Log one finished trial soon."""
        self._offered = True
        self._waiting.put(lambda: self._log(record, folder))

    def pause(self) -> None:
        """Let the tracker show within a moment that the study stands still, where it shows it at all.

        What waits to be shipped is left to the next run.
        """
        if self._offered and not self._failed:
            with contextlib.suppress(Empty):
                while True:
                    self._waiting.get_nowait()
            self._waiting.put(self._tracker.pause)
            reached = Event()
            self._waiting.put(reached)
            reached.wait(MOMENT)

    def conclude(
        self,
        findings_markdown: str,
        artifacts: Sequence[Path],
        complete: bool,
        end: float | None = None,
        make: Make | None = None,
    ) -> None:
        """Ship what earlier runs or failures left, then the findings, then the models of a study that is complete.

        Waits until all of it has arrived or failed, or until the tracker gives no sign for `PATIENCE` seconds, and no
        longer than until three seconds before the end of the run, in the terms of `time.monotonic`.
        """
        until = float("inf") if end is None else end - 3
        if self.wait(until):
            self._failed = False
            for record, folder in ended_trials(self._folder):
                self.ship(record, folder)
            self._waiting.put(lambda: self._end(findings_markdown, artifacts, complete))
            if complete and make is not None:
                self._waiting.put(partial(self._bring_models, make))
            if self.wait(until):
                return
        self._failed = True
        late = time.monotonic() >= until
        reason = "has not taken everything in time" if late else f"gives no sign for {PATIENCE:g} seconds"
        self._warn(f"warning: the tracker {reason}. {self._rest()}")

    def _log(self, record: Record, folder: Path) -> None:
        self._tracker.log(record, folder)
        point("tracker logged")

    def _end(self, findings_markdown: str, artifacts: Sequence[Path], complete: bool) -> None:
        self._tracker.end(findings_markdown, artifacts, complete)
        point("tracker ended")

    def _bring_models(self, make: Make) -> None:
        missing = self._tracker.missing_models(list(ended_trials(self._folder)))
        bring_models(missing, make, self._tracker.log_model, self._warn_of_model, self._sign)

    def _warn_of_model(self, reason: str) -> None:
        if not self._failed:  # else nobody waits for models any longer, and this one was left in its making
            self._warn(f"warning: {reason}")

    def _sign(self) -> None:
        self._signs += 1

    def wait(self, until: float = float("inf")) -> bool:
        """Wait until all that was shipped before has arrived or failed. False where nothing moves, or it is late."""
        reached, seen = Event(), -1
        self._waiting.put(reached)
        while seen != self._signs:
            seen = self._signs
            if reached.wait(max(0.0, min(PATIENCE, until - time.monotonic()))):
                return True
            if time.monotonic() >= until:
                return False
        return False

    def _serve(self) -> None:
        while True:
            action = self._waiting.get()
            if isinstance(action, Event):
                action.set()
            elif not self._failed:
                self._try(action)
            self._sign()

    def _try(self, action: Callable[[], object]) -> None:
        try:
            if not self._begun:
                self._tracker.begin(self._study, self._about)
                self._begun = True
                point("tracker began")
                self._sign()
            action()
        except TrackingError as error:
            self._fail(f"{error}")
        except Exception as error:  # noqa: BLE001 - whatever a tracker does, no result is lost
            self._fail(f"tracking failed: {type(error).__name__}: {masked(str(error))}.")

    def _fail(self, reason: str) -> None:
        if not self._failed:  # else the study's end has said so, and has gone on
            self._failed = True
            self._warn(f"warning: {reason} {self._rest()}")

    def _rest(self) -> str:
        path = shlex.quote(str(self._folder.path))
        return f"The results are safe in the run folder; `ablate sync {path}` brings what is missing."


def ended_trials(folder: RunFolder) -> Iterator[tuple[Record, Path]]:
    """Every trial that has an outcome, with its folder: what a tracker is to hold."""
    for record in folder.records():
        if record.outcome is not None:
            yield record, folder.trial_folder(record.trial.id)


def note_of(folder: RunFolder, stamp: Stamp) -> StudyNote:
    """What is worth writing down about the study of a run folder, last run where `stamp` says."""
    begun = folder.beginning()
    return StudyNote(
        key=begun.key,
        digest=begun.digest,
        stamp=stamp.model_copy(update={"started": begun.started}),
        arms=designs.count_arms(begun.study),
        trials=designs.planned_count(begun.study),
        study_file=folder.path / "study.yaml",
        links=_links(folder),
    )


def _links(folder: RunFolder) -> dict[str, str]:
    confirms, confirmations = folder.beginning().confirms, folder.confirmations()
    found = {"confirms": confirms.folder} if confirms else {}
    return found | ({"confirmed by": ", ".join(confirmations)} if confirmations else {})
