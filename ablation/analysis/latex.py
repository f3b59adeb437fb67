r"""The findings as a table for a paper: `\input{findings.tex}`, with the package booktabs."""

from __future__ import annotations

import re

from ablation.analysis.crossed import told
from ablation.analysis.estimates import Interval
from ablation.analysis.sentences import UNITS, bounds, difference
from ablation.findings import Analysis, Finding
from ablation.visible import visible

_SPECIAL = {
    **{sign: rf"\{sign}" for sign in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "×": r"$\times$",
    "±": r"$\pm$",
    "−": r"$-$",
    "–": "--",
    "≥": r"$\geq$",
    "≤": r"$\leq$",
}
_COLUMNS = "lrrrrl"


def latex(analysis: Analysis) -> str:
    """One row a finding: contrast, effect, simultaneous 95 % interval, adjusted p, seed blocks, verdict."""
    unit = UNITS[analysis.metric].name
    head = f"contrast & effect ({unit}) & 95\\,\\% interval & adjusted $p$ & blocks & verdict"
    rows = [_row(told(one)) for one in analysis.findings] or [rf"\multicolumn{{{len(_COLUMNS)}}}{{l}}{{no findings}}"]
    lines = [
        "% Needs \\usepackage{booktabs}.",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{Effects on {in_latex(analysis.metric)}, level minus reference. {in_latex(analysis.method)}}}",
        rf"\begin{{tabular}}{{{_COLUMNS}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
        *(rf"{row} \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def in_latex(text: str) -> str:
    """Text that TeX sets as it is."""
    return "".join(_SPECIAL.get(sign, sign) for sign in visible(text))


def _row(one: Finding) -> str:
    interval = Interval(one.low, one.high) if one.low is not None and one.high is not None else None
    cells = (
        in_latex(one.label),
        _signed(difference(one.effect, one.metric)) if one.effect is not None else "--",
        _signed(bounds(interval, one.metric)) if interval else "--",
        _p(one.p_adjusted),
        str(one.seed_blocks),
        one.verdict,
    )
    return " & ".join(cells)


def _signed(numbers: str) -> str:
    """Numbers with the signs of mathematics."""
    return re.sub(r"[+-](?=\d)", lambda found: f"${found[0]}$", numbers)


def _p(p: float | None) -> str:
    return "--" if p is None else "$<$ 0.001" if p < 0.001 else f"{p:.3f}"
