"""What a drawn figure is, and the empty canvas that all figures share."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import plotly.graph_objects as go

from ablation.report.palette import GRID, INK, MUTED, PAPER, RULE
from ablation.visible import visible

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
SMALL = 12
MOST_ARMS = 24
"""More lines than these make a figure unreadable; it says how many it leaves out."""

_BREAK = "\u200b "
"""Where a name without spaces (`crop=without`) may be broken; taken out again."""

Patch = dict[str, object]
"""Dotted keys of a Plotly layout to the values they take on a narrow screen."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of texts; the first column heads its row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: range = range(0)
    """The columns that stand right."""
    anchors: tuple[str, ...] = ()
    """An id for each row, for links to it; empty where none leads there."""
    marked: tuple[int, ...] = ()
    """Rows that stand out."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure with what surrounds it: a title that states the message, how to read it, its data as a table."""

    id: str
    title: str
    caption: str
    figure: go.Figure
    table: Table
    narrow: Mapping[str, object] = field(default_factory=dict)


def first_shown(names: Sequence[str], wanted: Sequence[str]) -> frozenset[str]:
    """The arms that a figure shows before the reader chooses: those wanted that it has, else its first."""
    return frozenset(name for name in wanted if name in names) or frozenset(names[:1])


def label(text: str, width: int = 28, lines: int = 3) -> str:
    """User text for a figure, wrapped and cut; Plotly's pseudo-HTML in it (`<b>`, `<a href>`) stays plain text."""
    too_long = any(len(word) > width for word in text.split())
    breakable = re.sub(r"(?<=[=_/:])(?=\S)", _BREAK, text) if too_long else text
    wrapped = textwrap.wrap(breakable, width, max_lines=lines, placeholder=" …") or ["(empty)"]
    return "<br>".join(plain(line.replace(_BREAK, "").removesuffix(_BREAK.strip())) for line in wrapped)


def plain(text: str) -> str:
    """Text that Plotly shows as it is: neither its pseudo-HTML nor TeX nor what nobody sees."""
    return visible(text).translate({ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord("$"): "&#36;"})


def rounded(text: str) -> str:
    """Long decimals in a name that a search gave (`rate=0.00023631976998487328`) at three digits, for a legend."""
    return re.sub(r"\d+\.\d{5,}(e-?\d+)?", lambda found: f"{float(found[0]):.3g}", text)


def group(arm: str) -> str:
    """The legend group of an arm. Plotly makes it the key of a plain object, which has a `constructor` of its own."""
    return f"arm {plain(arm)}"


def canvas(height: int) -> go.Figure:
    """An empty figure: no title (the page gives it), no zoom (a phone scrolls past), thin grid, legend above."""
    axis = {
        "gridcolor": GRID,
        "linecolor": RULE,
        "zeroline": False,
        "automargin": True,
        "fixedrange": True,
        "ticks": "",
        "tickfont": {"color": MUTED, "size": SMALL},
        "title": {"font": {"color": MUTED, "size": SMALL}, "standoff": 12},
    }
    layout = {
        "font": {"family": FONT, "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 12, "r": 12, "t": 12, "b": 44, "pad": 4},
        "hoverlabel": {"bgcolor": PAPER, "bordercolor": RULE, "font": {"color": INK, "size": 13}, "namelength": -1},
        "legend": {
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1.02,
            "yanchor": "bottom",
            "font": {"size": SMALL, "color": INK},
            "itemdoubleclick": False,
        },
        "xaxis": axis,
        "yaxis": axis,
        "dragmode": False,
        "hovermode": "closest",
    }
    return go.Figure(layout={"template": {"layout": layout}, "height": height})


def row_axis(labels: Sequence[str]) -> dict[str, object]:
    """A y axis with one row a label, the first on top."""
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": [label(text) for text in labels],
        "range": [len(labels) - 0.5, -0.5],
        "showgrid": False,
        "tickfont": {"color": INK, "size": 13},
    }


def row_names(labels: Sequence[str]) -> list[dict[str, object]]:
    """The same labels as annotations above their rows, for screens too narrow for a column of names."""
    return [
        {
            "text": label(text, 46, 1),
            "x": 0,
            "xref": "paper",
            "xanchor": "left",
            "y": row,
            "yref": "y",
            "yshift": 18,
            "showarrow": False,
            "bgcolor": PAPER,
            "borderpad": 1,
            "align": "left",
            "font": {"size": SMALL, "color": INK},
        }
        for row, text in enumerate(labels)
    ]
