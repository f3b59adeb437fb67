"""What pruning and failures do to a search: trials without a score, counted by level, and where their rates differ.

A level that is pruned more often keeps its better trials alone, so that its scores cannot be held against another's.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from scipy import stats

from ablation.hypotheses import LevelOutcomes
from ablation.study import Study
from ablation.trial import Level, Record, Status

SIGNIFICANCE = 0.05
_CENSORED: tuple[Status, ...] = ("pruned", "failed")


def outcomes_by_level(study: Study, records: Sequence[Record]) -> tuple[LevelOutcomes, ...]:
    """For each factor its levels, and how the trials at each ended. Trials without an outcome do not count."""
    ended = [record for record in records if record.outcome is not None]
    return tuple(found for factor in study.factors for found in _of_factor(factor, ended))


def _of_factor(factor: str, ended: Sequence[Record]) -> Iterator[LevelOutcomes]:
    pairs = [(record.trial.arm.levels[factor], record) for record in ended if factor in record.trial.arm.levels]
    numbers = [level for level, _ in pairs if not isinstance(level, str)]
    middle = statistics.median(numbers) if numbers else None
    counts: dict[str, Counter[str]] = {}
    for level, record in sorted(pairs, key=lambda pair: _sorted_by(pair[0])):
        assert record.outcome is not None, "only what has ended is counted"
        counts.setdefault(_named(level, middle), Counter())[record.outcome.status] += 1
    for level, found in counts.items():
        yield LevelOutcomes(factor=factor, level=level, outcomes=dict(sorted(found.items())))


def _sorted_by(level: Level) -> tuple[str, float]:
    return (level, 0.0) if isinstance(level, str) else ("", float(level))


def _named(level: Level, middle: float | None) -> str:
    """A level by its name, a number by the half of the drawn ones that it is in."""
    if isinstance(level, str) or middle is None:
        return str(level)
    return f"up to {middle:.3g}" if level <= middle else f"above {middle:.3g}"


def censoring_notes(levels: Sequence[LevelOutcomes]) -> tuple[str, ...]:
    """A warning for each factor at whose levels trials are pruned, or fail, at different rates."""
    factors = dict.fromkeys(level.factor for level in levels)
    return tuple(
        note
        for status in _CENSORED
        for factor in factors
        if (note := _note(status, [level for level in levels if level.factor == factor]))
    )


def _note(status: Status, levels: Sequence[LevelOutcomes]) -> str:
    """Empty where no level's rate differs from that of the others: Fisher's exact test, Bonferroni over the levels."""
    lost, ended = sum(level.outcomes.get(status, 0) for level in levels), sum(level.ended for level in levels)
    tested = []
    for level in levels:
        here, rest = level.outcomes.get(status, 0), ended - level.ended
        table = np.array([[here, level.ended - here], [lost - here, rest - (lost - here)]])
        tested.append((round(float(stats.fisher_exact(table).pvalue) * len(levels), 12), -here / level.ended, level))
    differing = [each for each in tested if each[0] < SIGNIFICANCE]
    if len(levels) < 2 or not differing:
        return ""
    p, _, level = min(differing, key=lambda each: each[:2])
    here = level.outcomes.get(status, 0)
    return (
        f"{status.capitalize()} trials differ in number by level of {level.factor}: {here} of {level.ended} at "
        f"{level.level}, {lost - here} of {ended - level.ended} at the others (Fisher's exact p = {p:.2g}). They have "
        "no final score: scores and importances of this factor are those of the trials that were left."
    )
