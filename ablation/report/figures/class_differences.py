"""What B changes in the recall of each class, with an interval that is corrected over the classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.findings import ClassEffect
from ablation.report.drawing import Drawing, Patch, Table, canvas, plain, row_axis, row_names
from ablation.report.figures.matrices import told
from ablation.report.numbers import MISSING, UNITS, count, probability
from ablation.report.palette import BLUE, GREY, INK

_MOST = 20
_ROW, _MARGINS, _REACH = 34, 92, 3
_UNIT = UNITS["accuracy"]


@dataclass(frozen=True, slots=True)
class ClassDifferences:
    """One row a class, in the order of the data set."""

    title: str
    classes: tuple[ClassEffect, ...]
    left_out: int
    """Classes with smaller changes, past the twenty that are drawn."""

    @property
    def span(self) -> tuple[float, float]:
        """The axis from end to end: zero, every change, and as much of the intervals as is of use."""
        effects = [each.effect or 0.0 for each in self.classes]
        reach = _REACH * max(map(abs, effects)) or 1 / _UNIT.factor
        ends = [end for each in self.classes for end in (each.low, each.high) if end is not None]
        drawn = [0.0, *effects, *(max(-reach, min(reach, end)) for end in ends)]
        air = 0.06 * (max(drawn) - min(drawn)) or 1 / _UNIT.factor
        return min(drawn) - air, max(drawn) + air

    @property
    def are_tested(self) -> bool:
        """Whether any class has an interval."""
        return any(each.low is not None for each in self.classes)


def compute(classes: Sequence[ClassEffect]) -> ClassDifferences | None:
    """The classes that changed most, in their own order; None where none has an estimate."""
    known = [each for each in classes if each.effect is not None]
    if not known:
        return None
    largest = sorted(known, key=lambda each: -abs(each.effect or 0.0))[:_MOST]
    kept = tuple(each for each in known if each in largest)
    return ClassDifferences(_message(known), kept, len(known) - len(kept))


def _message(known: Sequence[ClassEffect]) -> str:
    largest = max(known, key=lambda each: abs(each.effect or 0.0))
    said = f"largest change: {told(largest.name)}, {_UNIT.difference(largest.effect)}"
    if not any(each.p_adjusted is not None for each in known):
        return f"The {said}"
    sure = sum(each.survives for each in known)
    of = "1 class" if len(known) == 1 else f"{len(known)} classes"
    return f"{sure or 'None'} of {of} {'is' if sure < 2 else 'are'} told from zero; {said}"


def draw(differences: ClassDifferences) -> Drawing:
    """A row of point and interval for each class; full where it is told from zero."""
    names = [each.name for each in differences.classes]
    figure = canvas(_ROW * len(names) + _MARGINS)
    for survives in (True, False):
        if rows := [(at, each) for at, each in enumerate(differences.classes) if each.survives == survives]:
            figure.add_trace(_points(rows, survives=survives))
    low, high = (end * _UNIT.factor for end in differences.span)
    figure.update_layout(
        yaxis=row_axis(names),
        xaxis={
            "range": [low, high],
            "title": {"text": f"← lower recall with B · change ({_UNIT.change}) · higher recall with B →"},
            "zeroline": True,
            "zerolinecolor": INK,
            "zerolinewidth": 1.5,
        },
        showlegend=differences.are_tested,
    )
    narrow: Patch = {"yaxis.showticklabels": False, "annotations": row_names(names)}
    narrow |= {"height": 48 * len(names) + _MARGINS + 12}
    return Drawing(
        "classes-plot", differences.title, _caption(differences), figure, _table(differences.classes), narrow
    )


def _points(rows: Sequence[tuple[int, ClassEffect]], *, survives: bool) -> go.Scatter:
    colour = BLUE if survives else GREY
    effects = [(each.effect or 0.0) * _UNIT.factor for _, each in rows]
    ends = [
        (0.0, 0.0) if each.low is None or each.high is None else (each.low * _UNIT.factor, each.high * _UNIT.factor)
        for _, each in rows
    ]
    known = [each.low is not None for _, each in rows]
    above = [end[1] - effect if has else 0 for end, effect, has in zip(ends, effects, known, strict=True)]
    below = [effect - end[0] if has else 0 for end, effect, has in zip(ends, effects, known, strict=True)]
    return go.Scatter(
        x=effects,
        y=[at for at, _ in rows],
        error_x={
            "type": "data", "symmetric": False, "array": above, "arrayminus": below,
            "color": colour, "thickness": 2, "width": 0,
        },
        mode="markers",
        name="told from zero" if survives else "not told from zero",
        marker={"color": colour, "symbol": "diamond" if survives else "circle-open", "size": 11, "line": {"width": 2}},
        customdata=[
            [plain(each.name), _UNIT.difference(each.effect), _UNIT.interval(each.low, each.high)] for _, each in rows
        ],
        hovertemplate="%{customdata[0]}<br><b>%{customdata[1]}</b> %{customdata[2]}<extra></extra>",
    )  # fmt: skip


def _caption(differences: ClassDifferences) -> str:
    said = "Change of the share of each class's images that is right, B minus A; complete trials only."
    if differences.are_tested:
        said += (
            " Line: 95 % interval with Bonferroni's correction over the classes; a class is told from zero where it "
            "clears zero."
        )
    else:
        said += " Estimates alone: nothing is told from zero here."
    if differences.left_out:
        said += f" Not drawn, for their smaller changes: {differences.left_out} of the classes."
    return said


def _table(classes: Sequence[ClassEffect]) -> Table:
    rows = tuple(
        (
            each.name,
            _UNIT.difference(each.effect),
            _UNIT.interval(each.low, each.high),
            probability(each.p_adjusted),
            "yes" if each.survives else "no" if each.p_adjusted is not None else MISSING,
            count(each.seed_blocks, "seed block"),
        )
        for each in classes
    )
    columns = ("class", "change", "95 % interval", "adjusted p", "told from zero", "read over")
    return Table("Change of recall of each class, B minus A", columns, rows, numbers=range(1, 4))
