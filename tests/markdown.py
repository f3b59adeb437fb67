"""Markdown pages as the tests read them: fenced blocks with the comments before them, tables, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from source_tree import ROOT

PAGES = tuple(sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]))

_BLOCK = re.compile(
    r"(?P<comments>(?:<!--.*?-->\n)*)```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_COMMENT = re.compile(r"<!-- (?P<name>[\w ]+): (?P<value>.*?) -->")
_LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block. `file` is the file that it is written to, `not_run` the reason why it is not run."""

    language: str
    text: str
    file: str
    not_run: str


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    for found in _BLOCK.finditer(page.read_text("utf-8")):
        said = dict(_COMMENT.findall(found["comments"]))
        assert said.keys() <= {"file", "not run"}, f"{page}: {said}"
        if not languages or found["language"] in languages:
            yield Block(found["language"], found["text"], said.get("file", ""), said.get("not run", ""))


def links(page: Path) -> Iterator[str]:
    """Targets of links and pictures outside of fenced blocks."""
    text = _BLOCK.sub("", page.read_text("utf-8"))
    return (found["target"] for found in _LINK.finditer(text))


def anchors(page: Path) -> set[str]:
    """What a link can point to in a page: its headings, as GitHub names them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def section(page: Path, heading: str) -> str:
    """What stands between a heading (as written, with its #s) and the next one of at most its level."""
    level = len(heading) - len(heading.lstrip("#"))
    _, _, rest = page.read_text("utf-8").partition(f"\n{heading}\n")
    assert rest, f"{page.name} has no heading {heading!r}"
    return re.split(rf"^#{{1,{level}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def rows(text: str) -> list[list[str]]:
    """The cells of every table's rows, headers and rules left out."""
    cells = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    rules = {number for number, row in enumerate(cells) if set("".join(row)) <= set("-:")}
    return [row for number, row in enumerate(cells) if number not in rules and number + 1 not in rules]


def code(text: str) -> list[str]:
    """What stands between backticks."""
    return _CODE.findall(text)
