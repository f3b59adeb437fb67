"""Parallel coordinates of a search: one line a trial, through its level of every factor to its validation score."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.report.drawing import SMALL, Drawing, canvas, label, plain
from ablation.report.figures.search_trials import BEST, Trials, Tried, ranking, words
from ablation.report.numbers import short
from ablation.report.palette import BLUE, GREY, INK, MUTED, OCHRE, PAPER, RULE
from ablation.study import RangeFactor
from ablation.trial import Level

_HEIGHT, _MOST_AXES, _MOST_LINES, _MOST_TOLD = 420, 9, 300, 4
_MOST_UPRIGHT = 3
"""Axes whose names stand side by side on a narrow screen; those of more are turned."""
_APART = -0.12


@dataclass(frozen=True, slots=True)
class Scale:
    """One upright axis: ticks from 0 (bottom) to 1 (top) with their texts."""

    name: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One trial; a place for each axis, below the axis where its factor took no part, None without a score."""

    trial: Tried
    places: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """Complete and pruned trials as lines, the best ones last so that they lie on top."""

    title: str
    trials: Trials
    scales: tuple[Scale, ...]
    best: tuple[Line, ...]
    others: tuple[Line, ...]
    pruned: tuple[Line, ...]


def compute(trials: Trials) -> Parallel | None:
    """None where fewer than two trials are complete, or nothing differs between scores."""
    ranked = trials.ranked
    scores = [trial.score for trial in ranked if trial.score is not None]
    if len(set(scores)) < 2:
        return None
    factors = tuple(trials.factors)[: _MOST_AXES - 1]
    worst, best = (scores[-1], scores[0])
    unit = trials.unit
    scales = [_scale(trials, factor) for factor in factors]
    scales.append(Scale(f"validation {unit.metric}", ((0.0, unit.value(worst)), (1.0, unit.value(best)))))

    def line(trial: Tried) -> Line:
        complete = trial.score is not None and trial.status == "complete"
        end = (trial.score - worst) / (best - worst) if complete and trial.score is not None else None
        return Line(trial, (*(_place(trials, factor, trial.level(factor)) for factor in factors), end))

    taken = ", ".join(f"{factor} {words(level)}" for factor, level in ranked[0].levels[:_MOST_TOLD])
    more = " …" if len(ranked[0].levels) > _MOST_TOLD else ""
    title = f"The best trial, number {ranked[0].number}, took {taken}{more}"
    lines = [line(trial) for trial in ranked[:_MOST_LINES]]
    pruned = tuple(line(trial) for trial in trials.of("pruned")[:_MOST_LINES])
    return Parallel(title, trials, tuple(scales), tuple(lines[:BEST]), tuple(lines[BEST:]), pruned)


def _scale(trials: Trials, factor: str) -> Scale:
    """Named levels evenly spaced, the reference at the bottom; of a range its two ends."""
    if levels := trials.levels(factor):
        return Scale(factor, tuple((_place(trials, factor, level) or 0.0, level) for level in levels))
    found = trials.factors[factor]
    ends = found.range if isinstance(found, RangeFactor) else [0.0, 1.0]
    return Scale(factor, ((0.0, short(ends[0])), (1.0, short(ends[1]))))


def _place(trials: Trials, factor: str, level: Level | None) -> float:
    """Where a level stands on its axis, from 0 to 1; below it where the factor took no part."""
    if level is None:
        return _APART
    if levels := trials.levels(factor):
        return levels.index(str(level)) / (len(levels) - 1) if len(levels) > 1 else 0.5
    found = trials.factors[factor]
    assert isinstance(found, RangeFactor), "a factor has levels or a range"
    scaled = math.log if found.scale == "log" else float
    low, high = (scaled(end) for end in found.range)
    return (scaled(float(level)) - low) / (high - low) if high > low else 0.5


