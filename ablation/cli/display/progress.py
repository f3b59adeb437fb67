"""A study's progress: a live table on a terminal that can redraw, a line an event elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

from ablation.cli.display.tally import Scope, Tally
from ablation.cli.running.endings import ending, label, retrying
from ablation.cli.terminal import messages, plain
from ablation.failures import Failure
from ablation.stopping import StopRequest
from ablation.trial import Epoch, Outcome, Trial

if TYPE_CHECKING:
    from ablation.cli.display.live import LiveTable
    from ablation.cli.display.resources import Resources
    from ablation.cli.display.so_far import SoFar


class Lines:
    """One line an event on stderr, for files and pipes."""

    def __init__(self, scope: Scope) -> None:
        self._tally = Tally(scope)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def launched(self, trial: Trial) -> None:
        """Say that a trial was launched."""
        self._tally.launched(trial)
        messages.print(plain(f"launched {label(trial)}"))

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        """Say how an epoch went."""
        self._tally.reported(trial, epoch)
        total = trial.arm.settings.recipe.epochs
        score = f"validation accuracy {epoch.validation.accuracy:.2%}"
        messages.print(plain(f"epoch {epoch.epoch}/{total} {label(trial)}: {score}"))

    def failed(self, trial: Trial, failure: Failure, wait: float) -> None:
        """Say that a trial is tried again."""
        self._tally.failed(trial)
        messages.print(plain(retrying(trial, failure, wait)))

    def finished(self, trial: Trial, outcome: Outcome) -> None:
        """Say how a trial ended, and how long the rest takes."""
        self._tally.finished(trial, outcome)
        number = f"{self._tally.done}/{self._tally.scope.most}{self._tally.scope.planned}"
        left = self._tally.text(time.monotonic())
        messages.print(plain(f"[{number}] {label(trial)}: {ending(trial, outcome)}{f'; {left}' if left else ''}"))


def progress(scope: Scope, resources: Resources, stop: StopRequest, so_far: SoFar | None) -> Lines | LiveTable:
    """A live table on a terminal, lines elsewhere, and on a terminal that cannot move its cursor (`TERM=dumb`)."""
    if not messages.is_terminal or messages.is_dumb_terminal:
        return Lines(scope)
    from ablation.cli.display.live import LiveTable  # who writes lines need not load what draws

    return LiveTable(scope, resources, stop, so_far)
