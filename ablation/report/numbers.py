"""Numbers as the page prints them: a true minus sign, a unit, no more digits than they carry."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from ablation.findings import Analysis, Metric
from ablation.study import Study

MISSING = "–"
NOT_COMPARABLE = "not comparable"
"""In the place of a cost that depends on more than what is compared."""


@dataclass(frozen=True, slots=True)
class Unit:
    """How a metric is shown: values in `level`, differences in `change`, both multiplied by `factor`."""

    metric: Metric
    factor: float
    level: str
    change: str
    digits: int
    higher_is_better: bool

    def value(self, value: float | None) -> str:
        """A value with its unit: `94.21 %`."""
        return MISSING if value is None else f"{fixed(value * self.factor, self.digits)}\u202f{self.level}"

    def difference(self, value: float | None) -> str:
        """A difference with sign and unit: `−0.31 pp`."""
        return MISSING if value is None else f"{signed(value * self.factor, self.digits)}\u202f{self.change}"

    def interval(self, low: float | None, high: float | None) -> str:
        """Both ends of an interval of differences, without the unit."""
        if low is None or high is None:
            return MISSING
        return f"[{signed(low * self.factor, self.digits)}, {signed(high * self.factor, self.digits)}]"


UNITS: dict[Metric, Unit] = {
    "accuracy": Unit("accuracy", 100, "%", "pp", 2, higher_is_better=True),
    "loss": Unit("loss", 1, "nats", "nats", 3, higher_is_better=False),
}


def unit_of(analysis: Analysis) -> Unit:
    """How the metric of an analysis is shown."""
    return unit_named(analysis.metric, higher_is_better=bool(analysis.higher_is_better))


def unit_named(metric: Metric, *, higher_is_better: bool = True) -> Unit:
    """How a metric is shown; one that is neither accuracy nor loss as it is, and what is good of it must be told."""
    return UNITS.get(metric, Unit(metric, 1, "units", "units", 4, higher_is_better=higher_is_better))


def unit_in(study: Study) -> Unit:
    """How the metric of a study is shown."""
    return unit_named(study.metric, higher_is_better=study.higher_is_better)


def fixed(value: float, digits: int) -> str:
    """A number with a true minus sign, and never a negative zero."""
    return f"{value:z.{digits}f}".replace("-", "−")


def signed(value: float, digits: int) -> str:
    """The same with its sign always shown."""
    return f"{value:+z.{digits}f}".replace("-", "−")


def short(value: float) -> str:
    """Three significant digits: `0.00123`, `278k`, `11.2M`."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{suffix}".replace("-", "−")
    return f"{value:.3g}".replace("-", "−")


def probability(p: float | None) -> str:
    """Three digits, and below a thousandth only that."""
    if p is None:
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def duration(seconds: float | None) -> str:
    """Seconds as a person reads them: `8.4 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds is None:
        return MISSING
    if seconds < 100:
        return f"{seconds:.1f}\u202fs"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}\u202fmin {rest:02d}\u202fs"
    return f"{minutes // 60}\u202fh {minutes % 60:02d}\u202fmin"


def count(number: int, noun: str) -> str:
    """`1 trial`, `25 trials`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def spread(values: Iterable[float]) -> tuple[float, float | None]:
    """Mean and standard deviation (n - 1); None where one value has no spread."""
    known = list(values)
    return statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else None
