"""Per-class changes: what each contrast does to the recall of each class, and which of these survive a correction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from ablation.findings import Analysis, ClassEffect, Finding
from ablation.report.drawing import Drawing, Patch, Table, canvas, label, plain
from ablation.report.figures.effects import ordered
from ablation.report.figures.matrices import told
from ablation.report.numbers import MISSING, UNITS, count, probability, signed
from ablation.report.palette import DIVERGING, INK

_MOST_CLASSES, _MOST_CONTRASTS = 20, 12
_ROW, _MARGINS = 34, 92
_MARK = "*"


@dataclass(frozen=True, slots=True)
class PerClass:
    """One row a class, one column a contrast."""

    title: str
    contrasts: tuple[str, ...]
    classes: tuple[str, ...]
    cells: tuple[tuple[ClassEffect, ...], ...]
    tested: int
    """Cells with an interval, those that are not drawn included; 0 with one seed block or before the plan ends."""
    left_out: tuple[str, ...]
    """In words: classes and contrasts that are not drawn."""

    @property
    def changes(self) -> tuple[tuple[float | None, ...], ...]:
        """The effects of the cells, as fractions."""
        return tuple(tuple(cell.effect for cell in row) for row in self.cells)


def compute(analysis: Analysis) -> PerClass | None:
    """The class effects of the findings; None where no contrast has one."""
    found = [one for one in ordered(analysis) if any(each.effect is not None for each in one.classes)]
    if not found:
        return None
    kept = found[:_MOST_CONTRASTS]
    sizes = [max(abs(one.classes[at].effect or 0.0) for one in kept) for at in range(len(kept[0].classes))]
    largest = np.sort(np.argsort(-np.array(sizes), kind="stable")[:_MOST_CLASSES]).tolist()
    hidden = {"class": len(sizes) - len(largest), "contrast": len(found) - len(kept)}
    return PerClass(
        title=_message(found),
        contrasts=tuple(map(_name, kept)),
        classes=tuple(kept[0].classes[at].name for at in largest),
        cells=tuple(tuple(one.classes[at] for one in kept) for at in largest),
        tested=sum(each.p_adjusted is not None for one in found for each in one.classes),
        left_out=tuple(_counted(number, noun) for noun, number in hidden.items() if number),
    )


def _name(finding: Finding) -> str:
    return finding.arm or (f"{finding.factor}: {finding.level}" if finding.level else finding.factor)


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 'es' if noun == 'class' else 's'}"


def _message(findings: Sequence[Finding]) -> str:
    cells = [(one, each, each.effect) for one in findings for each in one.classes if each.effect is not None]
    finding, largest, effect = max(cells, key=lambda cell: abs(cell[2]))
    said = f"largest change: {told(largest.name)}, {UNITS['accuracy'].difference(effect)} with {_name(finding)}"
    tested = sum(each.p_adjusted is not None for _, each, _ in cells)
    if not tested:
        return f"The {said}"
    sure = sum(each.survives for _, each, _ in cells)
    return (
        f"{sure or 'None'} of {count(tested, 'change')} per class {'is' if sure < 2 else 'are'} told from zero; {said}"
    )


def draw(per_class: PerClass) -> Drawing:
    """A heat map with its numbers written in the cells."""
    values = [[None if change is None else change * 100 for change in row] for row in per_class.changes]
    figure = canvas(_ROW * len(values) + _MARGINS)
    figure.add_trace(_heatmap(per_class, values))
    width = max(9, 56 // len(per_class.contrasts))
    ticks = {"tickvals": list(range(len(per_class.contrasts))), "side": "top", "showgrid": False, "tickangle": 0}
    figure.update_layout(
        xaxis=ticks | {"ticktext": [label(one, width) for one in per_class.contrasts], "tickfont": {"color": INK}},
        yaxis={
            "tickvals": list(range(len(values))),
            "ticktext": [label(one, 22, 1) for one in per_class.classes],
            "range": [len(values) - 0.5, -0.5],
            "showgrid": False,
            "tickfont": {"color": INK},
        },
        margin={"b": 12},
    )
    narrow: Patch = {
        "xaxis.ticktext": [label(one, 24, 2) for one in per_class.contrasts],
        "xaxis.tickangle": -90,
        "xaxis.tickfont.size": 11,
        "height": _ROW * len(values) + _MARGINS + 110,
    }
    return Drawing("classes-plot", per_class.title, _caption(per_class), figure, _table(per_class), narrow)


def _heatmap(per_class: PerClass, values: Sequence[Sequence[float | None]]) -> go.Heatmap:
    bound = max(abs(value) for row in values for value in row if value is not None) or 1.0
    return go.Heatmap(
        z=values,
        zmin=-bound,
        zmax=bound,
        colorscale=[list(stop) for stop in DIVERGING],
        showscale=False,
        xgap=2,
        ygap=2,
        hoverongaps=False,
        text=[[_text(cell) for cell in row] for row in per_class.cells],
        texttemplate="%{text}",
        customdata=[
            [[plain(contrast), plain(cell.name), _reading(cell)] for contrast, cell in _pairs(per_class, at)]
            for at in range(len(values))
        ],
        hovertemplate="%{customdata[1]}<br>%{customdata[0]}<br><b>%{customdata[2]}</b><extra></extra>",
    )


def _pairs(per_class: PerClass, row: int) -> list[tuple[str, ClassEffect]]:
    return list(zip(per_class.contrasts, per_class.cells[row], strict=True))


def _text(cell: ClassEffect) -> str:
    """The number in a cell, with a mark where it is told from zero."""
    return "" if cell.effect is None else signed(cell.effect * 100, 1) + (_MARK if cell.survives else "")


def _reading(cell: ClassEffect) -> str:
    unit = UNITS["accuracy"]
    interval = unit.interval(cell.low, cell.high)
    return unit.difference(cell.effect) if interval == MISSING else f"{unit.difference(cell.effect)} {interval}"


def _caption(per_class: PerClass) -> str:
    said = (
        "Change of the share of each class's images that is right, in pp, over the seed blocks; complete trials only. "
    )
    if per_class.tested:
        said += (
            f"{_MARK}: told from zero, its 95 % interval excludes it (paired t, Bonferroni's correction over the "
            "classes of one contrast, not over contrasts). No verdict on a contrast rests on this."
        )
    else:
        said += "Estimates alone: nothing is told from zero here."
    if per_class.left_out:
        said += f" Not drawn: {' and '.join(per_class.left_out)} with smaller changes or further down the findings."
    return said


def _table(per_class: PerClass) -> Table:
    return Table(
        "Change of recall per class, with 95 % intervals corrected over the classes of a contrast",
        ("class", "contrast", "change", "interval", "adjusted p", "told from zero", "seed blocks"),
        tuple(
            (
                cell.name,
                contrast,
                UNITS["accuracy"].difference(cell.effect),
                UNITS["accuracy"].interval(cell.low, cell.high),
                probability(cell.p_adjusted),
                "yes" if cell.survives else "no" if cell.p_adjusted is not None else MISSING,
                str(cell.seed_blocks),
            )
            for row in range(len(per_class.cells))
            for contrast, cell in _pairs(per_class, row)
        ),
        numbers=range(2, 7),
    )
