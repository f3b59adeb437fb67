"""Class balance: the share that each class has of the training and of the test images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from ablation.report.about_data import DataFacts, counts_table
from ablation.report.drawing import Drawing, Table, canvas, label, plain
from ablation.report.figures.matrices import told
from ablation.report.numbers import fixed
from ablation.report.palette import BLUE, INK, OCHRE

MOST_CLASSES = 40
"""More rows than these make a figure unreadable; it says how many it leaves out."""
_ROW, _MARGINS = 30, 110


@dataclass(frozen=True, slots=True)
class Share:
    """One class in one split."""

    name: str
    images: int
    share: float
    """Of the images of the split."""


@dataclass(frozen=True, slots=True)
class Balance:
    """The classes in the order of the data set."""

    title: str
    train: tuple[Share, ...]
    test: tuple[Share, ...]
    table: Table


def compute(data: DataFacts) -> Balance:
    """The share of every class."""
    return Balance(
        _message(data), _shares(data.classes, data.train), _shares(data.classes, data.test), counts_table(data)
    )


def _shares(classes: Sequence[str], counts: Sequence[int]) -> tuple[Share, ...]:
    total = max(1, sum(counts))
    return tuple(Share(name, number, number / total) for name, number in zip(classes, counts, strict=True))


def _message(data: DataFacts) -> str:
    if len({*data.train}) == len({*data.test}) == 1:
        return f"Every class has {data.train[0]:,} training and {data.test[0]:,} test images"
    shares = sorted(_shares(data.classes, data.train), key=lambda one: one.images)
    least, most = shares[0], shares[-1]
    if least.images == most.images:
        return f"Every class has {least.images:,} training images; test images are not as even"
    return (
        f"The largest class, {told(most.name)}, has {most.images:,} training images; the smallest, "
        f"{told(least.name)}, {least.images:,}"
    )


def draw(balance: Balance) -> Drawing:
    """Two bars a class."""
    names = [one.name for one in balance.train[:MOST_CLASSES]]
    figure = canvas(_ROW * len(names) + _MARGINS)
    figure.add_trace(_bars("training", balance.train[:MOST_CLASSES], BLUE))
    figure.add_trace(_bars("test", balance.test[:MOST_CLASSES], OCHRE))
    figure.update_layout(
        barmode="group",
        bargap=0.3,
        xaxis={"title": {"text": "share of the images of the split (%)"}, "rangemode": "tozero"},
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": [label(name, 22, 1) for name in names],
            "range": [len(names) - 0.5, -0.5],
            "showgrid": False,
            "tickfont": {"color": INK, "size": 13},
        },
    )
    left = len(balance.train) - len(names)
    caption = "Bars of one split add up to 100 %. A classifier that always names the largest class is right that often."
    caption += f" {left:,} more classes stand in the table." if left else ""
    return Drawing("classes-plot", balance.title, caption, figure, balance.table)


def _bars(split: str, shares: Sequence[Share], colour: str) -> go.Bar:
    return go.Bar(
        x=[one.share * 100 for one in shares],
        y=list(range(len(shares))),
        orientation="h",
        name=split,
        marker={"color": colour},
        customdata=[[plain(one.name), f"{one.images:,}", fixed(one.share * 100, 2)] for one in shares],
        hovertemplate=f"%{{customdata[0]}}, {split}<br><b>%{{customdata[2]}}\u202f%</b>, %{{customdata[1]}} images"
        "<extra></extra>",
    )
