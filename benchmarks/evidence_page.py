"""The page of the evidence: tables as Markdown. Knows nothing of statistics."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 125

Row = list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the page; each of `cases` gives a row."""

    title: str
    about: str
    columns: tuple[str, ...]
    cases: tuple[Any, ...]
    row: Callable[[Any, int], Row]
    """Of a case and a number of studies. A function of a module: it is called in another process."""
    part: int = 1
    """The row counts the number of studies that was asked for, divided by this."""


def share(rate: float, studies: int) -> str:
    """`4.9 ± 0.4`: percent, and two Monte-Carlo standard errors. Of a rate at the very end they are not known."""
    if rate in (0, 1):
        return f"{100 * rate:.1f}"
    return f"{100 * rate:.1f} ± {200 * math.sqrt(rate * (1 - rate) / studies):.1f}"


def page_of(head: Iterable[str], tables: Iterable[Table], rows: Iterable[Sequence[Row]], studies: int) -> str:
    """The page, from its first paragraphs, its tables and their rows."""
    sections = (_section(table, made, studies) for table, made in zip(tables, rows, strict=True))
    return "\n".join(["# The evidence", *(_wrapped(text) + "\n" for text in head), *sections])


def _section(table: Table, rows: Iterable[Row], studies: int) -> str:
    number = f" {studies // table.part:,} studies a row." if table.part > 1 else ""
    lines = [_line(table.columns), "|" + "--:|" * len(table.columns), *map(_line, rows)]
    return "\n".join([f"## {table.title}", _wrapped(table.about + number), "", *lines]) + "\n"


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
