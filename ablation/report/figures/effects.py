"""The effects plot: every contrast with its simultaneous interval, the zero line and the equivalence margin."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, get_args

import plotly.graph_objects as go

from ablation.analysis.crossed import told
from ablation.findings import Analysis, Finding, OtherEffect, Parameters, Ratio, Verdict
from ablation.report.drawing import SMALL, Drawing, Patch, Table, canvas, label, plain, row_axis, row_names
from ablation.report.numbers import (
    MISSING,
    Unit,
    count,
    probability,
    unit_of,
)
from ablation.report.palette import BAND, INK, MARKS, MUTED
from ablation.report.panels import ref

ORDER: tuple[Verdict, ...] = get_args(Verdict)
"""Verdicts as the page lists them: what is decided comes first."""

_ROW, _LINE, _MARGINS, _LETTER, _REACH = 46, 18, 104, 6.8, 4
_LONGEST_TITLE = 52
"""Letters that fit under the axis on a narrow screen."""


@dataclass(frozen=True, slots=True)
class Effect:
    """One contrast in the metric's own unit."""

    name: str
    reference: str
    effect: float | None
    low: float | None
    high: float | None
    verdict: Verdict
    seed_blocks: int
    p_adjusted: float | None
    p_holm: float | None
    p_sign_flip: float | None = None
    other: OtherEffect | None = None
    others: tuple[OtherEffect, ...] = ()
    seconds: Ratio | None = None
    time_note: str = ""
    parameters: Parameters | None = None

    @property
    def label(self) -> str:
        """The whole contrast: `crop: without instead of with`."""
        return f"{self.name} instead of {self.reference}" if self.reference else self.name


@dataclass(frozen=True, slots=True)
class Effects:
    """All contrasts, in the order of the findings."""

    title: str
    unit: Unit
    margin: float
    rows: tuple[Effect, ...]

    @property
    def span(self) -> tuple[float, float]:
        """The axis from end to end: every interval, zero and the margin, with a little air.

        It goes no further than a few times the largest effect: two seed blocks give intervals that dwarf everything.
        """
        ends = [end for row in self.rows for end in (row.low, row.high, row.effect) if end is not None]
        reach = _REACH * max([self.margin, *(abs(row.effect) for row in self.rows if row.effect is not None)])
        low, high = max(-reach, min([*ends, -self.margin])), min(reach, max([*ends, self.margin]))
        air = 0.06 * (high - low)
        return low - air, high + air

    @property
    def cuts(self) -> bool:
        """Whether an interval goes past the end of the axis."""
        low, high = self.span
        ends = [end for row in self.rows for end in (row.low, row.high) if end is not None]
        return bool(ends) and (min(ends) < low or max(ends) > high)


def ordered(analysis: Analysis) -> list[Finding]:
    """Main effects, interactions, simple effects; in each the decided first and the large before the small."""
    kinds = ("main", "interaction", "simple")
    return sorted(
        analysis.findings, key=lambda one: (kinds.index(one.kind), ORDER.index(one.verdict), -abs(one.effect or 0.0))
    )


def compute(analysis: Analysis) -> Effects | None:
    """The contrasts with an estimate, or None where there is none yet."""
    rows = tuple(
        Effect(
            name=f"{one.factor}: {one.level}" if one.level else one.factor,
            reference=one.against,
            effect=one.effect,
            low=one.low,
            high=one.high,
            verdict=one.verdict,
            seed_blocks=one.seed_blocks,
            p_adjusted=one.p_adjusted,
            p_holm=one.p_holm,
            p_sign_flip=one.p_sign_flip,
            other=one.other,
            others=one.others,
            seconds=one.seconds,
            time_note=one.time_note,
            parameters=one.parameters,
        )
        for one in map(told, ordered(analysis))
    )
    if not any(row.effect is not None for row in rows):
        return None
    return Effects(_message(rows), unit_of(analysis), analysis.margin, rows)


def _message(rows: tuple[Effect, ...]) -> str:
    tally = Counter(row.verdict for row in rows)
    if tally["provisional"]:
        return f"Provisional estimates of {count(len(rows), 'effect')}: no verdict before the plan is complete"
    if tally["not tested"] == len(rows):
        return f"Estimates of {count(len(rows), 'effect')}, none of them tested"
    (verdict, number), *others = tally.items()
    if not others and number > 1:
        return f"All {number} effects {_words(verdict, number).partition(' ')[2]}"
    said = [_words(verdict, tally[verdict]) for verdict in ORDER if tally[verdict]]
    listed = " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)
    return f"Of {count(len(rows), 'effect')}, {listed}"


def _words(verdict: Verdict, number: int) -> str:
    """`1 helps`, `2 hurt`, `1 is inconclusive`."""
    if verdict in ("helps", "hurts"):
        return f"{number} {verdict if number == 1 else verdict.removesuffix('s')}"
    return f"{number} {'is' if number == 1 else 'are'} {verdict}"


