"""The results table: one row a trial, and what the analysis must know of the design. Knows no statistics."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ablation.analysis.comparable import circumstances
from ablation.analysis.contrasts import Analysed, Contrast
from ablation.analysis.families import analysed_as, family
from ablation.analysis.growing import Grown, Plan, replay
from ablation.analysis.provenance_notes import change_notes, stamp_notes
from ablation.analysis.routes import ONCE, Rule
from ablation.findings import Metric
from ablation.study import Change, Growing, LevelsFactor, Study, was_extended
from ablation.trial import Arm, Record, Trial

MEASURES = ("accuracy", "loss", "seconds", "images_per_second", "parameters", "peak_memory_bytes")
COLUMNS = ("trial", "arm", "block", "status", "circumstances", *MEASURES)
SCORED = ("complete", "diverged")
"""The outcomes whose scores count. A diverged trial carries those of the uniform guess."""
MISSING = "missing"
"""The status of a planned trial that has no outcome yet."""


@dataclass(frozen=True, slots=True, eq=False)
class ResultsTable:
    """All trials of a study.

    `frame` has the columns of `COLUMNS`: text, but for the block, then numbers, NaN where there is none. Accuracy and
    loss are those of the split `evaluate_on`, and NaN unless the status is complete or diverged. The circumstances are
    all that a cost depends on beside the arm; a table that says nothing of them is taken to have measured alike.
    """

    frame: pd.DataFrame
    arms: Mapping[str, Mapping[str, str]]
    """Levels by arm, in the order of the design. A factor whose condition does not hold has none."""
    baseline: str
    factors: Mapping[str, tuple[str, ...]]
    """Level names by factor, the reference first."""
    design: Analysed
    metric: Metric
    margin: float
    planned_blocks: int
    evaluate_on: Literal["validation", "test"] = "test"
    notes: tuple[str, ...] = ()
    rule: Rule = ONCE
    first_block: int = 0
    higher_is_better: bool | None = None
    """Of a metric that is neither accuracy nor loss; the good of those is known."""
    measured: tuple[Metric, ...] = ()
    """What a study measures beside accuracy and loss, each with a column after the others."""

    @property
    def provisional(self) -> bool:
        """Whether planned trials have no outcome yet."""
        return bool((self.frame["status"] == MISSING).any())

    @property
    def baseline_row(self) -> int | None:
        """The arm that every contrast reads; None in a factorial, and where there is no arm."""
        return list(self.arms).index(self.baseline) if self.design == "contrasts" and self.arms else None

    def missing(self) -> list[tuple[str, int]]:
        """Arm and seed block of each trial to be run; of a growing plan those that its next look needs."""
        rows = self.frame[self.frame["status"] == MISSING]
        return list(zip(rows["arm"].astype(str), rows["block"].astype(int), strict=True))

    def contrasts(self) -> list[Contrast]:
        """The family that the design asks for, in its order."""
        return family(self.design, self.arms, self.baseline, self.factors)

    def grown(self) -> Grown:
        """How far a growing plan has come."""
        assert self.rule.looks, "only a growing plan has looks"
        blocks = range(self.first_block, self.first_block + self.planned_blocks)
        ended = self.frame["status"].where(self.frame["status"] != MISSING).notna().astype("float64")
        plan = Plan(*self.rule.looks, self.margin, self.baseline_row)
        there = self._wide(ended, blocks)
        return replay(self._wide(self.frame[self.metric], blocks), there == 1, self.contrasts(), plan)

    def scores(self) -> NDArray[np.float64]:
        """The metric as arms x seed blocks, NaN where a trial gave none; blocks with any score, in ascending order."""
        return self._wide(self.frame[self.metric])

    def seconds(self) -> NDArray[np.float64]:
        """Seconds of the complete trials as arms x seed blocks, NaN where there is none."""
        return self._wide(self.frame["seconds"].where(self.timed))

    def circumstances(self) -> NDArray[np.float64]:
        """Under which circumstances each of `seconds` was measured: the place of them in `ran_under`."""
        places = {text: float(at) for at, text in enumerate(self.ran_under)}
        return self._wide(self.frame["circumstances"].map(places).where(self.timed))

    @property
    def ran_under(self) -> tuple[str, ...]:
        """The circumstances of the trials whose time is known, each of them once."""
        return tuple(map(str, self.frame["circumstances"][self.timed].unique()))

    @property
    def timed(self) -> pd.Series[bool]:
        """Which rows have a time that counts: those of complete trials."""
        return (self.frame["status"] == "complete") & self.frame["seconds"].notna()

    def parameters(self) -> NDArray[np.float64]:
        """The number of parameters of each arm, NaN where no trial says it."""
        counts = self.frame.groupby("arm")["parameters"].max()
        return counts.reindex(list(self.arms)).to_numpy(dtype=np.float64)

    def diverged(self) -> NDArray[np.bool_]:
        """Which of `scores` come from a diverged trial."""
        scored = self.frame[self.metric].notna()
        marks = (self.frame["status"] == "diverged").astype("float64").where(scored)
        return np.asarray(self._wide(marks) == 1)

    def _wide(self, values: pd.Series[float], blocks: Iterable[int] | None = None) -> NDArray[np.float64]:
        """The mean of the values of each arm in each block; without pandas' pivot, which takes most of an analysis."""
        there = values.notna().to_numpy()
        of_row = self.frame["block"].to_numpy()[there]
        columns = np.unique(of_row) if blocks is None else np.array(list(blocks), dtype=np.int64)
        places = (
            pd.Index(list(self.arms)).get_indexer(pd.Index(self.frame["arm"][there])),
            pd.Index(columns).get_indexer(pd.Index(of_row)),
        )
        kept = (places[0] >= 0) & (places[1] >= 0)
        cells = tuple(place[kept] for place in places)
        sums, counts = np.zeros((2, len(self.arms), len(columns)))
        np.add.at(sums, cells, values.to_numpy(dtype=np.float64)[there][kept])
        np.add.at(counts, cells, 1.0)
        return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def from_records(
    study: Study, arms: Sequence[Arm], records: Sequence[Record], changes: Sequence[Change] = ()
) -> ResultsTable:
    """The table of a study: the outcomes so far, and a row for each planned trial that has none.

    `changes`: those that were made to the study after it had begun.
    """
    search = study.design.kind == "search"
    rows = [_row(record, study.evaluate_on) for record in records]
    measured = tuple(part.name for part in study.metrics)
    levels = {arm.name: {f: str(level) for f, level in arm.levels.items()} for arm in arms}
    factors = {
        name: tuple(factor.levels) if isinstance(factor, LevelsFactor) else _drawn(name, levels)
        for name, factor in study.factors.items()
    }
    design = analysed_as(study.design.kind, list(levels.values()), factors)
    table = ResultsTable(
        frame=framed(rows, measured),
        arms=levels,
        baseline=next((arm.name for arm in arms if arm.baseline), next(iter(levels), "")),
        factors=factors,
        design=design,
        metric=study.metric,
        margin=study.margin,
        planned_blocks=len(study.seed_blocks),
        evaluate_on=study.evaluate_on,
        notes=(
            *_thinned(study.design.kind, design),
            *(() if search else change_notes(changes)),
            *stamp_notes(records),
        ),
        rule=_rule(study, changes),
        first_block=study.first_block,
        higher_is_better=study.higher_is_better if study.metric in measured else None,
        measured=measured,
    )
    return table if search else _with_missing(table, rows)


