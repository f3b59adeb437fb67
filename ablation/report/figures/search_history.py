"""The history of a search: every trial in the order of its drawing, and the best score so far."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.report.drawing import Drawing, Table, canvas, plain
from ablation.report.figures.search_trials import Trials, Tried
from ablation.report.numbers import MISSING, Unit, count
from ablation.report.palette import BLUE, GREY, INK, OCHRE, ORANGE
from ablation.trial import Status

_HEIGHT = 340
_LOOKS: dict[Status, tuple[str, str, str]] = {
    "complete": ("complete", GREY, "circle"),
    "pruned": ("pruned, at its last epoch", OCHRE, "triangle-down-open"),
    "diverged": ("diverged", ORANGE, "x"),
    "failed": ("failed", ORANGE, "line-ns-open"),
}
"""Name, colour and shape of what a trial came to."""


@dataclass(frozen=True, slots=True)
class History:
    """All trials that have ended, by number; `best` is the best complete score up to each, None before the first."""

    title: str
    unit: Unit
    trials: tuple[Tried, ...]
    best: tuple[float | None, ...]

    @property
    def span(self) -> tuple[float, float]:
        """The axis from end to end: complete and pruned trials; what diverged or failed stands at its lower edge."""
        drawn = [trial.score for trial in self.trials if trial.status in ("complete", "pruned")]
        scores = [score for score in drawn if score is not None]
        low, high = min(scores), max(scores)
        air = 0.08 * (high - low) or 0.05 * abs(high) or 0.01
        return low - 2 * air, high + air


def compute(trials: Trials) -> History | None:
    """None where no trial is complete."""
    ranked = trials.ranked
    if not ranked:
        return None
    best = tuple(_best_so_far(trials))
    lost = ", ".join(
        f"{len(trials.of(status))} {status}" for status in ("pruned", "diverged", "failed") if trials.of(status)
    )
    title = (
        f"The best of {count(len(ranked), 'complete trial')}, number {ranked[0].number}, has "
        f"{trials.unit.value(ranked[0].score)} on validation: optimistic, as the best of many is"
    )
    return History(title + (f" ({lost})" if lost else ""), trials.unit, trials.all, best)


def _best_so_far(trials: Trials) -> Iterator[float | None]:
    better, best = max if trials.unit.higher_is_better else min, None
    for trial in trials.all:
        if trial.status == "complete" and trial.score is not None:
            best = trial.score if best is None else better(best, trial.score)
        yield best


def draw(history: History) -> Drawing:
    """Dots, and the best so far as steps."""
    figure = canvas(_HEIGHT)
    unit = history.unit
    figure.add_trace(
        go.Scatter(
            x=[trial.number for trial in history.trials],
            y=[None if score is None else score * unit.factor for score in history.best],
            mode="lines",
            name="best so far",
            line={"color": BLUE, "width": 2, "shape": "hv"},
            hoverinfo="skip",
        )
    )
    for status in _LOOKS:
        if dots := [trial for trial in history.trials if trial.status == status]:
            figure.add_trace(_dots(history, status, dots))
    low, high = (end * unit.factor for end in history.span)
    figure.update_layout(
        xaxis={
            "title": {"text": "trial, in the order of drawing"},
            "range": [-0.03 * len(history.trials) - 0.2, 1.03 * len(history.trials)],
            "dtick": _step(len(history.trials)),
            "tick0": 0,
        },
        yaxis={"title": {"text": f"validation {unit.metric} ({unit.level})"}, "range": [low, high]},
    )
    caption = (
        "Dot: a complete trial. Line: the best of them so far. The other marks are trials without a final score of "
        "their own; those that diverged or failed stand at the lower edge, whatever they scored."
    )
    return Drawing("history-plot", history.title, caption, figure, _table(history))


def _step(trials: int) -> int:
    """Whole numbers of trials from tick to tick: 1, 2, 5, 10 and so on, about eight ticks."""
    decade = 1
    while trials > 8 * 5 * decade:
        decade *= 10
    return next(step for step in (decade, 2 * decade, 5 * decade) if trials <= 8 * step)


def _dots(history: History, status: Status, trials: list[Tried]) -> go.Scatter:
    unit, (name, colour, symbol) = history.unit, _LOOKS[status]
    low, high = history.span
    edge = low + 0.03 * (high - low)
    scores = [trial.score if status in ("complete", "pruned") else edge for trial in trials]
    return go.Scatter(
        x=[trial.number for trial in trials],
        y=[(edge if score is None else score) * unit.factor for score in scores],
        mode="markers",
        name=name,
        marker={"color": colour, "symbol": symbol, "size": 8, "line": {"color": colour or INK, "width": 1.5}},
        customdata=[[trial.number, plain(trial.arm), unit.value(trial.score), trial.block] for trial in trials],
        hovertemplate=(
            "trial %{customdata[0]}, seed block %{customdata[3]}<br>%{customdata[1]}<br><b>%{customdata[2]}</b>"
            f"<extra>{name}</extra>"
        ),
    )


def _table(history: History) -> Table:
    unit = history.unit
    rows = tuple(
        (
            str(trial.number),
            trial.status,
            str(trial.block),
            unit.value(trial.score),
            unit.value(best) if best else MISSING,
        )
        for trial, best in zip(history.trials, history.best, strict=True)
    )
    columns = ("trial", "outcome", "seed block", f"validation {unit.metric}", "best so far")
    return Table("All trials in the order of drawing", columns, rows, range(2, 5))
