"""Learning curves: mean and spread over seed blocks, per arm, for training and validation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from ablation.findings import Metric
from ablation.report.drawing import MOST_ARMS, Drawing, Table, canvas, first_shown, group, label, plain, rounded
from ablation.report.numbers import MISSING, UNITS, fixed, spread
from ablation.report.palette import Style, wash
from ablation.report.panels import Grid, axis, heading, ref
from ablation.trial import Record

Part = Literal["train", "validation"]

_PARTS: tuple[Part, ...] = ("validation", "train")
_METRICS: tuple[Metric, ...] = ("accuracy", "loss")
_MOST_ROWS = 12


@dataclass(frozen=True, slots=True)
class Curve:
    """One arm, metric and split: for each epoch mean, standard deviation (None where n is 1) and number of blocks."""

    arm: str
    metric: Metric
    part: Part
    epochs: tuple[int, ...]
    means: tuple[float, ...]
    sds: tuple[float | None, ...]
    blocks: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Curves:
    """Every curve, and the arms that are shown before the reader chooses."""

    title: str
    curves: tuple[Curve, ...]
    shown: frozenset[str]
    left_out: int
    """Arms past the first twenty-four, which would make the figure unreadable."""


def compute(records: Sequence[Record], arms: Sequence[str], shown: Sequence[str]) -> Curves | None:
    """Curves of the complete trials of each arm, in the order given; None without any epoch."""
    runs = {arm: [one for one in records if one.trial.arm.name == arm and _is_complete(one)] for arm in arms}
    learned = [arm for arm in arms if runs[arm]]
    if not learned:
        return None
    kept = learned[:MOST_ARMS]
    curves = tuple(_curve(runs[arm], metric, part) for arm in kept for metric in _METRICS for part in _PARTS)
    visible = first_shown(kept, shown)
    return Curves(_message(curves), curves, visible, len(learned) - len(kept))


def _is_complete(record: Record) -> bool:
    return bool(record.epochs) and record.outcome is not None and record.outcome.status == "complete"


def _curve(runs: Sequence[Record], metric: Metric, part: Part) -> Curve:
    values: dict[int, list[float]] = {}
    for run in runs:
        for epoch in run.epochs:
            values.setdefault(epoch.epoch, []).append(getattr(getattr(epoch, part), metric))
    epochs = sorted(values)
    spreads = [spread(values[epoch]) for epoch in epochs]
    return Curve(
        runs[0].trial.arm.name,
        metric,
        part,
        tuple(epochs),
        tuple(mean for mean, _ in spreads),
        tuple(sd for _, sd in spreads),
        tuple(len(values[one]) for one in epochs),
    )


def _message(curves: Sequence[Curve]) -> str:
    ends = {one.arm: one.means[-1] for one in curves if (one.metric, one.part) == ("accuracy", "validation")}
    last, first = min(ends.values()), max(ends.values())
    unit = UNITS["accuracy"]
    if unit.value(first) == unit.value(last):
        return f"Validation accuracy ends at {unit.value(first)}"
    return f"Validation accuracy ends between {unit.value(last)} and {unit.value(first)}"


def draw(curves: Curves, styles: Mapping[str, Style]) -> Drawing:
    """Two panels; an arm is shown or hidden by a click on its name."""
    grid = Grid(2, 2, 320)
    figure = canvas(grid.height)
    for curve in curves.curves:
        panel = _METRICS.index(curve.metric)
        visible = True if curve.arm in curves.shown else "legendonly"
        if len(curve.epochs) > 1 and any(sd is not None for sd in curve.sds):
            figure.add_trace(_band(curve, styles[curve.arm], panel).update(visible=visible))
        figure.add_trace(_line(curve, styles[curve.arm], panel).update(visible=visible))
    for panel, metric in enumerate(_METRICS):
        figure.update_layout(
            {
                axis("x", panel): {"title": {"text": "epoch"}, "anchor": ref("y", panel), "dtick": _step(curves)},
                axis("y", panel): {"anchor": ref("x", panel)},
            }
        )
        figure.add_annotation(heading(f"{metric} ({UNITS[metric].level})", panel))
    figure.update_layout(grid.layout(), legend={"y": 1.1})
    caption = (
        "Solid: validation. Dotted: training, over augmented batches as they came. Band: mean ± one standard deviation "
        "over the seed blocks of complete trials. Click an arm's name to show or hide it."
    )
    if max(curves.curves[0].epochs) == min(curves.curves[0].epochs):
        caption = (
            "One epoch. Filled: validation. Open: training, over augmented batches as they came. Bar: one standard "
            "deviation over the seed blocks of complete trials. Click an arm's name to show or hide it."
        )
    if curves.left_out:
        caption += f" {curves.left_out} more arms are left out."
    return Drawing(
        "curves-plot", curves.title, caption, figure, _table(curves), Grid(2, 1, 260, 104).layout() | {"legend.y": 1.05}
    )


def _step(curves: Curves) -> int:
    return max(1, -(-max(curves.curves[0].epochs) // 8))


def _line(curve: Curve, style: Style, panel: int) -> go.Scatter:
    unit = UNITS[curve.metric]
    return go.Scatter(
        x=list(curve.epochs),
        y=[round(mean * unit.factor, 4) for mean in curve.means],
        **_mark(curve, style),
        name=label(rounded(curve.arm), 38, 2),
        legendgroup=group(curve.arm),
        showlegend=(curve.metric, curve.part) == ("accuracy", "validation"),
        line={
            "color": style.colour,
            "width": 3 if style.emphasis else 2,
            "dash": "solid" if curve.part == "validation" else "dot",
        },
        customdata=[[plain(curve.arm), blocks] for blocks in curve.blocks],
        hovertemplate=f"%{{customdata[0]}}<br>{curve.part}, epoch %{{x}}: <b>%{{y:.{unit.digits}f}} {unit.level}</b>"
        "<br>%{customdata[1]} seed blocks<extra></extra>",
        xaxis=ref("x", panel),
        yaxis=ref("y", panel),
    )


def _mark(curve: Curve, style: Style) -> dict[str, Any]:
    """A line; a single epoch is a dot, filled for validation, with its spread as a bar in the place of the band."""
    if len(curve.epochs) > 1:
        return {"mode": "lines"}
    marks: dict[str, Any] = {
        "mode": "markers",
        "marker": {"symbol": style.symbol if curve.part == "validation" else f"{style.symbol}-open", "size": 9},
    }
    if curve.sds[0] is not None:
        marks["error_y"] = {"type": "data", "array": [curve.sds[0] * UNITS[curve.metric].factor]}
    return marks


def _band(curve: Curve, style: Style, panel: int) -> go.Scatter:
    factor = UNITS[curve.metric].factor
    known = [
        (at, mean, sd) for at, mean, sd in zip(curve.epochs, curve.means, curve.sds, strict=True) if sd is not None
    ]
    upper = [round((mean + sd) * factor, 4) for _, mean, sd in known]
    lower = [round((mean - sd) * factor, 4) for _, mean, sd in known]
    epochs = [at for at, _, _ in known]
    return go.Scatter(
        x=epochs + epochs[::-1],
        y=upper + lower[::-1],
        mode="lines",
        fill="toself",
        fillcolor=wash(style.colour),
        line={"width": 0, "color": style.colour},
        legendgroup=group(curve.arm),
        showlegend=False,
        hoverinfo="skip",
        xaxis=ref("x", panel),
        yaxis=ref("y", panel),
    )


def _table(curves: Curves) -> Table:
    rows = []
    for curve in curves.curves:
        unit = UNITS[curve.metric]
        every = max(1, -(-len(curve.epochs) // _MOST_ROWS))
        for at in sorted({*range(0, len(curve.epochs), every), len(curve.epochs) - 1}):
            sd = curve.sds[at]
            rows.append(
                (
                    curve.arm,
                    f"{curve.part} {curve.metric}",
                    str(curve.epochs[at]),
                    unit.value(curve.means[at]),
                    MISSING if sd is None else fixed(sd * unit.factor, unit.digits),
                    str(curve.blocks[at]),
                )
            )
    return Table(
        "Learning curves over seed blocks",
        ("arm", "score", "epoch", "mean", "sd", "n"),
        tuple(rows),
        numbers=range(2, 6),
    )
