"""Importances of a search: a bar a factor, and how far bars reach where no factor has to do with the scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.hypotheses import Importance, Importances, Measure
from ablation.report.drawing import Drawing, Patch, Table, canvas, label, plain
from ablation.report.numbers import fixed
from ablation.report.palette import BAND, BLUE, GREY, INK
from ablation.report.panels import Grid, axis, heading, ref

MEANINGS: dict[Measure, str] = {
    "PED-ANOVA": "what sets the best trials apart: how far their levels are from those of all trials, as a share",
    "fANOVA": "the share of the score's variance over the whole space that a factor explains by itself",
}
"""What each measure counts. A factor that decides much between bad and middling levels has a large bar in the second
and a small one in the first."""

_TITLES: dict[Measure, str] = {"PED-ANOVA": "Best apart (PED-ANOVA)", "fANOVA": "Explains variance (fANOVA)"}
_AXES: dict[Measure, str] = {
    "PED-ANOVA": "divergence (% of the sum)",
    "fANOVA": "share of the variance (%)",
}
_ROW, _GAP, _MOST_BARS = 40, 90, 12


@dataclass(frozen=True, slots=True)
class Bars:
    """Both measures, each with at most twelve factors."""

    title: str
    measures: tuple[Importances, ...]


def compute(importances: Sequence[Importances]) -> Bars | None:
    """None where there are no importances."""
    if not importances:
        return None
    found = [
        f"{' and '.join(standing)} by {each.measure}"
        for each in importances
        if (standing := [bar.factor for bar in each.bars if bar.stands_out])
    ]
    title = (
        f"Beyond what chance shows: {'; '.join(found)}. A hypothesis, to be tested"
        if found
        else "No factor stands out from what chance alone would show"
    )
    cut = [each.model_copy(update={"bars": each.bars[:_MOST_BARS]}) for each in importances]
    return Bars(title, tuple(cut))


def draw(bars: Bars) -> Drawing:
    """One panel a measure; a shaded band behind each bar, and a line that the largest of all seldom passes."""
    rows = max(len(each.bars) for each in bars.measures)
    grid = Grid(len(bars.measures), len(bars.measures), _ROW * rows + 10, _GAP, space=0.24)
    figure = canvas(grid.height)
    for panel, each in enumerate(bars.measures):
        _add_panel(figure, panel, each)
        figure.add_annotation(heading(_TITLES[each.measure], panel))
    figure.update_layout(grid.layout(), showlegend=False, barmode="overlay", margin={"t": 40})
    narrow: Patch = dict(Grid(len(bars.measures), 1, _ROW * rows + 10, _GAP).layout())
    times = bars.measures[0].permutations
    caption = (
        f"Bar: the share. Shaded: where it ends in 95 of 100 cases if the scores are permuted over the trials ({times} "
        "times), so that no factor has to do with them. Dashed line: the same for the largest bar of all. Blue bars "
        "pass that line. On noise alone some bar is always large. A factor without a bar took part in too few trials."
    )
    return Drawing("importances-plot", bars.title, caption, figure, _table(bars), narrow)


def _add_panel(figure: go.Figure, panel: int, each: Importances) -> None:
    names = [_name(bar) for bar in each.bars]
    places = list(range(len(names)))
    axes = {"xaxis": ref("x", panel), "yaxis": ref("y", panel), "orientation": "h", "y": places}
    noise = go.Bar(
        x=[100 * bar.noise for bar in each.bars],
        width=0.8,
        marker={"color": BAND, "line": {"width": 0}},
        hoverinfo="skip",
    )
    shares = go.Bar(
        x=[100 * bar.share for bar in each.bars],
        width=0.42,
        marker={"color": [BLUE if bar.stands_out else GREY for bar in each.bars], "line": {"width": 0}},
        customdata=[[plain(_name(bar)), _percent(bar.share), _percent(bar.noise)] for bar in each.bars],
        hovertemplate="%{customdata[0]}<br><b>%{customdata[1]}</b>, by chance up to %{customdata[2]}<extra></extra>",
    )
    figure.add_traces([noise.update(axes), shares.update(axes)])
    largest = 100 * max((bar.largest_noise for bar in each.bars), default=0.0)
    line = {"color": INK, "width": 1.5, "dash": "dash"}
    where = {"xref": ref("x", panel), "yref": f"{ref('y', panel)} domain"}
    figure.add_shape(type="line", x0=largest, x1=largest, y0=0, y1=1, line=line, **where)
    end = max([largest, *(100 * max(bar.share, bar.noise) for bar in each.bars)])
    figure.update_layout({axis("y", panel): _rows(names) | {"anchor": ref("x", panel)}})
    title = {"text": _AXES[each.measure]}
    across = {"range": [0, 1.05 * end or 1], "anchor": ref("y", panel), "nticks": 6, "title": title}
    figure.update_layout({axis("x", panel): across})


def _rows(names: Sequence[str]) -> dict[str, object]:
    return {
        "tickvals": list(range(len(names))),
        "ticktext": [label(name, 22, 3) for name in names],
        "range": [len(names) - 0.5, -0.5],
        "showgrid": False,
        "tickfont": {"color": INK, "size": 12},
    }


def _name(bar: Importance) -> str:
    return f"{bar.factor} (where {bar.where})" if bar.where else bar.factor


def _percent(share: float) -> str:
    return f"{fixed(100 * share, 0)}\u202f%"


def _table(bars: Bars) -> Table:
    rows = tuple(
        (
            _name(bar),
            each.measure,
            _percent(bar.share),
            _percent(bar.noise),
            _percent(bar.largest_noise),
            "yes" if bar.stands_out else "no",
            str(bar.trials),
        )
        for each in bars.measures
        for bar in each.bars
    )
    columns = ("factor", "measure", "share", "by chance, this factor", "by chance, the largest", "stands out", "trials")
    return Table("Importances, and what 95 of 100 searches without any effect stay below", columns, rows, range(2, 5))
