"""A study's progress: a live table on a terminal, a line an event elsewhere."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from ablation.cli.pace import Pace, pace_text
from ablation.cli.terminal import messages, plain
from ablation.failures import Failure
from ablation.trial import Epoch, Outcome, Trial


class Lines:
    """One line an event on stderr, for files and pipes."""

    def __init__(self, planned: int, done: int) -> None:
        self._planned, self._done = planned, done

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def launched(self, trial: Trial) -> None:
        """Say that a trial was launched."""
        messages.print(plain(f"launched {_label(trial)}"))

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        """Say how an epoch went."""
        total = trial.arm.settings.recipe.epochs
        score = f"validation accuracy {epoch.validation.accuracy:.2%}"
        messages.print(plain(f"epoch {epoch.epoch}/{total} {_label(trial)}: {score}"))

    def failed(self, trial: Trial, failure: Failure, wait: float) -> None:
        """Say that a trial is tried again."""
        messages.print(plain(_retrying(trial, failure, wait)))

    def finished(self, trial: Trial, outcome: Outcome) -> None:
        """Say how a trial ended."""
        self._done += 1
        messages.print(plain(f"[{self._done}/{self._planned}] {_label(trial)}: {_ending(trial, outcome)}"))


class LiveTable:
    """Running trials as a table under an overall bar, redrawn in place."""

    def __init__(self, planned: int, done: int, slots: int) -> None:
        self._rows: dict[str, tuple[Trial, Epoch | None, float]] = {}
        self._pace = Pace(slots)
        self._left = planned - done
        self._bar = Progress(
            *(TextColumn("trials"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()),
            TextColumn("{task.fields[left]}"),
            console=messages,
        )
        self._overall: TaskID = self._bar.add_task("trials", total=planned, completed=done, left="")
        self._live = Live(console=messages, get_renderable=self._draw, refresh_per_second=4)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def launched(self, trial: Trial) -> None:
        """Show a new row."""
        self._rows[trial.id] = (trial, None, time.monotonic())

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        """Show the last epoch."""
        self._rows[trial.id] = (trial, epoch, self._rows[trial.id][2])

    def failed(self, trial: Trial, failure: Failure, wait: float) -> None:
        """Take the row away and say that the trial is tried again."""
        self._rows.pop(trial.id, None)
        self._live.console.print(plain(_retrying(trial, failure, wait)))

    def finished(self, trial: Trial, outcome: Outcome) -> None:
        """Take the row away and leave a line above."""
        row = self._rows.pop(trial.id, None)
        if row is not None and outcome.status == "complete":
            self._pace.ended.append(time.monotonic() - row[2])
        self._left -= 1
        self._bar.advance(self._overall)
        self._live.console.print(plain(f"{_label(trial)}: {_ending(trial, outcome)}"))

    def _draw(self) -> Group:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in ("trial", "epoch", "validation accuracy", "validation loss", "seconds left"):
            table.add_column(column)
        rows, now = tuple(self._rows.values()), time.monotonic()
        for trial, epoch, launched in rows:
            table.add_row(*map(plain, _cells(trial, epoch, now - launched)))
        running = [(_share(trial, epoch), now - launched) for trial, epoch, launched in rows]
        left = self._pace.left(max(0, self._left - len(rows)), running)
        self._bar.update(self._overall, left=pace_text(left) if self._left > 0 else "")
        return Group(table, self._bar)


def progress(planned: int, done: int, slots: int) -> Lines | LiveTable:
    """A live table on a terminal, lines elsewhere."""
    return LiveTable(planned, done, slots) if messages.is_terminal else Lines(planned, done)


def _share(trial: Trial, epoch: Epoch | None) -> float:
    """How much of a trial is done."""
    return epoch.epoch / trial.arm.settings.recipe.epochs if epoch else 0.0


def _cells(trial: Trial, epoch: Epoch | None, elapsed: float) -> list[str]:
    total = trial.arm.settings.recipe.epochs
    if epoch is None:
        return [_label(trial), f"0/{total}", "–", "–", "–"]
    left = elapsed / epoch.epoch * (total - epoch.epoch)
    scores = epoch.validation
    return [_label(trial), f"{epoch.epoch}/{total}", f"{scores.accuracy:.2%}", f"{scores.loss:.3f}", f"{left:.0f}"]


def _label(trial: Trial) -> str:
    return f"{trial.arm.name} · seed block {trial.block}"


def _retrying(trial: Trial, failure: Failure, wait: float) -> str:
    then = f"in {wait:.0f} s, others go first" if 0 < wait < float("inf") else "from its last checkpoint"
    again = "left for the next run" if wait == float("inf") else f"tried again {then}"
    return f"{_label(trial)}: {failure.cause}: {failure.reason}; {again}"


def _ending(trial: Trial, outcome: Outcome) -> str:
    scores = outcome.scores(trial.evaluate_on)
    if outcome.status == "failed" or scores is None:
        return f"{outcome.status}: {outcome.reason}"
    mark = "" if outcome.status == "complete" else f" ({outcome.status})"
    return f"{trial.evaluate_on} accuracy {scores.accuracy:.2%}, loss {scores.loss:.3f}{mark}"
