"""Looks after one training in its own process: checkpoints, the record of epochs, the driver's wishes, a watchdog."""

from __future__ import annotations

import faulthandler
import statistics
import time
from dataclasses import replace
from typing import IO, Protocol

from ablation.faults import point
from ablation.training import checkpoints
from ablation.training.checkpoints import Checkpoint
from ablation.training.fit import Take
from ablation.trial import Answer, Assignment, Epoch, Stamp
from ablation.trial_files import append_epoch, check_attempt, write_epochs

ASK_SECONDS = 0.2
"""How often the driver is asked whether to stop: soon enough for a person, seldom enough to cost nothing."""

LEAST_SECONDS = 1.0
"""Epochs that end within this time of the last checkpoint write none: less than that is lost."""


class Link(Protocol):
    """The one channel from a worker to the driver."""

    def report(self, epoch: Epoch) -> Answer:
        """Tell of an epoch, hear whether to go on."""
        ...

    def stopping(self) -> bool:
        """Whether the driver wants the trial to write a checkpoint and end."""
        ...

    def side_by_side(self) -> int:
        """How many trials are under way at this moment, this one among them."""
        ...


class TrialWatch:
    """The watch of one attempt at a trial, from before it is prepared.

    `log` takes its words, and the stack of a preparation or a training that hangs.
    """

    def __init__(self, assignment: Assignment, link: Link, log: IO[str]) -> None:
        self._assignment, self._link, self._log = assignment, link, log
        self.stamps: tuple[Stamp, ...] = ()
        """What the training ran under so far, this attempt last, one for each change."""
        self._beside: list[int] = []
        self._asked = self._saved = self._armed = time.monotonic()
        self._arm(self._armed)

    def begin(self) -> Checkpoint | None:
        """The newest checkpoint that is whole; the trial's events become those that it holds."""
        self._asked = self._saved = time.monotonic()
        self._arm(self._asked)
        self._check()
        self._beside.append(self._link.side_by_side())
        checkpoint = checkpoints.load(self._assignment.folder, self._say)
        write_epochs(self._assignment.folder, checkpoint.epochs if checkpoint else ())
        before = checkpoint.stamps if checkpoint else ()
        if before and self.stamps and before[-1].same_state(self.stamps[0]):
            before = before[:-1]
        self.stamps = (*before, *self.stamps)
        return checkpoint

    def stepped(self, take: Take) -> bool:
        """Show that the training is alive; a checkpoint when it is time, or when the driver wants to stop."""
        point("step made")
        now = time.monotonic()
        if now - self._armed >= 1:
            self._arm(now)
        if now - self._asked >= ASK_SECONDS:
            self._asked = now
            if self._link.stopping():
                self._save(take)
                return True
        if now - self._saved >= self._assignment.checkpoint_seconds:
            self._save(take)
        return False

    def ended_epoch(self, epoch: Epoch, take: Take) -> Answer:
        """First the checkpoint, then the event, then the driver: each can be made again from what stands before it."""
        self._arm(time.monotonic())
        if time.monotonic() - self._saved >= min(LEAST_SECONDS, self._assignment.checkpoint_seconds):
            self._save(take)
        self._check()
        append_epoch(self._assignment.folder, epoch)
        answer = self._report(epoch)
        if answer == "stop":
            self._save(take)
        return answer

    def went_on(self, epoch: Epoch) -> Answer:
        """Tell the driver of the epoch that the checkpoint ends with: it stopped, or was killed, before its answer."""
        return self._report(epoch)

    def _report(self, epoch: Epoch) -> Answer:
        faulthandler.cancel_dump_traceback_later()  # however long the driver takes, it is not the training that hangs
        answer = self._link.report(epoch)
        self._beside.append(self._link.side_by_side())
        point("epoch reported")
        self._arm(time.monotonic())
        return answer

    @property
    def busy(self) -> int:
        """How many trials were under way at most times of this attempt: at its beginning and after each epoch."""
        return statistics.median_low(self._beside)

    def close(self) -> None:
        """Call off the watchdog."""
        faulthandler.cancel_dump_traceback_later()

    def _check(self) -> None:
        """Write nothing beside another attempt."""
        check_attempt(self._assignment.folder, self._assignment.token)

    def _save(self, take: Take) -> None:
        self._check()
        checkpoint, self._saved = take(), time.monotonic()
        if checkpoint is None:
            self._say("no checkpoint: this trainer makes none, so a trial that is cut short starts over")
            return
        checkpoints.save(replace(checkpoint, stamps=self.stamps), self._assignment.folder)
        self._saved = time.monotonic()
        point("checkpoint saved")

    def _arm(self, now: float) -> None:
        """End the process, its stack in the log, unless the next step is made in time."""
        self._armed = now
        faulthandler.dump_traceback_later(self._assignment.hang_seconds, exit=True, file=self._log)

    def _say(self, text: str) -> None:
        self._log.write(f"{text}\n")
        self._log.flush()
