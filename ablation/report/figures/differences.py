"""What B changes against A: the difference of each metric with its interval, and that of each seed block behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.analysis.compared import Compared, MetricDifference
from ablation.report.drawing import SMALL, Drawing, Table, canvas
from ablation.report.figures.effects import margin_band
from ablation.report.numbers import MISSING, Unit, count, probability, unit_named
from ablation.report.palette import BLUE, GREY, INK, MUTED
from ablation.report.panels import Grid, axis, heading, ref
from ablation.trial import Record

_BLOCKS, _MEAN = 0, 1
"""The two rows of a panel."""
_REACH = 3
"""An interval is drawn to so many times the largest difference: with two seed blocks it dwarfs everything."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One metric: B minus A, over all seed blocks and in each of them."""

    unit: Unit
    difference: MetricDifference
    blocks: tuple[tuple[int, float], ...]
    """Seed block and difference; none where the two sides share no seed block."""
    margin: float | None
    """What counts as equivalent, of the metric that the studies were declared for."""

    @property
    def span(self) -> tuple[float, float]:
        """The axis from end to end: zero, the margin, every seed block, and as much of the interval as is of use."""
        seen = [0.0, self.difference.effect, *(value for _, value in self.blocks)]
        reach = _REACH * max([*map(abs, seen), self.margin or 0.0]) or 1 / self.unit.factor
        ends = [end for end in (self.difference.low, self.difference.high) if end is not None]
        drawn = [*seen, *(max(-reach, min(reach, end)) for end in ends), self.margin or 0.0, -(self.margin or 0.0)]
        air = 0.08 * (max(drawn) - min(drawn)) or 1 / self.unit.factor
        return min(drawn) - air, max(drawn) + air

    @property
    def is_cut(self) -> bool:
        """Whether the interval goes past the end of the axis."""
        low, high = self.span
        return (self.difference.low or 0.0) < low or (self.difference.high or 0.0) > high


@dataclass(frozen=True, slots=True)
class Differences:
    """A panel for each metric, the declared one first."""

    title: str
    panels: tuple[Panel, ...]
    looked_at: bool


def compute(compared: Compared, a: Sequence[Record], b: Sequence[Record], margin: float) -> Differences:
    """The differences of both metrics; `a` and `b` are the trials that are read."""
    found = {"accuracy": compared.accuracy, "loss": compared.loss}
    found |= {} if compared.score is None else {compared.metric: compared.score}
    panels = tuple(
        Panel(
            unit=unit_named(metric),
            difference=found[metric],
            blocks=_in_blocks(compared, a, b, metric) if compared.paired else (),
            margin=margin if metric == compared.metric else None,
        )
        for metric in sorted(found, key=lambda metric: metric != compared.metric)
    )
    first = panels[0]
    said = f"B changes {first.unit.metric} by {first.unit.difference(first.difference.effect)}"
    interval = first.unit.interval(first.difference.low, first.difference.high)
    told = said if interval == MISSING else f"{said}, 95 % interval {interval}"
    return Differences(told, panels, compared.looked_at)


def _in_blocks(
    compared: Compared, a: Sequence[Record], b: Sequence[Record], metric: str
) -> tuple[tuple[int, float], ...]:
    scores_a, scores_b = _scores(compared, a, metric), _scores(compared, b, metric)
    return tuple((block, scores_b[block] - scores_a[block]) for block in sorted(scores_a.keys() & scores_b.keys()))


def _scores(compared: Compared, records: Sequence[Record], metric: str) -> dict[int, float]:
    scores = {one.trial.block: one.outcome.scores(compared.split) for one in records if one.outcome}
    return {block: score.on(metric) for block, score in scores.items() if score is not None}


def draw(differences: Differences) -> Drawing:
    """Each panel has the mean with its interval on top, and below it a dot for each seed block."""
    panels = differences.panels
    grid, narrow = Grid(len(panels), 2, 130), Grid(len(panels), 1, 120, 96)
    figure = canvas(grid.height)
    for at, panel in enumerate(panels):
        figure.add_trace(_mean(panel, at))
        if panel.blocks:
            figure.add_trace(_dots(panel, at))
        figure.update_layout(_axes(panel, at))
        figure.add_annotation(heading(f"{panel.unit.metric} ({panel.unit.change})", at))
        if panel.margin is not None:
            margin_band(figure, panel.margin * panel.unit.factor, at)
    figure.update_layout(grid.layout(), showlegend=False, margin={"t": 44})
    return Drawing("difference-plot", differences.title, _caption(differences), figure, _table(panels), narrow.layout())


