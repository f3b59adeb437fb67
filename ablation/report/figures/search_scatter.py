"""Slices of a search: the validation score of every complete trial against each factor, by level or over the range."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.report.drawing import Drawing, canvas, label, plain
from ablation.report.figures.search_trials import BEST, Trials, Tried, ranking, words
from ablation.report.palette import BLUE, GREY
from ablation.report.panels import Grid, axis, heading, ref

_MOST_PANELS, _LEGEND = 9, 50
_FEW_DECADES = 1.5
"""Of a logarithmic axis: below that a tick a decade would leave one or two."""


@dataclass(frozen=True, slots=True)
class Slices:
    """The complete trials, best first, and the factors that have a panel."""

    title: str
    trials: Trials
    ranked: tuple[Tried, ...]
    factors: tuple[str, ...]


def compute(trials: Trials) -> Slices | None:
    """None where no trial is complete."""
    ranked = trials.ranked
    if not ranked:
        return None
    return Slices(_message(trials, ranked), trials, ranked, tuple(trials.factors)[:_MOST_PANELS])


def _message(trials: Trials, ranked: tuple[Tried, ...]) -> str:
    """What the best share more than the others do, of any factor."""
    if len(ranked) < 2 * BEST:
        return f"{len(ranked)} complete trials show little of any factor"
    said = [found for factor in trials.factors for found in _shared(trials, ranked, factor)]
    best = max(said, default=(0.0, ""), key=lambda pair: pair[0])
    return best[1] or "The ten best trials have nothing in common that the others lack"


def _shared(trials: Trials, ranked: tuple[Tried, ...], factor: str) -> Iterator[tuple[float, str]]:
    """How much more the best agree in one factor than all do, from 0 to 1, and that in words."""
    drawn = [(at < BEST, level) for at, trial in enumerate(ranked) if (level := trial.level(factor)) is not None]
    for named in trials.levels(factor):
        among_best = sum(is_best for is_best, level in drawn if level == named)
        among_all = sum(level == named for _, level in drawn)
        gain = among_best / BEST - among_all / len(ranked)
        yield gain, f"{among_best} of the ten best trials have {factor} {named}, {among_all} of all {len(ranked)} do"
    if not trials.levels(factor):
        scaled = math.log if trials.is_logarithmic(factor) else float
        best = [float(level) for is_best, level in drawn if is_best]
        low, high = (end(float(level) for _, level in drawn) for end in (min, max)) if len(best) == BEST else (0.0, 0.0)
        if low < high:
            covered = (scaled(max(best)) - scaled(min(best))) / (scaled(high) - scaled(low))
            ends = [words(end) for end in (min(best), max(best), low, high)]
            said = f"The ten best trials have {factor} from {ends[0]} to {ends[1]}, all from {ends[2]} to {ends[3]}"
            yield 1 - covered, said


def draw(slices: Slices) -> Drawing:
    """One panel a factor; the ten best trials stand out."""
    grid = Grid(len(slices.factors), min(3, len(slices.factors)), 220, 96)
    figure = canvas(grid.height)
    unit = slices.trials.unit
    score = f"validation {unit.metric} ({unit.level})"
    for panel, factor in enumerate(slices.factors):
        for best in (False, True):
            dots = _dots(slices, factor, best)
            figure.add_trace(dots.update(xaxis=ref("x", panel), yaxis=ref("y", panel), showlegend=panel == 0))
        figure.update_layout(
            {
                axis("x", panel): _axis(slices.trials, factor) | {"anchor": ref("y", panel)},
                axis("y", panel): {"anchor": ref("x", panel), "title": {"text": score if panel % 3 == 0 else ""}},
            }
        )
        figure.add_annotation(heading(label(factor, 30, 1), panel))
    figure.update_layout(grid.layout(), legend={"y": 1 + _LEGEND / grid.height}, margin={"t": 40})
    caption = (
        f"Every complete trial, by its {score}. A search draws more "
        "trials where it did well, so a cloud's shape shows where it looked, not what causes what."
    )
    narrow = Grid(len(slices.factors), 1, 200, 90).layout() | {"legend.y": 1.04}
    narrow |= {f"{axis('y', panel)}.title.text": score for panel in range(len(slices.factors))}
    return Drawing("slices-plot", slices.title, caption, figure, ranking(slices.trials, len(slices.ranked)), narrow)


def _dots(slices: Slices, factor: str, best: bool) -> go.Scatter:
    unit, levels = slices.trials.unit, slices.trials.levels(factor)
    most = BEST if len(slices.ranked) > BEST else 0
    part = slices.ranked[:most] if best else slices.ranked[most:]
    known = [
        (trial, level, trial.score)
        for trial in part
        if (level := trial.level(factor)) is not None and trial.score is not None
    ]
    return go.Scatter(
        x=[levels.index(str(level)) if levels else level for _, level, _ in known],
        y=[score * unit.factor for _, _, score in known],
        mode="markers",
        name="the ten best" if best else "other trials" if most else "complete trials",
        marker={
            "color": BLUE if best else GREY,
            "symbol": "diamond" if best else "circle",
            "size": 10 if best else 7,
            "opacity": 1 if best else 0.6,
        },
        customdata=[[trial.number, plain(words(level)), unit.value(score)] for trial, level, score in known],
        hovertemplate="trial %{customdata[0]}<br>%{customdata[1]}: <b>%{customdata[2]}</b><extra></extra>",
    )


def _axis(trials: Trials, factor: str) -> dict[str, object]:
    levels = trials.levels(factor)
    if levels:
        names = [label(level, 14, 2) for level in levels]
        return {"tickvals": list(range(len(levels))), "ticktext": names, "range": [-0.5, len(levels) - 0.5]}
    if trials.is_logarithmic(factor):
        drawn = [float(level) for trial in trials.all if (level := trial.level(factor)) is not None]
        if drawn and math.log10(max(drawn) / min(drawn)) < _FEW_DECADES:
            first, last = (math.floor(math.log10(end)) for end in (min(drawn), max(drawn)))
            ticks = [number * 10.0**power for power in range(first, last + 2) for number in (1, 3)]
            return {"type": "log", "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks], "tickangle": 0}
        return {"type": "log", "dtick": 1, "exponentformat": "none"}
    return {"type": "linear", "nticks": 5}
