"""How far a run of a study is: the trials under way, those that ended, and how long the rest will take."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from ablation.cli.display.pace import Pace, pace_text
from ablation.trial import Epoch, Outcome, Trial

Needed = Callable[[], Collection[tuple[str, int]]]
"""Of a growing plan: the trials, by arm and seed block, that its next look was found to need."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run has before it."""

    planned: int
    """Trials of the complete study, of a growing plan at most."""
    done: int
    slots: int
    needed: Needed | None = None
    """None where the plan does not grow."""

    @property
    def most(self) -> str:
        """What stands before the number of planned trials."""
        return "" if self.needed is None else "at most "


@dataclass(slots=True)
class Running:
    """A trial under way, in the terms of `time.monotonic`."""

    trial: Trial
    launched: float
    epoch: Epoch | None = None
    heard: float = 0.0
    """When its last epoch was reported."""
    first: tuple[int, float] | None = None
    """The first epoch that was reported here, and when: a trial that goes on begins with the one that it had."""

    @property
    def epochs(self) -> int:
        """How many it has in all."""
        return self.trial.arm.settings.recipe.epochs

    def report(self, epoch: Epoch, now: float) -> None:
        """It ended an epoch."""
        self.epoch, self.heard = epoch, now
        self.first = self.first or (epoch.epoch, now)

    @property
    def each(self) -> float | None:
        """Seconds from epoch to epoch; of the first one that is known what its training took."""
        if self.epoch is None or self.first is None:
            return None
        epochs = self.epoch.epoch - self.first[0]
        return (self.heard - self.first[1]) / epochs if epochs else self.epoch.seconds

    def share(self, now: float) -> float:
        """How much of it is done; between two reports as far as it should have come."""
        if self.epoch is None or not self.each:
            return 0.0
        begun = min(1.0, (now - self.heard) / self.each)
        return min(1.0, (self.epoch.epoch + begun) / self.epochs)

    def left(self, now: float) -> float | None:
        """Seconds until its last epoch ends, None while nothing tells."""
        return None if not self.each else self.each * self.epochs * (1 - self.share(now))


class Tally:
    """What the driver told of its trials so far."""

    def __init__(self, scope: Scope) -> None:
        self.scope, self.done = scope, scope.done
        self.running: dict[str, Running] = {}
        self._pace = Pace(scope.slots)
        self._ended: set[tuple[str, int]] = set()

    @property
    def waiting(self) -> int:
        """How many trials were not begun yet, of a growing plan at most."""
        return max(0, self.scope.planned - self.done - len(self.running))

    def launched(self, trial: Trial) -> None:
        """A trial was submitted."""
        self.running[trial.id] = Running(trial, time.monotonic())

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        """A trial ended an epoch."""
        self.running[trial.id].report(epoch, time.monotonic())

    def failed(self, trial: Trial) -> None:
        """An attempt failed, and there will be another one."""
        self.running.pop(trial.id, None)

    def finished(self, trial: Trial, outcome: Outcome) -> None:
        """A trial has its outcome. One that failed, or had no need to run, tells nothing of the others."""
        running = self.running.pop(trial.id, None)
        if running is not None and outcome.status != "failed":
            self._pace.ended.append(time.monotonic() - running.launched)
        self._ended.add((trial.arm.name, trial.block))
        self.done += 1

    def left(self, now: float) -> tuple[float, float] | None:
        """Between how many and how many seconds the rest takes, None while too little is known.

        A growing plan may end with its next look, and the low end is the time until then; it may not, and the high
        end is that of all its seed blocks.
        """
        running = [(one.share(now), _length(one, now)) for one in tuple(self.running.values())]
        if (most := self._pace.left(self.waiting, running)) is None or self.scope.needed is None:
            return most
        under_way = {(one.trial.arm.name, one.trial.block) for one in tuple(self.running.values())}
        next_look = set(self.scope.needed()) - self._ended - under_way
        least = self._pace.left(min(len(next_look), self.waiting), running)
        return most if least is None else (least[0], most[1])

    def text(self, now: float) -> str:
        """The same in words; empty once nothing is left."""
        if not self.waiting and not self.running:
            return ""
        return pace_text(self.left(now), self.scope.most)


def _length(running: Running, now: float) -> float:
    """What the share that is done took, as the pace of its epochs has it; what it was given before it had any."""
    each = running.each
    return now - running.launched if not each else each * running.epochs * running.share(now)
