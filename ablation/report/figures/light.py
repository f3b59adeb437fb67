"""Brightness and contrast by class: whether a class can be told by its light alone, and how wide jitter has to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.analysis.light import Light, Measure, Spread
from ablation.report.drawing import Drawing, Table, canvas, label, plain
from ablation.report.figures.class_balance import MOST_CLASSES
from ablation.report.figures.matrices import told
from ablation.report.numbers import MISSING, fixed
from ablation.report.palette import BLUE, GREY, INK
from ablation.report.panels import Grid, axis, ref

_TITLES = {"brightness": "brightness (black 0, white 1)", "contrast": "contrast (standard deviation of grey levels)"}
_ROW, _HEAD = 26, 30


@dataclass(frozen=True, slots=True)
class Lights:
    """A row a class in two panels."""

    title: str
    classes: tuple[str, ...]
    measures: tuple[Measure, Measure]


def compute(light: Light, classes: tuple[str, ...]) -> Lights:
    """The message, and the classes in the order of the data set."""
    return Lights(_message(light, classes), classes, (light.brightness, light.contrast))


def _message(light: Light, classes: Sequence[str]) -> str:
    known = [(one.median, name) for one, name in zip(light.brightness.classes, classes, strict=True) if one]
    (low, darkest), (high, brightest) = min(known), max(known)
    said = f"Brightest at the median is {told(brightest)} ({fixed(high, 2)}), darkest {told(darkest)} ({fixed(low, 2)})"
    share = light.brightness.explained
    return f"{said}; the class explains {_percent(share)} of the variance of brightness"


def _percent(share: float) -> str:
    return f"{fixed(share * 100, 1)}\u202f%"


def draw(lights: Lights) -> Drawing:
    """Median, middle half and middle nine tenths of each class."""
    rows = lights.classes[:MOST_CLASSES]
    grid = Grid(2, 2, _ROW * len(rows) + _HEAD, space=0.14)
    figure = canvas(grid.height)
    for panel, measure in enumerate(lights.measures):
        for trace in _panel(measure, rows, panel):
            figure.add_trace(trace)
        figure.update_layout(
            {
                axis("x", panel): {"title": {"text": _TITLES[measure.name]}, "anchor": ref("y", panel)},
                axis("y", panel): {"anchor": ref("x", panel)} | _row_names(rows),
            }
        )
    figure.update_layout(grid.layout(), showlegend=False)
    return Drawing("light-plot", lights.title, _caption(lights), figure, _table(lights), Grid(2, 1, grid.row).layout())


def _row_names(rows: Sequence[str]) -> dict[str, object]:
    return {
        "tickvals": list(range(len(rows))),
        "ticktext": [label(name, 16, 1) for name in rows],
        "range": [len(rows) - 0.5, -0.5],
        "showgrid": False,
        "tickfont": {"color": INK},
    }


def _panel(measure: Measure, rows: Sequence[str], panel: int) -> tuple[go.Scatter, ...]:
    known = [(row, name, one) for row, (name, one) in enumerate(zip(rows, measure.classes, strict=False)) if one]
    return (
        _lines([(row, one.low, one.high) for row, _, one in known], GREY, 1.5, panel),
        _lines([(row, one.first, one.third) for row, _, one in known], BLUE, 7, panel),
        go.Scatter(
            x=[one.median for _, _, one in known],
            y=[row for row, _, _ in known],
            mode="markers",
            marker={"symbol": "line-ns", "size": 14, "line": {"width": 2.5, "color": INK}},
            customdata=[[plain(name), _reading(one)] for _, name, one in known],
            hovertemplate=f"%{{customdata[0]}}, {measure.name}<br><b>%{{customdata[1]}}</b><extra></extra>",
            xaxis=ref("x", panel),
            yaxis=ref("y", panel),
        ),
    )


def _lines(spans: Sequence[tuple[int, float, float]], colour: str, width: float, panel: int) -> go.Scatter:
    """Horizontal lines, one a row, in one trace."""
    return go.Scatter(
        x=[end for _, low, high in spans for end in (low, high, None)],
        y=[at for row, _, _ in spans for at in (row, row, None)],
        mode="lines",
        line={"color": colour, "width": width},
        hoverinfo="skip",
        xaxis=ref("x", panel),
        yaxis=ref("y", panel),
    )


def _reading(one: Spread) -> str:
    return f"median {fixed(one.median, 2)}, middle half {fixed(one.first, 2)} to {fixed(one.third, 2)}"


def _caption(lights: Lights) -> str:
    brightness, contrast = lights.measures
    left = len(lights.classes) - MOST_CLASSES
    said = (
        "Each training image has one brightness, the mean of its grey levels, and one contrast, their standard "
        "deviation; grey is the mean of the channels. Tick: the median of a class. Thick: its middle half. Thin: its "
        f"middle nine tenths. The class explains {_percent(brightness.explained)} of the variance of brightness and "
        f"{_percent(contrast.explained)} of that of contrast: where that is much, changing brightness or contrast at "
        "random takes away what tells the classes apart."
    )
    return f"{said} {left:,} more classes stand in the table." if left > 0 else said


def _table(lights: Lights) -> Table:
    rows = [
        (name, measure.name, *(_cells(one)))
        for measure in lights.measures
        for name, one in zip(lights.classes, measure.classes, strict=True)
    ]
    columns = ("class", "measure", "5 %", "25 %", "median", "75 %", "95 %")
    return Table("Quantiles of brightness and contrast over the training images", columns, tuple(rows), range(2, 7))


def _cells(one: Spread | None) -> tuple[str, ...]:
    if one is None:
        return (MISSING,) * 5
    return tuple(fixed(value, 3) for value in (one.low, one.first, one.median, one.third, one.high))
