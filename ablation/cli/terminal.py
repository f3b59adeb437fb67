"""Words for a person: messages on stderr, findings on stdout. A study's progress is `ablation.cli.display.progress`.

Loads no more than a message needs: every command pays for it. Every text goes through `plain`:
nothing in a name is markup, and no escape sequence is printed but those of rich.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.console import Console
from rich.text import Text

from ablation.visible import visible

if TYPE_CHECKING:
    from ablation.findings import Analysis

messages = Console(stderr=True, highlight=False, soft_wrap=True)
output = Console(highlight=False, soft_wrap=True)

_STYLES = {
    "helps": "green",
    "hurts": "red",
    "above the sum": "magenta",
    "below the sum": "magenta",
    "equivalent": "blue",
    "inconclusive": "yellow",
}


def plain(text: object, style: str = "") -> Text:
    """One line of a terminal, letter by letter: no markup, no emoji codes, no control characters."""
    return Text(visible(str(text)), style)


def take_any_text() -> None:
    """Let the streams show a character that their encoding lacks as its code, instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(text: str) -> None:
    """One message on stderr."""
    messages.print(plain_lines(text))


def tell(text: str) -> None:
    """One message on stdout."""
    output.print(plain_lines(text))


def plain_lines(text: str) -> Text:
    """The same for a text of several lines, which stay apart."""
    return Text(visible(text, keep="\n"))


def print_json(value: object) -> None:
    """Data on stdout, in ASCII: it can be shown on any terminal, and written in any encoding."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True, allow_nan=False) + "\n")


def print_table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """A table on stdout; cells are text, never markup."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column)
    for row in rows:
        table.add_row(*(plain("–" if cell is None else cell) for cell in row))
    output.print(table)


def print_findings(analysis: Analysis) -> None:
    """The findings in words on stdout, with what a reader must know about them."""
    for finding in analysis.findings:
        style = _STYLES.get(finding.verdict, "dim")
        output.print(Text.assemble((f"{finding.verdict:>13}", style), "  ", plain(finding.sentence)))
    for note in analysis.notes:
        output.print(plain(f"         note  {note}", "dim"))
