"""Seed spread: every trial a dot, and the trials of one seed block joined across arms, so that the pairing is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.findings import Analysis
from ablation.report.drawing import Drawing, Table, canvas, plain, row_axis, row_names
from ablation.report.numbers import Unit, fixed, spread, unit_of
from ablation.report.palette import GREY, INK, ORANGE, Style
from ablation.trial import Record

_ROW, _MARGINS = 46, 70


@dataclass(frozen=True, slots=True)
class Dot:
    """One trial's score on the split that the study evaluates on."""

    arm: str
    block: int
    score: float
    diverged: bool


@dataclass(frozen=True, slots=True)
class SeedSpread:
    """All scored trials; `arms` are the rows from top to bottom."""

    title: str
    unit: Unit
    arms: tuple[str, ...]
    dots: tuple[Dot, ...]
    correlation: float | None

    @property
    def span(self) -> tuple[float, float]:
        """The axis from end to end: the trials that did not diverge, which would squeeze the rest."""
        scores = [dot.score for dot in self.dots if not dot.diverged] or [dot.score for dot in self.dots]
        low, high = min(scores), max(scores)
        air = 0.08 * (high - low) or 0.05 * abs(high) or 0.01
        return low - air, high + air


def compute(records: Sequence[Record], analysis: Analysis, arms: Sequence[str]) -> SeedSpread | None:
    """The dots in the order of arms and blocks; None where no trial has a score."""
    dots = [dot for record in records if (dot := _dot(record, analysis)) and dot.arm in arms]
    if not dots:
        return None
    dots.sort(key=lambda dot: (arms.index(dot.arm), dot.block))
    rows = tuple(arm for arm in arms if any(dot.arm == arm for dot in dots))
    return SeedSpread(_message(dots, rows, analysis), unit_of(analysis), rows, tuple(dots), analysis.correlation)


def _dot(record: Record, analysis: Analysis) -> Dot | None:
    outcome = record.outcome
    if outcome is None or outcome.status not in ("complete", "diverged"):
        return None
    scores = outcome.scores(record.trial.evaluate_on)
    if scores is None:
        return None
    return Dot(record.trial.arm.name, record.trial.block, scores.on(analysis.metric), outcome.status == "diverged")


def _message(dots: Sequence[Dot], arms: Sequence[str], analysis: Analysis) -> str:
    unit = unit_of(analysis)
    known = [
        spread(dot.score for dot in dots if dot.arm == arm and not dot.diverged)
        for arm in arms
        if any(dot.arm == arm and not dot.diverged for dot in dots)
    ]
    sds = [sd * unit.factor for _, sd in known if sd is not None]
    if not sds:
        return "One trial an arm: the spread over seed blocks cannot be seen"
    low, high = (f"{fixed(end, unit.digits)}" for end in (min(sds), max(sds)))
    between = f"{low} to {high} {unit.change}" if low != high else f"{low} {unit.change}"
    return f"From seed block to seed block an arm's {unit.metric} varies by {between} (standard deviation)"


def draw(spreads: SeedSpread, styles: Mapping[str, Style]) -> Drawing:
    """Rows of dots; a diverged trial is a cross at the edge of the axis."""
    figure = canvas(_ROW * len(spreads.arms) + _MARGINS)
    low, high = (end * spreads.unit.factor for end in spreads.span)
    inset = 0.02 * (high - low)
    edge = low + inset if spreads.unit.higher_is_better else high - inset
    for block in sorted({dot.block for dot in spreads.dots}):
        figure.add_trace(_thread(spreads, block))
    for row, arm in enumerate(spreads.arms):
        for trace in _row(spreads, row, styles[arm]):
            figure.add_trace(trace)
    lost = [dot for dot in spreads.dots if dot.diverged]
    figure.add_trace(
        go.Scatter(
            x=[edge] * len(lost),
            y=[spreads.arms.index(dot.arm) for dot in lost],
            mode="markers",
            showlegend=False,
            marker={"symbol": "x", "size": 10, "color": ORANGE},
            customdata=[[plain(dot.arm), dot.block] for dot in lost],
            hovertemplate="%{customdata[0]}<br>seed block %{customdata[1]} diverged<extra></extra>",
            cliponaxis=False,
        )
    )
    title = {"text": f"{spreads.unit.metric} ({spreads.unit.level})"}
    figure.update_layout(yaxis=row_axis(spreads.arms), xaxis={"range": [low, high], "title": title}, showlegend=False)
    narrow = {
        "yaxis.showticklabels": False,
        "annotations": row_names(spreads.arms),
        "height": 52 * len(spreads.arms) + _MARGINS + 12,
    }
    return Drawing("seeds-plot", spreads.title, _caption(spreads, bool(lost)), figure, _table(spreads), narrow)


def _caption(spreads: SeedSpread, lost: bool) -> str:
    said = (
        "Dot: a trial. Tick: the arm's mean. A line joins the trials of one seed block: where lines run side by side, "
        "pairing gains."
    )
    if spreads.correlation is not None:
        said += f" The estimated correlation between arms is {fixed(spreads.correlation, 2)}."
    return said + (" Cross at the edge: a diverged trial." if lost else "")


def _thread(spreads: SeedSpread, block: int) -> go.Scatter:
    scores = {
        dot.arm: dot.score * spreads.unit.factor for dot in spreads.dots if dot.block == block and not dot.diverged
    }
    return go.Scatter(
        x=[scores.get(arm) for arm in spreads.arms],
        y=list(range(len(spreads.arms))),
        mode="lines",
        connectgaps=False,
        line={"color": GREY, "width": 1},
        opacity=0.55,
        hoverinfo="skip",
        showlegend=False,
    )


def _row(spreads: SeedSpread, row: int, style: Style) -> tuple[go.Scatter, ...]:
    dots = [dot for dot in spreads.dots if dot.arm == spreads.arms[row] and not dot.diverged]
    if not dots:
        return ()
    factor = spreads.unit.factor
    mean, _ = spread(dot.score * factor for dot in dots)
    ticks = go.Scatter(
        x=[mean],
        y=[row],
        mode="markers",
        hoverinfo="skip",
        showlegend=False,
        marker={"symbol": "line-ns", "size": 22, "line": {"width": 2.5, "color": INK}},
    )
    points = go.Scatter(
        x=[dot.score * factor for dot in dots],
        y=[row] * len(dots),
        mode="markers",
        showlegend=False,
        marker={"color": style.colour, "symbol": style.symbol, "size": 9},
        customdata=[[plain(dot.arm), dot.block, spreads.unit.value(dot.score)] for dot in dots],
        hovertemplate="%{customdata[0]}<br>seed block %{customdata[1]}: <b>%{customdata[2]}</b><extra></extra>",
    )
    return ticks, points


def _table(spreads: SeedSpread) -> Table:
    rows = tuple(
        (dot.arm, "diverged" if dot.diverged else "complete", str(dot.block), spreads.unit.value(dot.score))
        for dot in spreads.dots
    )
    return Table(
        f"The {spreads.unit.metric} of every trial",
        ("arm", "outcome", "seed block", spreads.unit.metric),
        rows,
        range(2, 4),
    )