def draw(parallel: Parallel) -> Drawing:
    """Lines over upright axes; on a narrow screen only every axis's name is shortened."""
    figure = canvas(_HEIGHT)
    best = "the ten best" if len(parallel.best) == BEST else "complete trials"
    groups = (
        ("other trials", parallel.others, GREY, 1.0, "solid"),
        ("pruned", parallel.pruned, OCHRE, 1.0, "dot"),
        (best, parallel.best, BLUE, 2.0, "solid"),
    )
    for name, lines, colour, width, dash in groups:
        if lines:
            style = {"color": colour, "width": width, "dash": dash}
            figure.add_trace(_lines(parallel, lines).update(name=name, line=style, opacity=0.9 if width > 1 else 0.45))
    for at in range(len(parallel.scales)):
        figure.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, line={"color": RULE, "width": 1.5}, layer="below")
    figure.update_layout(_layout(parallel), annotations=_ticks(parallel, 12, SMALL))
    turned = len(parallel.scales) > _MOST_UPRIGHT
    narrow: dict[str, object] = {
        "xaxis.ticktext": [label(scale.name, 20 if turned else 14, 1 if turned else 2) for scale in parallel.scales],
        "xaxis.tickfont.size": 11,
        "xaxis.tickangle": -90 if turned else 0,
        "margin.t": 140 if turned else 76,
        "height": _HEIGHT + (100 if turned else 40),
        "annotations": _ticks(parallel, 8, 9),
    }
    trials = parallel.trials
    caption = (
        "A line is a trial, through its levels to its validation score, the best at the top. A point below an axis: "
        "the factor took no part there. Pruned trials end before the score. Where the best lines run together, the "
        "search looked often and found well; whether that is the cause, only a planned study tells."
    )
    return Drawing("parallel-plot", parallel.title, caption, figure, ranking(trials, len(trials.ranked)), narrow)


def _layout(parallel: Parallel) -> dict[str, object]:
    count = len(parallel.scales)
    names = {
        "tickvals": list(range(count)),
        "ticktext": [label(scale.name, 14, 2) for scale in parallel.scales],
        "range": [-0.35, count - 0.5],
        "showgrid": False,
        "side": "top",
        "tickfont": {"color": INK, "size": 13},
    }
    upright = {"visible": False, "range": [_APART - 0.06, 1.06]}
    return {"xaxis": names, "yaxis": upright, "margin": {"t": 76}, "legend": {"y": -0.02, "yanchor": "top"}}


def _lines(parallel: Parallel, lines: Sequence[Line]) -> go.Scatter:
    """All lines of a group as one trace, with gaps between them."""
    x: list[int | None] = []
    y: list[float | None] = []
    said: list[list[str]] = []
    for line in lines:
        for at, place in enumerate(line.places):
            known = place is not None
            x.append(at if known else None)
            y.append(place)
            said.append([str(line.trial.number), _reading(parallel, line.trial, at)])
        x.append(None)
        y.append(None)
        said.append(["", ""])
    return go.Scatter(
        x=x,
        y=y,
        mode="lines+markers",
        marker={"size": 4},
        customdata=said,
        hovertemplate="trial %{customdata[0]}<br>%{customdata[1]}<extra></extra>",
    )


def _reading(parallel: Parallel, trial: Tried, at: int) -> str:
    scale = parallel.scales[at]
    if at == len(parallel.scales) - 1:
        return plain(f"{scale.name}: {parallel.trials.unit.value(trial.score)}")
    return plain(f"{scale.name}: {words(trial.level(scale.name))}")


def _ticks(parallel: Parallel, width: int, size: int) -> list[dict[str, object]]:
    """Texts of at most `width` characters on the left of each axis, and on the right of the last one."""
    last = len(parallel.scales) - 1
    return [
        {
            "text": label(text, width, 1),
            "x": at,
            "y": place,
            "xref": "x",
            "yref": "y",
            "xanchor": "left" if at == last else "right",
            "xshift": 6 if at == last else -6,
            "showarrow": False,
            "font": {"size": size, "color": MUTED},
            "bgcolor": PAPER,
            "borderpad": 1,
        }
        for at, scale in enumerate(parallel.scales)
        for place, text in scale.ticks
    ]
