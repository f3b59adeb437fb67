"""Cost against score: what each arm costs to train, and the arms that no other beats at less cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from ablation.findings import Analysis, ArmSummary
from ablation.report.drawing import Drawing, Table, canvas, group, label, plain
from ablation.report.numbers import MISSING, Unit, count, duration, fixed, short, unit_of
from ablation.report.palette import GREY, Style
from ablation.report.panels import Grid, axis, ref

Currency = Literal["seconds", "parameters", "peak_memory"]

_TITLES: dict[Currency, str] = {
    "seconds": "training time of a trial (s)",
    "parameters": "parameters of the model",
    "peak_memory": "peak memory of a trial (bytes)",
}
_NAMES: dict[Currency, str] = {"seconds": "seconds", "parameters": "parameters", "peak_memory": "peak memory"}
_ALIKE = 1.02
"""Peaks of memory closer together than this ratio are the same: they depend on what ran in the process before."""


@dataclass(frozen=True, slots=True)
class Point:
    """One arm: its mean cost and score, and the standard deviation of the score where it has one."""

    arm: str
    cost: float
    score: float
    sd: float | None
    on_front: bool


@dataclass(frozen=True, slots=True)
class Costs:
    """One panel for each cost in which the arms differ."""

    title: str
    unit: Unit
    panels: tuple[tuple[Currency, tuple[Point, ...]], ...]
    same: tuple[str, ...]
    """Costs that all arms share, in words."""
    left_out: str
    """Whose times and memory are not comparable with these, and why."""


def compute(analysis: Analysis) -> Costs | None:
    """Points with their Pareto front (lower cost, better score); None without costs."""
    unit = unit_of(analysis)
    panels: list[tuple[Currency, tuple[Point, ...]]] = []
    same: list[str] = []
    for currency in _TITLES:
        points = _points(analysis.arms, currency, unit)
        if len(points) > 1 and _differ(currency, [point.cost for point in points]):
            panels.append((currency, points))
        elif points and currency == "parameters":
            same.append(f"Every arm has {short(points[0].cost)} parameters.")
    if not panels:
        return None
    front = sum(point.on_front for point in panels[0][1])
    gain = f"a {'higher' if unit.higher_is_better else 'lower'} {unit.metric}"
    title = f"For {front} of {count(len(panels[0][1]), 'arm')} no other costs less and has {gain}"
    return Costs(title, unit, tuple(panels), tuple(same), analysis.cost_note)


def _differ(currency: Currency, costs: Sequence[float]) -> bool:
    return max(costs) > min(costs) * (_ALIKE if currency == "peak_memory" else 1)


def _points(arms: Sequence[ArmSummary], currency: Currency, unit: Unit) -> tuple[Point, ...]:
    known: list[tuple[str, float, float, float | None]] = []
    for arm in arms:
        cost: float | None = getattr(arm, currency)
        score, sd = arm.on(unit.metric)
        if cost is not None and score is not None:
            known.append((arm.arm, float(cost), score, sd))
    sign = 1 if unit.higher_is_better else -1
    return tuple(
        Point(
            name,
            cost,
            score,
            sd,
            not any(_beats((other, sign * its), (cost, sign * score)) for _, other, its, _ in known),
        )
        for name, cost, score, sd in known
    )


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """At most the cost and at least the score, and not the same in both."""
    return one[0] <= other[0] and one[1] >= other[1] and one != other


def draw(costs: Costs, styles: Mapping[str, Style]) -> Drawing:
    """Every arm with its own sign, the front as a stepped line."""
    grid = Grid(len(costs.panels), min(2, len(costs.panels)), 340)
    figure = canvas(grid.height)
    for panel, (currency, points) in enumerate(costs.panels):
        figure.add_trace(_front(points, costs.unit, panel))
        for point in points:
            figure.add_trace(_dot(point, styles[point.arm], costs.unit, panel))
        score = {
            "title": {"text": f"{costs.unit.metric} ({costs.unit.level})"},
            "anchor": ref("x", panel),
            "autorangeoptions": {"clipmin": 0} | ({"clipmax": 100} if costs.unit.metric == "accuracy" else {}),
        }
        figure.update_layout(
            {
                axis("x", panel): {"title": {"text": _TITLES[currency]}, "anchor": ref("y", panel)} | _ticks(currency),
                axis("y", panel): score,
            }
        )
    names = len(costs.panels[0][1])
    figure.update_layout(grid.layout(), height=grid.height + 26 * (names // 4))
    caption = (
        "Mean over seed blocks, with ± one standard deviation of the score. Dashed: the Pareto front of the means; "
        "arms closer together than their bars are not told apart by it."
    )
    caption = " ".join(filter(None, (caption, *costs.same, costs.left_out)))
    narrow = Grid(len(costs.panels), 1, 300).layout()
    narrow["height"] = Grid(len(costs.panels), 1, 300).height + 22 * names
    return Drawing("cost-plot", costs.title, caption, figure, _table(costs), narrow)


def _ticks(currency: Currency) -> dict[str, object]:
    return {"tickformat": "~s", "nticks": 5} if currency == "peak_memory" else {}


def _front(points: Sequence[Point], unit: Unit, panel: int) -> go.Scatter:
    front = sorted((point for point in points if point.on_front), key=lambda point: point.cost)
    return go.Scatter(
        x=[point.cost for point in front],
        y=[point.score * unit.factor for point in front],
        mode="lines",
        line={"color": GREY, "width": 1.5, "dash": "dash", "shape": "hv"},
        name="Pareto front",
        showlegend=panel == 0,
        hoverinfo="skip",
        xaxis=ref("x", panel),
        yaxis=ref("y", panel),
    )


def _dot(point: Point, style: Style, unit: Unit, panel: int) -> go.Scatter:
    return go.Scatter(
        x=[point.cost],
        y=[point.score * unit.factor],
        mode="markers",
        name=label(point.arm, 38, 2),
        showlegend=panel == 0,
        legendgroup=group(point.arm),
        xaxis=ref("x", panel),
        yaxis=ref("y", panel),
        marker={"color": style.colour, "symbol": style.symbol, "size": 12},
        error_y={
            "type": "data",
            "array": [(point.sd or 0) * unit.factor],
            "color": style.colour,
            "thickness": 1.5,
            "width": 0,
        },
        customdata=[[plain(point.arm), unit.value(point.score), short(point.cost)]],
        hovertemplate="%{customdata[0]}<br><b>%{customdata[1]}</b> at %{customdata[2]}<extra></extra>",
    )


def _table(costs: Costs) -> Table:
    rows = [
        (
            point.arm,
            _NAMES[currency],
            duration(point.cost) if currency == "seconds" else short(point.cost),
            costs.unit.value(point.score),
            MISSING if point.sd is None else fixed(point.sd * costs.unit.factor, costs.unit.digits),
            "yes" if point.on_front else "no",
        )
        for currency, points in costs.panels
        for point in points
    ]
    columns = ("arm", "cost", "mean cost", f"mean {costs.unit.metric}", "sd", "on the front")
    return Table("Cost and score of each arm", columns, tuple(rows), numbers=range(2, 5))