def draw(effects: Effects) -> Drawing:
    """A forest plot; on a narrow screen the names stand above their rows."""
    most = max(_name_lines(row).count("<br>") + 1 for row in effects.rows)
    row_height = _ROW + _LINE * max(0, most - 2)
    figure = canvas(row_height * len(effects.rows) + _MARGINS)
    for verdict in ORDER:
        if any(row.verdict == verdict and row.effect is not None for row in effects.rows):
            figure.add_trace(_points(effects, verdict))
    labels = [row.label for row in effects.rows]
    names = row_axis(labels) | {"ticktext": [_name_lines(row) for row in effects.rows]}
    low, high = (end * effects.unit.factor for end in effects.span)
    title, short_title = _titles(effects.unit)
    figure.update_layout(
        yaxis=names,
        xaxis={
            "range": [low, high],
            "title": {"text": title},
            "zeroline": True,
            "zerolinecolor": INK,
            "zerolinewidth": 1.5,
        },
    )
    margin_band(figure, effects.margin * effects.unit.factor)
    figure.update_layout(
        margin={"r": 24 + _LETTER * max(len(_reading(row, effects.unit)) for row in effects.rows)},
        annotations=[_numbers(effects, at) for at in range(len(labels))],
    )
    narrow: Patch = {"xaxis.title.text": short_title} if short_title != title else {}
    narrow |= {"yaxis.showticklabels": False, "margin.r": 12, "annotations": row_names(labels)}
    narrow |= {"height": 52 * len(labels) + _MARGINS + 12}
    return Drawing("effects-plot", effects.title, _caption(effects), figure, _table(effects), narrow)


def _caption(effects: Effects) -> str:
    verdicts = {row.verdict for row in effects.rows}
    caption = (
        "Point: estimate. Line: simultaneous 95 % interval. Shaded: the margin inside which an effect counts as "
        f"equivalent, ±{effects.unit.difference(effects.margin).lstrip('+')}. An effect is told from zero exactly when "
        "its line clears zero."
    )
    if "equivalent" in verdicts:
        caption += " Equivalence is judged by the 90 % interval, which is shorter than the line."
    if "withheld" in verdicts:
        caption += " Withheld: an average over things that differ; the simple effects stand in its place."
    if verdicts & {"above the sum", "below the sum"}:
        caption += " Above or below the sum: what changes do together, against the sum of what each does alone."
    if effects.cuts:
        caption += " Lines that leave the frame go on to the ends that the numbers give."
    return caption


def _titles(unit: Unit) -> tuple[str, str]:
    """What stands under the axis on a wide screen and on a narrow one."""
    title = f"← lower {unit.metric} · change ({unit.change}) · higher {unit.metric} →"
    return title, title if len(title) <= _LONGEST_TITLE else f"change of {unit.metric} ({unit.change})"


def _name_lines(row: Effect) -> str:
    reference = f"<br>{label('instead of ' + row.reference, 34, 2)}" if row.reference else ""
    return label(row.name, 34, 2) + reference


def _points(effects: Effects, verdict: Verdict) -> go.Scatter:
    factor, mark = effects.unit.factor, MARKS[verdict]
    rows = [(at, row, row.effect) for at, row in enumerate(effects.rows) if row.verdict == verdict]
    drawn = [(at, row, effect) for at, row, effect in rows if effect is not None]
    return go.Scatter(
        x=[effect * factor for _, _, effect in drawn],
        y=[at for at, _, _ in drawn],
        error_x={
            "type": "data",
            "symmetric": False,
            "color": mark.colour,
            "thickness": 2.5,
            "width": 0,
            "array": [0 if row.high is None else (row.high - effect) * factor for _, row, effect in drawn],
            "arrayminus": [0 if row.low is None else (effect - row.low) * factor for _, row, effect in drawn],
        },
        mode="markers",
        name=verdict,
        showlegend=True,
        marker={"color": mark.colour, "symbol": mark.symbol, "size": 12, "line": {"color": mark.colour, "width": 2}},
        customdata=[[plain(row.label), _reading(row, effects.unit), row.seed_blocks] for _, row, _ in drawn],
        hovertemplate="%{customdata[0]}<br><b>%{customdata[1]}</b><br>%{customdata[2]} seed blocks<extra></extra>",
    )


def _reading(row: Effect, unit: Unit) -> str:
    """The estimate and its interval: `−2.31 [−3.00, −1.62]`."""
    if row.verdict == "withheld":
        return "withheld"
    if row.effect is None:
        return "no seed block has both"
    interval = unit.interval(row.low, row.high)
    return unit.difference(row.effect) if interval == MISSING else f"{unit.difference(row.effect)} {interval}"


def _numbers(effects: Effects, at: int) -> dict[str, Any]:
    return {
        "text": _reading(effects.rows[at], effects.unit),
        "x": 1,
        "xref": "paper",
        "xanchor": "left",
        "xshift": 12,
        "y": at,
        "yref": "y",
        "showarrow": False,
        "font": {"size": SMALL, "color": MUTED},
    }


def margin_band(figure: go.Figure, margin: float, panel: int = 0) -> None:
    """Shade what counts as equivalent, in the terms of the panel's own axis."""
    band = {"x0": -margin, "x1": margin, "fillcolor": BAND, "line": {"width": 0}}
    place = {"xref": ref("x", panel), "yref": f"{ref('y', panel)} domain", "y0": 0, "y1": 1}
    figure.add_shape({"type": "rect", "layer": "below", **place, **band})


def _table(effects: Effects) -> Table:
    unit = effects.unit
    return Table(
        caption=f"Effects on {unit.metric}: level minus reference, with simultaneous 95 % intervals",
        columns=(
            *("contrast", "verdict", "effect", "interval", "seed blocks", "adjusted p", "Holm's p", "sign-flip p"),
        ),
        rows=tuple(
            (
                row.label,
                row.verdict,
                unit.difference(row.effect),
                unit.interval(row.low, row.high),
                str(row.seed_blocks),
                probability(row.p_adjusted),
                probability(row.p_holm),
                probability(row.p_sign_flip),
            )
            for row in effects.rows
        ),
        numbers=range(2, 8),
    )