def _rule(study: Study, changes: Sequence[Change]) -> Rule:
    if isinstance(study.seeds, Growing):
        return Rule(looks=(study.seeds.start, study.seeds.max))
    return Rule(anytime=True) if was_extended(changes) else ONCE


def _with_missing(table: ResultsTable, rows: Sequence[Mapping[str, object]]) -> ResultsTable:
    """The table with a row for each trial that is still to be run."""
    arms, known = list(table.arms), {(row["arm"], row["block"]) for row in rows if row["status"] != MISSING}
    blocks = range(table.first_block, table.first_block + table.planned_blocks)
    if table.rule.looks:
        wanted = [(arms[arm], blocks[block]) for arm, block in table.grown().wanted]
    else:
        wanted = [(arm, block) for arm in arms for block in blocks if (arm, block) not in known]
    missing = [{"trial": "", "arm": arm, "block": block, "status": MISSING} for arm, block in wanted]
    ended = [row for row in rows if row["status"] != MISSING]
    return replace(table, frame=framed([*ended, *missing], table.measured))


def framed(rows: Sequence[Mapping[str, object]], metrics: Sequence[Metric] = ()) -> pd.DataFrame:
    """Rows as a frame of `COLUMNS` and these metrics; a measure that a row lacks is NaN."""
    measures = dict.fromkeys((*MEASURES, *metrics), "float64")
    told = [{"circumstances": "", **row} for row in rows]
    frame = pd.DataFrame(told, columns=list(dict.fromkeys((*COLUMNS, *metrics))))
    return frame.astype({"block": "int64"} | measures)


def _thinned(kind: str, design: Analysed) -> tuple[str, ...]:
    if kind not in ("factorial", "fractional") or design != "contrasts":
        return ()
    return (
        "Not every combination of two or more factors is an arm, so there are no main effects and interactions: "
        "each arm is held against the baseline.",
    )


def _drawn(factor: str, arms: Mapping[str, Mapping[str, str]]) -> tuple[str, ...]:
    """The values of a range that a search has drawn so far."""
    return tuple(dict.fromkeys(levels[factor] for levels in arms.values() if factor in levels))


def _row(record: Record, split: Literal["validation", "test"]) -> dict[str, object]:
    trial: Trial = record.trial
    row: dict[str, object] = {"trial": trial.id, "arm": trial.arm.name, "block": trial.block, "status": MISSING}
    outcome = record.outcome
    if outcome is None:
        return row
    row["status"] = outcome.status
    scores = outcome.scores(split)
    if scores is not None and outcome.status in SCORED:
        row |= {"accuracy": scores.accuracy, "loss": scores.loss, **scores.others}
    if outcome.cost is not None:
        row |= outcome.cost.model_dump() | {"circumstances": circumstances(outcome.stamp)}
    return row
