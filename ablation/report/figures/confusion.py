"""Confusion matrices of the baseline and the best other arm, and their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ablation.report.drawing import Drawing, Patch, Table, canvas, label, plain
from ablation.report.figures.matrices import Shares, classes_of, mean, shares_by_block, told
from ablation.report.numbers import count, fixed, signed
from ablation.report.palette import DIVERGING, ERRORS, INK, RIGHT
from ablation.report.panels import Grid, axis, heading, ref
from ablation.trial import Record

_MOST_NUMBERS, _MOST_NAMES, _MOST_ROWS = 12, 20, 60
_SHORT = 2
"""Characters of a class name that need not be turned to stand below its column."""

_PALE = 2.5
"""The top of the scale of correct shares, past 1 so that the diagonal stays pale and the errors are what is seen."""

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float
    stops: Sequence[tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Confusions:
    """Shares of each true class's images (rows true, columns predicted), means over the shared seed blocks."""

    title: str
    classes: tuple[str, ...]
    names: tuple[str, str]
    first: Matrix
    second: Matrix
    blocks: int

    @property
    def difference(self) -> Shares:
        """Second minus first."""
        return np.subtract(self.second, self.first, dtype=np.float64)


def compute(records: Sequence[Record], baseline: str, other: str) -> Confusions | None:
    """Both matrices over the seed blocks that both arms completed; None where there is no such block."""
    classes = classes_of(records)
    first = shares_by_block(records, baseline, len(classes))
    second = shares_by_block(records, other, len(classes))
    shared = sorted(first.keys() & second.keys())
    if not shared:
        return None
    means = [np.nan_to_num(mean([matrices[block] for block in shared])) for matrices in (first, second)]
    title = _message(means[0], classes, baseline)
    one, two = (tuple(tuple(map(float, row)) for row in matrix) for matrix in means)
    return Confusions(title, classes, (baseline, other), one, two, len(shared))


def _message(shares: Shares, classes: tuple[str, ...], name: str) -> str:
    errors = shares - np.diag(np.diagonal(shares))
    true, predicted = np.unravel_index(errors.argmax(), errors.shape)
    share = fixed(float(errors[true, predicted]) * 100, 1)
    confusion = f"{told(classes[true])} taken for {told(classes[predicted])}"
    return f"The most frequent confusion of {name}: {confusion}, in {share} % of its images"


def draw(confusions: Confusions) -> Drawing:
    """Three heat maps. Errors have a colour scale of their own, or the diagonal would drown them."""
    grid = Grid(3, 3, 300, space=0.03)
    figure = canvas(grid.height)
    first, second = np.array(confusions.first), np.array(confusions.second)
    worst = max(_errors(first).max(), _errors(second).max(), 1e-9) * 100
    for panel, shares in enumerate((first, second)):
        right = np.where(np.eye(len(shares), dtype=bool), shares, np.nan) * 100
        figure.add_trace(_cells(confusions, panel, _errors(shares, np.nan) * 100, _Scale(0, worst, ERRORS)))
        figure.add_trace(_cells(confusions, panel, right, _Scale(0, _PALE * 100, RIGHT)))
    change = confusions.difference * 100
    bound = float(np.abs(change).max()) or 1.0
    figure.add_trace(_cells(confusions, 2, change, _Scale(-bound, bound, DIVERGING)))
    titles = (label(confusions.names[0], 30, 1), label(confusions.names[1], 30, 1), "difference (pp)")
    for panel, title in enumerate(titles):
        figure.update_layout(
            {axis("x", panel): _ticks(confusions, panel, "x"), axis("y", panel): _ticks(confusions, panel, "y")}
        )
        figure.add_annotation(heading(title, panel))
    figure.update_layout(grid.layout(), margin={"t": 40})
    caption = (
        "Per cent of each true class's images (rows) taken for a class (columns), mean of "
        f"{count(confusions.blocks, 'seed block')} that both arms completed. Orange: errors. Green: the share "
        "that is right. Third panel: the second minus the first, blue more and orange less."
    )
    narrow: Patch = Grid(3, 1, 330, 136).layout() | {
        "margin.b": 100,
        "yaxis2.showticklabels": True,
        "yaxis3.showticklabels": True,
        "yaxis2.title.text": "true class",
        "yaxis3.title.text": "true class",
    }
    return Drawing("confusion-plot", confusions.title, caption, figure, _table(confusions), narrow)


def _errors(shares: Shares, diagonal: float = 0.0) -> Shares:
    return np.where(np.eye(len(shares), dtype=bool), diagonal, shares)


def _cells(confusions: Confusions, panel: int, values: Shares, scale: _Scale) -> go.Heatmap:
    signs, unit = (True, " pp") if scale.low < 0 else (False, " %")
    cells = [[None if np.isnan(one) else round(float(one), 3) for one in row] for row in values]
    names = [plain(name) for name in confusions.classes]
    return go.Heatmap(
        z=cells,
        zmin=scale.low,
        zmax=scale.high,
        colorscale=[list(stop) for stop in scale.stops],
        showscale=False,
        xgap=1,
        ygap=1,
        hoverongaps=False,
        xaxis=ref("x", panel),
        yaxis=ref("y", panel),
        text=[[_number(one, signs) for one in row] for row in cells],
        texttemplate="%{text}" if len(names) <= _MOST_NUMBERS else None,
        textfont={"size": 10},
        customdata=[[[true, predicted] for predicted in names] for true in names],
        hovertemplate=f"%{{customdata[0]}} taken for %{{customdata[1]}}<br><b>%{{z:.2f}}{unit}</b><extra></extra>",
    )


def _number(value: float | None, signs: bool) -> str:
    """The number in a cell; what rounds to nothing stays empty."""
    if value is None or abs(value) <= 0.5:
        return ""
    return signed(value, 0) if signs else fixed(value, 0)


def _ticks(confusions: Confusions, panel: int, letter: str) -> dict[str, object]:
    size = len(confusions.classes)
    shown = list(range(0, size, -(-size // _MOST_NAMES)))
    ticks: dict[str, object] = {
        "tickvals": shown,
        "ticktext": [label(confusions.classes[at], 14, 1) for at in shown],
        "showgrid": False,
        "anchor": ref("y" if letter == "x" else "x", panel),
        "tickfont": {"size": 11, "color": INK},
    }
    if letter == "x":
        short = max(map(len, confusions.classes)) <= _SHORT
        return ticks | {
            "tickangle": 0 if short else -90,
            "range": [-0.5, size - 0.5],
            "title": {"text": "taken for", "standoff": 6},
        }
    title = {"title": {"text": "true class", "standoff": 6}} if panel == 0 else {}
    return ticks | {"range": [size - 0.5, -0.5], "showticklabels": panel == 0} | title


def _table(confusions: Confusions) -> Table:
    size = len(confusions.classes)
    first, second = np.array(confusions.first), np.array(confusions.second)
    pairs = sorted(
        ((true, guess) for true in range(size) for guess in range(size)), key=lambda at: -abs(second[at] - first[at])
    )
    rows = tuple(
        (
            confusions.classes[true],
            confusions.classes[guess],
            fixed(first[true, guess] * 100, 2),
            fixed(second[true, guess] * 100, 2),
            signed((second[true, guess] - first[true, guess]) * 100, 2),
        )
        for true, guess in pairs[:_MOST_ROWS]
    )
    caption = f"The {len(rows)} cells that differ most, in % of the true class's images"
    return Table(caption, ("true class", "taken for", *confusions.names, "difference"), rows, numbers=range(2, 5))
