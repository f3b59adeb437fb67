"""A confusion matrix as one small page that needs nothing from anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_STYLE = (
    "body{font:14px system-ui,sans-serif;margin:16px;color:#111;background:#fff}table{border-collapse:collapse}"
    "th,td{padding:4px 8px;text-align:right;border:1px solid #ddd}th{font-weight:600;background:#f6f6f6}"
    "caption{text-align:left;margin-bottom:8px}"
)


def confusion_page(title: str, classes: Sequence[str], counts: Sequence[Sequence[int]]) -> str:
    """The page: rows are true classes, columns predicted ones; a cell is as dark as its share of the row."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in classes)
    body = "".join(_row(name, number, row) for number, (name, row) in enumerate(zip(classes, counts, strict=True)))
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
        f"<table><caption><b>{escape(title)}</b><br>Images by true class (rows) and predicted class (columns)."
        f'</caption><thead><tr><th>true \\ predicted</th>{head}<th scope="col">right</th></tr></thead>'
        f"<tbody>{body}</tbody></table></html>"
    )


def _row(name: str, number: int, counts: Sequence[int]) -> str:
    images = sum(counts) or 1
    cells = "".join(f'<td style="background:rgba(31,119,180,{0.8 * n / images:.2f})">{n}</td>' for n in counts)
    return f'<tr><th scope="row">{escape(name)}</th>{cells}<td>{counts[number] / images:.1%}</td></tr>'
