"""Differences of a metric as a person writes them: `0.3pp` of accuracy, `0.02nats` of loss."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ablation.analysis.sentences import UNITS
from ablation.findings import Metric

LARGEST: Mapping[Metric, float] = {"accuracy": 1.0, "loss": 1e6}
"""Beyond these a difference is a slip of the pen, in the metric's own unit."""

_AMOUNT = re.compile(r"\s*(?P<number>\d+(?:\.\d+)?|\.\d+)\s*(?P<unit>[a-z]*)\s*", re.IGNORECASE | re.ASCII)


def parse_amount(text: str, *others: Metric) -> tuple[Metric, float] | None:
    """The metric whose unit is named, and the difference in its own unit; None where it is no such thing.

    `others` may be meant too, beside accuracy and loss; their unit is called `units`.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    for metric in (*UNITS, *others):
        if UNITS[metric].name == found["unit"].lower():
            return metric, float(found["number"]) / UNITS[metric].factor
    return None


def amount_text(value: float, metric: Metric) -> str:
    """`0.30 pp` or `0.020 nats`, without a sign."""
    unit = UNITS[metric]
    return f"{value * unit.factor:.{unit.digits}f} {unit.name}"
