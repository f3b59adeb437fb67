"""The trials of a search as its figures read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ablation.findings import Metric
from ablation.report.drawing import Table
from ablation.report.numbers import MISSING, Unit, duration, short, unit_in
from ablation.study import Factor, LevelsFactor, RangeFactor, Study
from ablation.trial import Level, Record, Status

BEST = 10
"""How many trials stand out in a figure."""


@dataclass(frozen=True, slots=True)
class Tried:
    """One trial that has ended, with its validation score; of a pruned one that of its last epoch."""

    number: int
    arm: str
    block: int
    status: Status
    levels: tuple[tuple[str, Level], ...]
    score: float | None
    seconds: float | None

    def level(self, factor: str) -> Level | None:
        """The trial's level of a factor, None where the factor took no part."""
        return dict(self.levels).get(factor)


@dataclass(frozen=True, slots=True)
class Trials:
    """All trials that have ended, by number, and what was varied."""

    unit: Unit
    factors: dict[str, Factor]
    all: tuple[Tried, ...]

    @property
    def ranked(self) -> tuple[Tried, ...]:
        """The complete ones, best first; of equals the one drawn first."""
        sign = -1 if self.unit.higher_is_better else 1
        scored = [(sign * trial.score, trial) for trial in self.of("complete") if trial.score is not None]
        return tuple(trial for _, trial in sorted(scored, key=lambda pair: (pair[0], pair[1].number)))

    def of(self, status: Status) -> tuple[Tried, ...]:
        """Those that ended like this."""
        return tuple(trial for trial in self.all if trial.status == status)

    def levels(self, factor: str) -> list[str]:
        """The named levels of a factor in the order of the study, without those never drawn; empty for a range."""
        found = self.factors[factor]
        drawn = {trial.level(factor) for trial in self.all}
        return [level for level in found.levels if level in drawn] if isinstance(found, LevelsFactor) else []

    def is_logarithmic(self, factor: str) -> bool:
        """Whether a range is drawn, and shown, on a log scale."""
        found = self.factors[factor]
        return isinstance(found, RangeFactor) and found.scale == "log"


def trials_of(records: Sequence[Record], study: Study) -> Trials:
    """The trials of a search that have ended."""
    tried = [one for at, record in enumerate(records) if (one := _tried(record, at, study.metric))]
    return Trials(unit_in(study), dict(study.factors), tuple(sorted(tried, key=lambda one: one.number)))


def _tried(record: Record, position: int, metric: Metric) -> Tried | None:
    outcome, trial = record.outcome, record.trial
    if outcome is None:
        return None
    return Tried(
        number=int(trial.id) if trial.id.isdecimal() else position,
        arm=trial.arm.name,
        block=trial.block,
        status=outcome.status,
        levels=tuple(trial.arm.levels.items()),
        score=outcome.validation.on(metric) if outcome.validation else None,
        seconds=outcome.cost.seconds if outcome.cost else None,
    )


def words(level: Level | None) -> str:
    """A level as figures and tables show it."""
    if level is None:
        return MISSING
    return level if isinstance(level, str) else short(level)


def ranking(trials: Trials, rows: int) -> Table:
    """The first complete trials of the ranking."""
    unit = trials.unit
    ranked = tuple(
        (
            str(trial.number),
            *(words(trial.level(factor)) for factor in trials.factors),
            str(trial.block),
            unit.value(trial.score),
            duration(trial.seconds),
        )
        for trial in trials.ranked[:rows]
    )
    columns = ("trial", *trials.factors, "seed block", f"validation {unit.metric}", "time")
    caption = f"Trials by validation {unit.metric}, best first"
    return Table(caption, columns, ranked, range(len(columns) - 3, len(columns)))
