"""How trials end at each level, and a warning where pruned, failed or diverged ones are more at one than at the others.

A level that is pruned more often keeps its better trials alone, so that its scores cannot be held against another's.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from scipy import stats

from ablation.analysis.results import MISSING, ResultsTable
from ablation.findings import INCOMPLETE, LevelOutcomes
from ablation.study import LevelsFactor, Study
from ablation.trial import Level, Record

SIGNIFICANCE = 0.05
_NO_SCORE = "They have no final score: what is said of this factor rests on the trials that were left."
_GUESSED = "They count as the uniform guess: what is said of this factor is also how often its levels diverge."

Ended = tuple[Mapping[str, Level], str]
"""The levels of a trial, and the status that it ended with."""


def outcomes_by_level(study: Study, records: Sequence[Record]) -> tuple[LevelOutcomes, ...]:
    """For each factor its levels, and how the trials at each ended. Trials without an outcome do not count."""
    ended = [(record.trial.arm.levels, record.outcome.status) for record in records if record.outcome is not None]
    names = {name: tuple(one.levels) if isinstance(one, LevelsFactor) else () for name, one in study.factors.items()}
    return tuple(found for factor in names for found in _of_factor(factor, names[factor], ended))


def outcomes_in(table: ResultsTable) -> tuple[LevelOutcomes, ...]:
    """The same of a planned study's table, its levels as they are named now."""
    rows = zip(table.frame["arm"].astype(str), table.frame["status"].astype(str), strict=True)
    ended = [(table.arms[arm], status) for arm, status in rows if status != MISSING and arm in table.arms]
    return tuple(found for factor, names in table.factors.items() for found in _of_factor(factor, names, ended))


def _of_factor(factor: str, names: Sequence[str], ended: Sequence[Ended]) -> Iterator[LevelOutcomes]:
    """In the order of the names, the numbers of a range by their size."""
    pairs = [(levels[factor], status) for levels, status in ended if factor in levels]
    numbers = [level for level, _ in pairs if not isinstance(level, str)]
    middle = statistics.median(numbers) if numbers else None
    counts: dict[str, Counter[str]] = {name: Counter() for name in names}
    for level, status in sorted(pairs, key=lambda pair: 0.0 if isinstance(pair[0], str) else float(pair[0])):
        counts.setdefault(_named(level, middle), Counter())[status] += 1
    for level, found in counts.items():
        if found:
            yield LevelOutcomes(factor=factor, level=level, outcomes=dict(sorted(found.items())))


def _named(level: Level, middle: float | None) -> str:
    """A level by its name, a number by the half of the drawn ones that it is in."""
    if isinstance(level, str) or middle is None:
        return str(level)
    return f"up to {middle:.3g}" if level <= middle else f"above {middle:.3g}"


def censoring_notes(levels: Sequence[LevelOutcomes]) -> tuple[str, ...]:
    """A warning for each factor at whose levels trials are pruned, fail or diverge at different rates."""
    factors = dict.fromkeys(level.factor for level in levels)
    return tuple(
        note
        for status in INCOMPLETE
        for factor in factors
        if (note := _note(status, [level for level in levels if level.factor == factor]))
    )


def _note(status: str, levels: Sequence[LevelOutcomes]) -> str:
    """Empty where no level's rate differs from that of the others: Fisher's exact test, Bonferroni over the levels."""
    lost, ended = sum(level.outcomes.get(status, 0) for level in levels), sum(level.ended for level in levels)
    if len(levels) < 2 or not lost:
        return ""
    tested = []
    for level in levels:
        here, rest = level.outcomes.get(status, 0), ended - level.ended
        table = np.array([[here, level.ended - here], [lost - here, rest - (lost - here)]])
        tested.append((round(float(stats.fisher_exact(table).pvalue) * len(levels), 12), -here / level.ended, level))
    differing = [each for each in tested if each[0] < SIGNIFICANCE]
    if not differing:
        return ""
    p, _, level = min(differing, key=lambda each: each[:2])
    here = level.outcomes.get(status, 0)
    return (
        f"{status.capitalize()} trials differ in number by level of {level.factor}: {here} of {level.ended} at "
        f"{level.level}, {lost - here} of {ended - level.ended} at the others (Fisher's exact p = {p:.2g}). "
        f"{_GUESSED if status == 'diverged' else _NO_SCORE}"
    )
