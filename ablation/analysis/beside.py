"""What stands beside a finding: the effects on other metrics, and what the level costs. No verdict rests on it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from ablation.analysis.comparable import alike, apart
from ablation.analysis.contrasts import Contrast
from ablation.analysis.estimates import LEVEL, Estimate
from ablation.analysis.routes import Route
from ablation.findings import Metric, OtherEffect, Parameters, Ratio

if TYPE_CHECKING:
    from ablation.analysis.results import ResultsTable

Floats = NDArray[np.float64]

ALWAYS: tuple[Metric, ...] = ("accuracy", "loss")
"""What every study measures."""


@dataclass(frozen=True, slots=True)
class Beside:
    """Each is None where the trials do not say it."""

    other: OtherEffect | None = None
    others: tuple[OtherEffect, ...] = ()
    seconds: Ratio | None = None
    time_note: str = ""
    """Why training times are not comparable, in as few words as say it."""
    parameters: Parameters | None = None


def on_other_metrics(table: ResultsTable) -> dict[Metric, ResultsTable]:
    """The same trials, asked for each metric but their own: loss or accuracy first, or none in anybody's table."""
    known = table.measured or table.metric in ALWAYS
    others = [metric for metric in (*ALWAYS, *table.measured) if metric != table.metric] if known else []
    return {metric: replace(table, metric=metric) for metric in others}


def beside(table: ResultsTable, routes: Mapping[Metric, Route], contrasts: Sequence[Contrast]) -> list[Beside]:
    """For each contrast; `routes` are those of the table on the other metrics."""
    parameters, told = table.parameters(), not table.provisional
    times = Times(table.seconds(), table.circumstances(), table.ran_under)
    effects = [
        [_other_effect(estimate, metric, route.correction, told=told) for estimate in route.estimate(contrasts)]
        for metric, route in routes.items()
        if contrasts
    ]
    return [
        Beside(
            next((each[at] for each in effects), None),
            tuple(effect for each in effects[1:] if (effect := each[at]) is not None),
            *times.ratio(contrast),
            _parameters(contrast, parameters),
        )
        for at, contrast in enumerate(contrasts)
    ]


def _other_effect(estimate: Estimate, metric: Metric, correction: str, *, told: bool) -> OtherEffect | None:
    if estimate.effect is None:
        return None
    interval = estimate.interval
    return OtherEffect(
        metric=metric,
        effect=estimate.effect,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        p_adjusted=estimate.p if told else None,
        seed_blocks=estimate.blocks,
        method=correction if interval else "",
    )


def _parameters(contrast: Contrast, parameters: Floats) -> Parameters | None:
    """Counts of the arms on both sides; an interaction has no such two sides."""
    weights = np.array(contrast.weights)
    level, reference = parameters[weights > 0], parameters[weights < 0]
    if contrast.kind == "interaction" or not np.isfinite([*level, *reference]).all():
        return None
    return Parameters(level=float(level.mean()), reference=float(reference.mean()))


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Seconds of trials as arms x seed blocks, and under which of the circumstances each was measured."""

    seconds: Floats
    circumstances: Floats
    ran_under: Sequence[str]

    def ratio(self, contrast: Contrast) -> tuple[Ratio | None, str]:
        """Seconds at the level over those at the reference, or why they are not comparable; or neither.

        Taken within the seed blocks in which all arms that are read ran alike. An interaction has no such two sides.
        """
        weights = np.array(contrast.weights)
        if contrast.kind == "interaction" or not self.seconds.size:
            return None, ""
        logs = np.log(self.seconds[weights > 0]).mean(axis=0) - np.log(self.seconds[weights < 0]).mean(axis=0)
        ran = self.circumstances[weights != 0]
        under = [{self.ran_under[int(one)] for one in column if np.isfinite(one)} for column in ran.T]
        ratio = ratio_of(np.where([alike(found) for found in under], logs, np.nan))
        if ratio is None and ratio_of(logs) is not None:
            unlike = {one for found, log in zip(under, logs, strict=True) if np.isfinite(log) for one in found}
            return None, apart(unlike)
        return ratio, ""


def ratio_of(logs: Floats) -> Ratio | None:
    """A ratio with its t interval from its logarithm in each seed block; None with fewer than two blocks."""
    known = logs[np.isfinite(logs)]
    if len(known) < 2:
        return None
    mean = float(known.mean())
    reach = float(stats.t.ppf((1 + LEVEL) / 2, len(known) - 1) * known.std(ddof=1) / math.sqrt(len(known)))
    return Ratio(value=math.exp(mean), low=math.exp(mean - reach), high=math.exp(mean + reach))
