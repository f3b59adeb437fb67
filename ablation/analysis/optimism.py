"""What a confirmation takes from the scores of a search: they were the best of many, on validation images."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Literal

from ablation.analysis.results import SCORED
from ablation.analysis.sentences import UNITS, counted, difference
from ablation.findings import Metric
from ablation.hypotheses import Confirmation, ConfirmedArm, Confirms
from ablation.trial import Record

BASELINE = "baseline"


def confirmation(
    confirms: Confirms, name: str, metric: Metric, planned: int, records: Sequence[Record]
) -> Confirmation:
    """The chosen arms and the baseline, as the search had them and as the records of the confirmation do."""
    rows = [_arm(BASELINE, confirms.baseline, 0, metric, records)]
    rows += [_arm(one.name, one.validation, len(one.trials), metric, records) for one in confirms.candidates]
    return Confirmation(
        search=confirms.folder,
        confirmation=name,
        metric=metric,
        ended=confirms.ended,
        planned=confirms.planned,
        complete=sum(record.outcome is not None for record in records) >= planned,
        arms=tuple(rows),
    )


def _arm(name: str, promised: float | None, trials: int, metric: Metric, records: Sequence[Record]) -> ConfirmedArm:
    own = [record for record in records if record.trial.arm.name == name]
    validation, test = (_scores(own, split, metric) for split in ("validation", "test"))
    return ConfirmedArm(
        arm=name,
        promised=promised,
        promised_trials=trials,
        validation=statistics.fmean(validation) if validation else None,
        validation_sd=statistics.stdev(validation) if len(validation) > 1 else None,
        test=statistics.fmean(test) if test else None,
        test_sd=statistics.stdev(test) if len(test) > 1 else None,
        seed_blocks=len(validation),
    )


def _scores(records: Sequence[Record], split: Literal["validation", "test"], metric: Metric) -> list[float]:
    """Diverged trials count as the uniform guess, as in every mean."""
    outcomes = [record.outcome for record in records if record.outcome and record.outcome.status in SCORED]
    found = [scores for outcome in outcomes if outcome and (scores := outcome.scores(split))]
    return [scores.on(metric) for scores in found]


def optimism_sentences(found: Confirmation) -> tuple[str, ...]:
    """What the search promised of each arm, and what became of it. Nothing before the confirmation is complete."""
    return tuple(_sentences(found)) if found.complete else ()


def _sentences(found: Confirmation) -> Iterator[str]:
    unit = UNITS[found.metric]
    changes = [arm.change for arm in found.arms if arm.arm != BASELINE and arm.change is not None]
    if changes:
        blocks = counted(max(arm.seed_blocks for arm in found.arms))
        yield (
            f"Observed optimism of the search: validation {found.metric} over {blocks} fresh to it differs by "
            f"{difference(statistics.fmean(changes), found.metric)} {unit.name} from what it had chosen the arms by "
            f"(mean over {counted(len(changes), 'arm')}). That is choice and chance together, and has no interval."
        )
    for arm in found.arms:
        if arm.arm != BASELINE and arm.change is not None and arm.test is not None:
            trials = counted(arm.promised_trials, "seed block")
            yield (
                f"{arm.arm}: {_level(arm.promised, found.metric)} on validation in the search ({trials}), "
                f"{_level(arm.validation, found.metric)} there on {counted(arm.seed_blocks)} of its own "
                f"({difference(arm.change, found.metric)} {unit.name}), {_level(arm.test, found.metric)} on test."
            )
    if found.ended < found.planned:
        yield f"The arms were chosen when {found.ended} of the {found.planned} trials of the search had ended."


def _level(score: float | None, metric: Metric) -> str:
    assert score is not None, "only arms with scores are told of"
    unit = UNITS[metric]
    return f"{unit.factor * score:.{unit.digits}f} {'%' if metric == 'accuracy' else unit.name}"
