"""Interaction plots of a factorial: the mean score at each level of one factor, a line for each level of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import plotly.graph_objects as go

from ablation.findings import Analysis, ArmSummary
from ablation.report.drawing import Drawing, Table, canvas, label, plain
from ablation.report.numbers import Unit, spread, unit_of
from ablation.report.palette import INK, arm_styles
from ablation.report.panels import Grid, axis, heading, ref

_MOST_PANELS = 6
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash")


@dataclass(frozen=True, slots=True)
class Interaction:
    """Two factors; `means[j][i]` is the score at level i of the first and j of the second, None without an arm."""

    first: str
    second: str
    first_levels: tuple[str, ...]
    second_levels: tuple[str, ...]
    means: tuple[tuple[float | None, ...], ...]

    @property
    def unevenness(self) -> float:
        """How far the lines are from parallel: the largest change of the distance between two of them."""
        bends = [0.0]
        for one, other in combinations(self.means, 2):
            gaps = [a - b for a, b in zip(one, other, strict=True) if a is not None and b is not None]
            bends.append(max(gaps) - min(gaps) if gaps else 0.0)
        return max(bends)


@dataclass(frozen=True, slots=True)
class Interactions:
    """The pairs of factors, the least parallel first."""

    title: str
    unit: Unit
    pairs: tuple[Interaction, ...]
    left_out: int


def compute(analysis: Analysis) -> Interactions | None:
    """Marginal means over the arms of each pair of factors; None with fewer than two factors that vary together."""
    scored = [arm for arm in analysis.arms if arm.on(analysis.metric)[0] is not None]
    factors = list(dict.fromkeys(factor for arm in scored for factor in arm.levels))
    pairs = [_pair(scored, first, second, analysis) for first, second in combinations(factors, 2)]
    crossed = sorted((pair for pair in pairs if _is_crossed(pair)), key=lambda pair: -pair.unevenness)
    if not crossed:
        return None
    unit, top = unit_of(analysis), crossed[0]
    bend = unit.difference(top.unevenness).lstrip("+")
    title = (
        f"The least parallel: {top.first} and {top.second}, the effect of one differs by up to {bend} over the other"
    )
    return Interactions(title, unit, tuple(crossed[:_MOST_PANELS]), len(crossed) - min(len(crossed), _MOST_PANELS))


def _pair(arms: Sequence[ArmSummary], first: str, second: str, analysis: Analysis) -> Interaction:
    levels = [list(dict.fromkeys(arm.levels[name] for arm in arms if name in arm.levels)) for name in (first, second)]
    means = tuple(
        tuple(
            _mean([arm for arm in arms if (arm.levels.get(first), arm.levels.get(second)) == (one, two)], analysis)
            for one in levels[0]
        )
        for two in levels[1]
    )
    return Interaction(first, second, tuple(levels[0]), tuple(levels[1]), means)


def _mean(arms: Sequence[ArmSummary], analysis: Analysis) -> float | None:
    means = [mean for arm in arms if (mean := arm.on(analysis.metric)[0]) is not None]
    return spread(means)[0] if means else None


def _is_crossed(pair: Interaction) -> bool:
    """Every combination of levels has an arm, and there is more than one level of each."""
    return (
        len(pair.means) > 1 and len(pair.means[0]) > 1 and all(mean is not None for row in pair.means for mean in row)
    )


def draw(interactions: Interactions) -> Drawing:
    """One panel a pair."""
    grid = Grid(len(interactions.pairs), min(2, len(interactions.pairs)), 230, 110)
    figure = canvas(grid.height)
    unit = interactions.unit
    for panel, pair in enumerate(interactions.pairs):
        for line in range(len(pair.second_levels)):
            figure.add_trace(_line(pair, line, unit, panel))
        ticks = {
            "tickvals": list(range(len(pair.first_levels))),
            "ticktext": [label(one, 14, 2) for one in pair.first_levels],
        }
        last = len(pair.first_levels) - 1
        figure.update_layout(
            {
                axis("x", panel): ticks
                | {"range": [-0.25, last + 0.6], "anchor": ref("y", panel), "showgrid": False}
                | {"title": {"text": label(pair.first, 30, 1), "standoff": 6}},
                axis("y", panel): {"title": {"text": f"{unit.metric} ({unit.level})"}, "anchor": ref("x", panel)},
            }
        )
        figure.add_annotation(heading(f"{label(pair.first, 18, 1)} × {label(pair.second, 18, 1)} (lines)", panel))
    figure.update_layout(grid.layout(), showlegend=False, margin={"t": 40})
    caption = (
        "Means over the other factors and the seed blocks. Each line is a level of the second factor. Parallel lines "
        "mean that the two effects add up; whether they depart from it by more than chance, the interaction's finding "
        "says."
    )
    if interactions.left_out:
        caption += f" {interactions.left_out} more pairs are not drawn."
    narrow = Grid(len(interactions.pairs), 1, 220, 100).layout()
    return Drawing("interactions-plot", interactions.title, caption, figure, _table(interactions), narrow)


def _line(pair: Interaction, line: int, unit: Unit, panel: int) -> go.Scatter:
    name = pair.second_levels[line]
    style = arm_styles(pair.second_levels, pair.second_levels[0])[name]
    scores = [None if mean is None else mean * unit.factor for mean in pair.means[line]]
    ends = [""] * (len(scores) - 1) + [label(name, 14, 1)]
    return go.Scatter(
        x=list(range(len(scores))),
        y=scores,
        mode="lines+markers+text",
        text=ends,
        textposition="middle right",
        textfont={"color": style.colour, "size": 12},
        cliponaxis=False,
        line={"color": style.colour, "width": 2.5, "dash": _DASHES[line % len(_DASHES)]},
        marker={"color": style.colour, "symbol": style.symbol, "size": 9, "line": {"color": INK, "width": 0}},
        customdata=[[plain(pair.second), plain(name), unit.value(mean)] for mean in pair.means[line]],
        hovertemplate="%{customdata[0]}: %{customdata[1]}<br><b>%{customdata[2]}</b><extra></extra>",
        xaxis=ref("x", panel),
        yaxis=ref("y", panel),
    )


def _table(interactions: Interactions) -> Table:
    rows = tuple(
        (f"{pair.first} × {pair.second}", one, two, interactions.unit.value(pair.means[line][at]))
        for pair in interactions.pairs
        for line, two in enumerate(pair.second_levels)
        for at, one in enumerate(pair.first_levels)
    )
    columns = ("factors", "level of the first", "level of the second", f"mean {interactions.unit.metric}")
    return Table("Mean score of each combination of two levels", columns, rows, numbers=range(3, 4))