def _axes(panel: Panel, at: int) -> dict[str, object]:
    low, high = (end * panel.unit.factor for end in panel.span)
    names = ["seed blocks", "mean"] if panel.blocks else ["", "difference"]
    return {
        axis("x", at): {
            "range": [low, high],
            "anchor": ref("y", at),
            "title": {"text": "← lower with B · higher with B →"},
            "zeroline": True,
            "zerolinecolor": INK,
            "zerolinewidth": 1.5,
            "nticks": 6,
        },
        axis("y", at): {
            "range": [-0.6, 1.6],
            "anchor": ref("x", at),
            "tickvals": [_BLOCKS, _MEAN],
            "ticktext": names,
            "tickfont": {"color": INK, "size": SMALL},
            "showgrid": False,
        },
    }


def _mean(panel: Panel, at: int) -> go.Scatter:
    factor, found = panel.unit.factor, panel.difference
    low, high = (found.effect if end is None else end for end in (found.low, found.high))
    return go.Scatter(
        x=[found.effect * factor],
        y=[_MEAN],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [(high - found.effect) * factor],
            "arrayminus": [(found.effect - low) * factor],
            "color": BLUE,
            "thickness": 2.5,
            "width": 0,
        },
        mode="markers",
        marker={"color": BLUE, "symbol": "diamond", "size": 12},
        customdata=[[panel.unit.difference(found.effect), panel.unit.interval(found.low, found.high)]],
        hovertemplate="<b>%{customdata[0]}</b><br>95 % interval %{customdata[1]}<extra></extra>",
        xaxis=ref("x", at),
        yaxis=ref("y", at),
    )


def _dots(panel: Panel, at: int) -> go.Scatter:
    return go.Scatter(
        x=[value * panel.unit.factor for _, value in panel.blocks],
        y=[_BLOCKS] * len(panel.blocks),
        mode="markers",
        marker={"color": GREY, "symbol": "circle-open", "size": 9, "line": {"width": 2, "color": MUTED}},
        customdata=[[block, panel.unit.difference(value)] for block, value in panel.blocks],
        hovertemplate="seed block %{customdata[0]}: <b>%{customdata[1]}</b><extra></extra>",
        xaxis=ref("x", at),
        yaxis=ref("y", at),
    )


def _caption(differences: Differences) -> str:
    first = differences.panels[0]
    said = ["B minus A. Diamond: the difference."]
    if any(panel.difference.low is not None for panel in differences.panels):
        anytime = ", which holds however often one looks" if differences.looked_at else ""
        said.append(f"Line: the 95 % interval of this one comparison{anytime}.")
    else:
        said.append("There is no interval: that takes several seed blocks, and a spread between them.")
    if first.blocks:
        said.append(f"Rings: {count(len(first.blocks), 'seed block')}, each the difference within it.")
    if first.margin is not None:
        said.append(f"Shaded: the margin of the studies, ±{first.unit.difference(first.margin).lstrip('+')}.")
    if any(panel.is_cut for panel in differences.panels):
        said.append("A line that leaves the frame goes on to the end that the table gives.")
    return " ".join(said)


def _table(panels: Sequence[Panel]) -> Table:
    rows = [
        (
            panel.unit.metric,
            "all that are read",
            panel.unit.difference(panel.difference.effect),
            panel.unit.interval(panel.difference.low, panel.difference.high),
            probability(panel.difference.p),
        )
        for panel in panels
    ]
    rows += [
        (panel.unit.metric, str(block), panel.unit.difference(value), MISSING, MISSING)
        for panel in panels
        for block, value in panel.blocks
    ]
    return Table(
        "B minus A, over all seed blocks and in each", ("metric", "seed block", "difference", "95 % interval", "p"),
        tuple(rows), numbers=range(2, 5),
    )  # fmt: skip
