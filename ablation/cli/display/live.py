"""A study's progress on a terminal: the trials under way, how far all of it is, what it has found so far.

Drawn by a thread of its own, in place; what ends is told in lines above. Everything on it comes from the driver's
calls, but for the workers' memory and the findings so far, which that thread looks up.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Self

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from ablation.cli.display.resources import Resources
from ablation.cli.display.so_far import SoFar, Told
from ablation.cli.display.tally import Running, Scope, Tally
from ablation.cli.running.endings import ending, label, retrying
from ablation.cli.running.room import megabytes
from ablation.cli.terminal import messages, plain
from ablation.failures import Failure
from ablation.stopping import STOPPING, StopRequest
from ablation.trial import Epoch, Outcome, Trial

_A_SECOND = 2
"""Drawings: each takes some milliseconds of the driver's process."""
_LOOKS_UP = 1.0
"""Seconds between two looks at the workers' memory."""
_WIDEST_BAR, _WIDE = 60, 100
_LEAST_NAME = 12
"""Letters of a trial's name that no other column takes away."""
_UNKNOWN = "–"


class LiveTable:
    """What a person sees of a run; the last drawing stays, without its rows."""

    def __init__(self, scope: Scope, resources: Resources, stop: StopRequest, so_far: SoFar | None) -> None:
        self._tally, self._resources, self._stop, self._so_far = Tally(scope), resources, stop, so_far
        self._began = time.monotonic()
        self._memory: Mapping[str, int] = {}
        self._looked = -_LOOKS_UP
        self._live = Live(
            console=messages,
            get_renderable=self._draw,
            refresh_per_second=_A_SECOND,
            redirect_stdout=False,  # findings may go to a file while messages go to the terminal
        )

    def __enter__(self) -> Self:
        self._stop.shown = True
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._tally.running.clear()
        self._live.stop()
        self._stop.shown = False
        if self._so_far is not None:
            self._so_far.close()

    def launched(self, trial: Trial) -> None:
        """Show a new row."""
        self._tally.launched(trial)

    def reported(self, trial: Trial, epoch: Epoch) -> None:
        """Show the last epoch."""
        self._tally.reported(trial, epoch)

    def failed(self, trial: Trial, failure: Failure, wait: float) -> None:
        """Take the row away and say that the trial is tried again."""
        self._tally.failed(trial)
        self._live.console.print(plain(retrying(trial, failure, wait)))

    def finished(self, trial: Trial, outcome: Outcome) -> None:
        """Take the row away and leave a line above."""
        self._tally.finished(trial, outcome)
        self._live.console.print(plain(f"{label(trial)}: {ending(trial, outcome)}"))

    def _draw(self) -> Group:
        now, running = time.monotonic(), tuple(self._tally.running.values())
        if now - self._looked >= _LOOKS_UP:
            self._memory, self._looked = self._resources.memory(), now
        told = self._so_far.look(self._tally.done) if self._so_far and running else None
        room = max(1, messages.height - 6)
        findings = list(_found(told, room - len(running) - 2)) if told else []
        parts: list[RenderableType] = [_trials(running[:room], self._memory, now)] if running else []
        if len(running) > room:
            parts.append(_wrapped(f"and {len(running) - room} more under way", "dim"))
        return Group(*parts, *self._overall(now), *findings)

    def _overall(self, now: float) -> Iterator[RenderableType]:
        """The bar, and in words how far it is, how long it takes, and on what."""
        tally, scope = self._tally, self._tally.scope
        bar = Table.grid()
        bar.add_row(ProgressBar(max(1, scope.planned), tally.done, width=min(_WIDEST_BAR, messages.width)))
        yield bar
        parts = [f"{tally.done} of {scope.most}{scope.planned} trials", _clock(now - self._began)]
        if tally.running:
            parts.append(tally.text(now))
        yield _wrapped(" · ".join(filter(None, parts)))
        if tally.running:
            yield _wrapped(self._machine(), "dim")
            if self._stop.requested:
                yield _wrapped(STOPPING if self._stop.why == "signal" else STOPPING.partition(";")[0], "yellow")

    def _machine(self) -> str:
        here, held = self._resources, sum(self._memory.values())
        threads = f"{here.threads} thread{'' if here.threads == 1 else 's'} each"
        memory = f", their processes hold {megabytes(held)}" if held else ""
        return f"{here.slots} at a time on {here.device}, {threads}{memory}"


def _trials(running: Sequence[Running], memory: Mapping[str, int], now: float) -> Table:
    """A row a trial."""
    wide = messages.width >= _WIDE
    columns = {
        "trial": [label(one.trial) for one in running],
        "epoch": [f"{one.epoch.epoch if one.epoch else 0}/{one.epochs}" for one in running],
        "validation accuracy" if wide else "accuracy (val.)": [
            f"{one.epoch.validation.accuracy:.2%}" if one.epoch else _UNKNOWN for one in running
        ],
        "time left": [_UNKNOWN if (left := one.left(now)) is None else _clock(left) for one in running],
        "memory": [megabytes(memory[one.trial.id]) if one.trial.id in memory else _UNKNOWN for one in running],
        "validation loss" if wide else "loss (val.)": [
            f"{one.epoch.validation.loss:.3f}" if one.epoch else _UNKNOWN for one in running
        ],
    }
    return _table(columns, messages.width)


def _found(told: Told, room: int) -> Iterator[RenderableType]:
    """The findings so far, under a heading that says how much they are worth."""
    if not told.rows or room < 1:
        return
    shown = told.rows[:room]
    whats, changes, intervals, blocks, verdicts = (
        [cell or _UNKNOWN for cell in cells] for cells in zip(*shown, strict=True)
    )
    columns = {"change of": whats, "by": changes, "seed blocks": blocks, "95 % interval so far": intervals}
    worth = "estimates, no verdict before the plan is complete"
    if any(verdict not in (_UNKNOWN, "provisional", "not tested") for verdict in verdicts):
        worth = "estimates, and verdicts where a look has drawn them"
        columns = {"change of": whats, "by": changes, "verdict": verdicts} | columns
    trials = f"{told.ended} trial{'' if told.ended == 1 else 's'}"
    yield _wrapped(f"So far, provisional, from {trials}: {worth}.", "bold")
    yield _table(columns, messages.width)
    if more := len(told.rows) - len(shown):
        yield _wrapped(f"and {more} more: `ablate report` says all of it so far", "dim")


def _table(columns: Mapping[str, Sequence[str]], width: int) -> Table:
    """The first columns that a width has room for. The first one has what the others leave, and is cut to it."""
    (first, names), *others = ((name, list(map(plain, cells))) for name, cells in columns.items())
    room, kept = width - _LEAST_NAME, 0
    for name, cells in others:
        room -= 2 + max(cell_len(name), *(cell.cell_len for cell in cells))
        if room < 0:
            break
        kept += 1
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(first, no_wrap=True, overflow="ellipsis")
    for name, _ in others[:kept]:
        table.add_column(name, justify="right", no_wrap=True)
    taken = sum(2 + max(cell_len(name), *(cell.cell_len for cell in cells)) for name, cells in others[:kept])
    for at, text in enumerate(names):
        text.truncate(max(1, width - taken), overflow="ellipsis")
        table.add_row(text, *(cells[at] for _, cells in others[:kept]))
    return table


def _wrapped(text: str, style: str = "") -> Text:
    """A text over as many lines as the terminal's width takes: here nothing else would wrap it."""
    return Text("\n").join(plain(text, style).wrap(messages, messages.width))


def _clock(seconds: float) -> str:
    """`1:05`, `2:03:09`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
