"""How what happens in workers comes to the driver's own thread, so that nothing of the driver needs a lock."""

from __future__ import annotations

import queue
from collections.abc import Callable, Collection
from concurrent.futures import Future
from dataclasses import dataclass

from ablation.failures import Failure
from ablation.stopping import StopRequest
from ablation.trial import Answer, Epoch, Outcome, Trial


@dataclass(frozen=True, slots=True)
class Reported:
    """A trial ended an epoch, and waits for the answer."""

    trial: Trial
    epoch: Epoch
    answer: queue.SimpleQueue[Answer]


@dataclass(frozen=True, slots=True)
class Ended:
    """An attempt at a trial is over."""

    trial: Trial
    future: Future[Outcome | Failure | None]


Inbox = queue.SimpleQueue["Reported | Ended | None"]
"""None wakes the driver, to look at the stop request."""


@dataclass(frozen=True, slots=True)
class DriverLink:
    """The driver's end of the link to one worker."""

    trial: Trial
    inbox: Inbox
    stop: StopRequest
    fence: Callable[[], None]
    running: Collection[str]
    """The trials under way."""
    patience: float
    """Seconds without any message after which a worker counts as hanging: longer than its own watchdog waits."""

    @property
    def about(self) -> str:
        """What is run, by name."""
        return self.trial.id

    def report(self, epoch: Epoch) -> Answer:
        """Bring an epoch to the driver, and its answer back."""
        self.fence()
        answer: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self.inbox.put(Reported(self.trial, epoch, answer))
        return answer.get()

    def stopping(self) -> bool:
        """Whether the worker is to write a checkpoint and end."""
        self.fence()
        return self.stop.requested

    def side_by_side(self) -> int:
        """How many trials are under way."""
        return len(self.running)


def refuse(inbox: Inbox) -> None:
    """Answer every report with a stop, for as long as the process lives."""
    while True:
        message = inbox.get()
        if isinstance(message, Reported):
            message.answer.put("stop")
