"""Colours, once for light and once for dark, safe for colour-blind readers. Colour never carries a meaning alone.

Figures are drawn in the light colours; the page's script exchanges them in dark mode, so each light colour is unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ablation.findings import Verdict

PAPER = "#fbfaf7"
INK = "#1c222b"
MUTED = "#59626f"
RULE = "#d6d5cf"
GRID = "#e7e6e1"
BAND = "#ecead9"
SHADE = "#f2f1ec"
GREY = "#6f7782"
BLUE = "#1d64ad"
ORANGE = "#b04a08"
TEAL = "#0a7a67"
PURPLE = "#84409c"
OCHRE = "#87660a"
ROSE = "#b83263"
MIDDLE = "#f4f3ef"

DARK = {
    PAPER: "#14171b",
    INK: "#e9e7e1",
    MUTED: "#a4acb7",
    RULE: "#3a4048",
    GRID: "#2a2f36",
    BAND: "#2c2c22",
    SHADE: "#1c2025",
    GREY: "#98a0ab",
    BLUE: "#72b2f4",
    ORANGE: "#f29b58",
    TEAL: "#4cc4ab",
    PURPLE: "#cc95e0",
    OCHRE: "#d8b54c",
    ROSE: "#f28bb0",
    MIDDLE: "#1f2329",
}
"""For each light colour its partner on dark paper."""

NAMES = {
    "paper": PAPER,
    "ink": INK,
    "muted": MUTED,
    "rule": RULE,
    "band": BAND,
    "shade": SHADE,
    "grey": GREY,
    "blue": BLUE,
    "orange": ORANGE,
    "teal": TEAL,
    "ochre": OCHRE,
    "purple": PURPLE,
}
"""The custom properties of the style sheet."""

DIVERGING = ((0.0, ORANGE), (0.5, MIDDLE), (1.0, BLUE))
ERRORS = ((0.0, MIDDLE), (1.0, ORANGE))
RIGHT = ((0.0, MIDDLE), (1.0, TEAL))

_WASH = 0.14
_ARMS = (BLUE, ORANGE, TEAL, PURPLE, OCHRE, ROSE)
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "star")


@dataclass(frozen=True, slots=True)
class Style:
    """How one arm looks in every figure."""

    colour: str
    symbol: str
    emphasis: bool = False


@dataclass(frozen=True, slots=True)
class Mark:
    """How one verdict looks: a sign and a shape beside its colour."""

    colour: str
    sign: str
    symbol: str


MARKS: dict[Verdict, Mark] = {
    "helps": Mark(BLUE, "▲", "triangle-up"),
    "hurts": Mark(ORANGE, "▼", "triangle-down"),
    "above the sum": Mark(PURPLE, "△", "triangle-up-open"),
    "below the sum": Mark(PURPLE, "▽", "triangle-down-open"),
    "equivalent": Mark(TEAL, "≈", "diamond"),
    "inconclusive": Mark(GREY, "?", "circle-open"),
    "provisional": Mark(OCHRE, "…", "square-open"),
    "withheld": Mark(MUTED, "↓", "arrow-down"),
    "not tested": Mark(MUTED, "–", "x-thin-open"),
}


def arm_styles(names: Sequence[str], baseline: str) -> dict[str, Style]:
    """A style for each arm; the baseline is ink. Past six arms colours repeat with another symbol."""
    others = [name for name in names if name != baseline]
    styles = {baseline: Style(INK, "circle", emphasis=True)}
    for index, name in enumerate(others):
        symbol = _SYMBOLS[(index % len(_ARMS) + index // len(_ARMS)) % len(_SYMBOLS)]
        styles[name] = Style(_ARMS[index % len(_ARMS)], symbol)
    return styles


def wash(colour: str) -> str:
    """The colour thinned for bands."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{_WASH})"


def dark_colours() -> dict[str, str]:
    """What the page's script exchanges in dark mode: every colour and every wash."""
    return DARK | {wash(light): wash(dark) for light, dark in DARK.items()}
