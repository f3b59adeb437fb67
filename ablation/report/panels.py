"""Small multiples: several panels of one figure, in columns on a wide screen and below each other on a narrow one."""

from __future__ import annotations

from dataclasses import dataclass

from ablation.report.drawing import Patch
from ablation.report.palette import INK

_MARGINS = 96


@dataclass(frozen=True, slots=True)
class Grid:
    """`count` panels in `columns`; `row` and `gap` are the pixels of a panel's height and of the space below it."""

    count: int
    columns: int
    row: int
    gap: int = 76
    space: float = 0.1
    """Between two columns, as a fraction of the figure's width."""

    @property
    def height(self) -> int:
        """Pixels of the whole figure, margins included."""
        return self._inner + _MARGINS

    @property
    def _rows(self) -> int:
        return -(-self.count // self.columns)

    @property
    def _inner(self) -> int:
        return self._rows * self.row + (self._rows - 1) * self.gap

    def layout(self) -> Patch:
        """The domain of every axis (as dotted keys) and the height of the figure."""
        space = self.space if self.columns > 1 else 0.0
        width = (1 - space * (self.columns - 1)) / self.columns
        patch: Patch = {"height": self.height}
        for index in range(self.count):
            row, column = divmod(index, self.columns)
            left = column * (width + space)
            top = 1 - row * (self.row + self.gap) / self._inner
            bottom = max(0.0, top - self.row / self._inner)
            patch[f"{axis('x', index)}.domain"] = [round(left, 4), round(min(1.0, left + width), 4)]
            patch[f"{axis('y', index)}.domain"] = [round(bottom, 4), round(top, 4)]
        return patch


def axis(letter: str, index: int) -> str:
    """The layout key of a panel's axis: `xaxis`, `xaxis2`."""
    return f"{letter}axis{_suffix(index)}"


def ref(letter: str, index: int) -> str:
    """What a trace calls the same axis: `x`, `x2`."""
    return f"{letter}{_suffix(index)}"


def heading(text: str, index: int) -> dict[str, object]:
    """The title of a panel, above it on the left, wherever the panel stands."""
    return {
        "text": text,
        "showarrow": False,
        "align": "left",
        "font": {"size": 13, "color": INK},
        "x": 0,
        "xref": f"{ref('x', index)} domain",
        "xanchor": "left",
        "y": 1,
        "yref": f"{ref('y', index)} domain",
        "yanchor": "bottom",
        "yshift": 6,
    }


def _suffix(index: int) -> str:
    return "" if index == 0 else str(index + 1)
