"""Text from outside, made safe to show: a character that nobody sees, or that moves others, stands as its code."""

from __future__ import annotations

import html
import re
import unicodedata

_UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Control and format characters (escape sequences, text direction, zero width), lone surrogates, line separators."""

_JOINERS = {"\u200c", "\u200d"}
"""Unseen too, but scripts and emoji need them to be written at all."""

_MARKS = {"Mn", "Me"}
_MOST_MARKS = 4
"""Marks on one letter that a language may need; a flood of them covers the lines around it."""

FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n", "'")
"""What makes a spreadsheet read a cell as a formula, and the apostrophe that says it is text."""

_MARKUP = re.compile(r"([\\`*_{}\[\]#|~$])|^(\d*)([-+.)])")
"""What is markup anywhere in Markdown, and what begins a list at the start of a line."""


def unseen(text: str) -> str:
    """The first character that would not be seen, empty where all are."""
    return next((char for char in text if _is_unseen(char)), "")


def visible(text: str, keep: str = "") -> str:
    r"""The text with every unseen character as its code (`\x1b`, `\u202e`), but for those in `keep`.

    Of the marks on one letter only the first four stay marks.
    """
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in _MARKS else 0
        as_code = marks > _MOST_MARKS or (char not in keep and _is_unseen(char))
        shown.append(char.encode("unicode_escape").decode() if as_code else char)
    return "".join(shown)


def in_markdown(text: str) -> str:
    """The text as Markdown shows it letter by letter, on one line: neither HTML nor markup nor another table cell."""
    return _MARKUP.sub(r"\2\\\1\3", html.escape(visible(" ".join(text.split())), quote=False))


def in_cell(text: str) -> str:
    """The text as a spreadsheet shows it letter by letter: what would begin a formula stands behind an apostrophe."""
    return f"'{text}" if text.startswith(FORMULA) else text


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in _UNSEEN and char not in _JOINERS
